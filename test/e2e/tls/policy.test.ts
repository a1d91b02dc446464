/** What is agreed in handshakes: versions and cipher suites, those of every host and those that a site narrows. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Fields } from '#core/http/fields.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { TlsPolicy } from '#core/model/tls-policy.ts';
import type { Exchange } from '#edge/exchange.ts';
import { extensionsFor, helloMessage, records } from '../../support/client-hello.ts';
import { proxyHeader } from '../../support/proxy-header.ts';
import { type ClientTlsOptions, openRawClient } from '../../support/raw-client.ts';
import { createTestAuthority, type IssueOptions } from '../../support/test-authority.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const STRICT: TlsPolicy = { minTlsVersion: '1.3', clientCertificates: null };
const PROTOCOL_VERSION = 70;
const HANDSHAKE_FAILURE = 40;
const UNRECOGNIZED_NAME = 112;

function answer(exchange: Exchange): void {
  exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from('hi'));
}

let certificates: readonly Certificate[];

beforeAll(async () => {
  const authority = await createTestAuthority();
  const issue = async (host: string, options: IssueOptions = {}) => {
    const { key, cert } = await authority.issue([host], options);
    return { hosts: [host], certificatePem: cert, privateKeyPem: key };
  };
  certificates = [
    await issue('usual.example'),
    await issue('usual.example', { keyType: 'rsa' }),
    await issue('strict.example'),
  ];
});

/** `usual.example` with both key types, and `strict.example`, which wants TLS 1.3. */
async function start(): Promise<TestListener> {
  const listener = await startTestListener(answer, {}, certificates);
  listener.certificates.replace(certificates, new Map([['strict.example', STRICT]]));
  return listener;
}

/** The alert that a first message is answered with (RFC 8446 §6), or -1: another answer. */
async function alertTo({ https }: TestListener, hello: Buffer): Promise<number> {
  const client = await openRawClient(https);
  client.write(hello);
  const answered = await client.readBytes(7).catch(() => Buffer.alloc(7));
  client.destroy();
  return answered[0] === 21 ? (answered[6] as number) : -1;
}

async function agreed(
  { https }: TestListener,
  serverName: string | null,
  options: ClientTlsOptions = {},
): Promise<string | null> {
  const client = await openRawClient({ ...https, tls: { serverName, ...options } }).catch(() => null);
  if (client === null) return null;
  const socket = client.socket as TLSSocket;
  const { name } = socket.getCipher();
  const version = socket.getProtocol();
  client.destroy();
  return `${version} ${name}`;
}

describe('every host', () => {
  test('takes TLS 1.2 and 1.3, and none before', async () => {
    await using listener = await start();
    const extensions = extensionsFor('usual.example');
    // With the suites of that time, and with such as are taken today.
    const suites = [0xc009, 0xc013, 0x002f, 0xc02b, 0xc02f];
    const alertToVersion = (version: number) =>
      alertTo(listener, records(helloMessage({ version, suites, extensions })));
    expect([await alertToVersion(0x0302), await alertToVersion(0x0301)]).toEqual([
      PROTOCOL_VERSION,
      PROTOCOL_VERSION,
    ]);
    expect([PROTOCOL_VERSION, HANDSHAKE_FAILURE]).toContain(await alertToVersion(0x0300));
    await until('they are counted', () => listener.listeners.statistics().refusals['handshake-failed'] === 3);
    expect(await agreed(listener, 'usual.example')).toStartWith('TLSv1.3 ');
    expect(await agreed(listener, 'usual.example', { maxVersion: 'TLSv1.2' })).toStartWith('TLSv1.2 ');
  });

  test.each<[string, readonly number[]]>([
    ['CBC with SHA-1', [0xc009, 0xc00a, 0xc013, 0xc014]],
    ['CBC with SHA-2', [0xc023, 0xc024, 0xc027, 0xc028]],
    ['keys without forward secrecy', [0x009c, 0x009d, 0x002f, 0x003c]],
    ['DHE', [0x009e, 0x009f, 0xccaa]],
    ['RC4, 3DES and no encryption', [0x0005, 0xc011, 0x000a, 0xc012, 0x0001, 0xc010]],
    ['anonymous keys', [0x00a6, 0xc018, 0x0034]],
  ])('refuses TLS 1.2 with %s', async (_, suites) => {
    await using listener = await start();
    const extensions = extensionsFor('usual.example');
    expect(await alertTo(listener, records(helloMessage({ suites, extensions })))).toBe(HANDSHAKE_FAILURE);
  });

  test.each([
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ])('takes TLS 1.2 with %s', async (ciphers) => {
    await using listener = await start();
    for (const name of ['usual.example', null]) {
      expect(await agreed(listener, name, { maxVersion: 'TLSv1.2', ciphers })).toBe(`TLSv1.2 ${ciphers}`);
    }
  });
});

describe('a site that wants TLS 1.3', () => {
  test('refuses TLS 1.2 in the handshake, and the other sites are as ever', async () => {
    await using listener = await start();
    const suites = [0xc02b, 0xc02f];
    for (const [name, alert] of [
      ['strict.example', PROTOCOL_VERSION],
      ['STRICT.example.', PROTOCOL_VERSION],
      ['usual.example', -1],
    ] as const) {
      const hello = records(helloMessage({ suites, extensions: extensionsFor(name) }));
      expect([name, await alertTo(listener, hello)]).toEqual([name, alert]);
    }
    expect(await agreed(listener, 'strict.example')).toStartWith('TLSv1.3 ');
    expect(await agreed(listener, 'strict.example', { maxVersion: 'TLSv1.2' })).toBeNull();
    expect(await agreed(listener, null, { maxVersion: 'TLSv1.2' })).toStartWith('TLSv1.2 ');
  });

  test('a policy that comes or goes counts from the next handshake on', async () => {
    await using listener = await start();
    const old = { maxVersion: 'TLSv1.2' } as const;
    listener.certificates.replace(certificates, new Map([['usual.example', STRICT]]));
    expect(await agreed(listener, 'usual.example', old)).toBeNull();
    expect(await agreed(listener, 'strict.example', old)).toStartWith('TLSv1.2 ');
    listener.certificates.replace(certificates, new Map());
    expect(await agreed(listener, 'usual.example', old)).toStartWith('TLSv1.2 ');
  });
});

describe('sessions', () => {
  /** Whether the session was resumed, and one to resume next. */
  async function begin({ https }: TestListener, serverName: string | null, options: ClientTlsOptions) {
    const client = await openRawClient({ ...https, tls: { serverName, ...options } });
    const socket = client.socket as TLSSocket;
    let told: Buffer | null = null;
    socket.on('session', (session: Buffer) => {
      told = session;
    });
    client.write('GET / HTTP/1.1\r\nHost: usual.example\r\n\r\n');
    await client.readResponse();
    // Tickets come before the first answer; Bun has those of TLS 1.3 in the event alone.
    const session = told ?? (socket.getSession() as Buffer);
    const isReused = socket.isSessionReused();
    client.destroy();
    return { session, isReused };
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'are resumed by the host they began with, while its certificate stays: %s',
    async (version) => {
      await using listener = await start();
      const only = { minVersion: version, maxVersion: version };
      for (const name of ['usual.example', null]) {
        let { session } = await begin(listener, name, only);
        for (let round = 0; round < 3; round += 1) {
          const resumed = await begin(listener, name, { ...only, session });
          expect([name, resumed.isReused]).toEqual([name, true]);
          session = resumed.session;
        }
      }
      const { session } = await begin(listener, 'usual.example', only);
      // Another set with the same certificates for this host changes nothing.
      listener.certificates.replace(structuredClone(certificates), new Map());
      expect((await begin(listener, 'usual.example', { ...only, session })).isReused).toBe(true);
      listener.certificates.replace(certificates.slice(1, 2), new Map());
      expect((await begin(listener, 'usual.example', { ...only, session })).isReused).toBe(false);
    },
  );
});

/** TLS to a listener behind a load balancer, on a connection that begins with the balancer's header. */
async function secureBehindHeader(
  { https }: TestListener,
  options: ClientTlsOptions & { readonly servername: string },
): Promise<TLSSocket | null> {
  const socket = connect({ host: https.address, port: https.port });
  await once(socket, 'connect');
  socket.write(proxyHeader());
  const secured = connectTls({ socket, rejectUnauthorized: false, ...options });
  return new Promise((resolve) => {
    secured.once('secureConnect', () => resolve(secured));
    secured.once('error', () => resolve(null));
  });
}

test('all of it holds behind a load balancer too, where the handshakes are made in another way', async () => {
  const authority = await createTestAuthority();
  const seen: Exchange[] = [];
  const handler = (exchange: Exchange) => {
    seen.push(exchange);
    answer(exchange);
  };
  const proxySources = ['127.0.0.1/32'];
  await using listener = await startTestListener(handler, {}, [], { proxySources });
  const ASKING: TlsPolicy = {
    minTlsVersion: '1.2',
    clientCertificates: { authoritiesPem: authority.certificate, mode: 'require' },
  };
  const policies = new Map([
    ['strict.example', STRICT],
    ['usual.example', ASKING],
  ]);
  listener.certificates.replace(certificates, policies);
  const old = { maxVersion: 'TLSv1.2' } as const;
  expect(await secureBehindHeader(listener, { servername: 'strict.example', ...old })).toBeNull();
  for (const ciphers of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256']) {
    const client = await secureBehindHeader(listener, { servername: 'usual.example', ...old, ciphers });
    expect(client?.getCipher().name).toBe(ciphers);
    client?.destroy();
  }
  for (const [index, shown] of [{}, await authority.issue(['member'])].entries()) {
    const client = await secureBehindHeader(listener, { servername: 'usual.example', ...shown });
    client?.write('GET / HTTP/1.1\r\nHost: usual.example\r\n\r\n');
    const exchange = await until('it arrives', () => seen[index] ?? null);
    expect(exchange.connection).toMatchObject({
      clientAddress: '203.0.113.7',
      tls: { serverName: 'usual.example', policy: ASKING },
    });
    expect(exchange.connection.tls?.clientCertificate?.isTrusted).toBe(index === 0 ? undefined : true);
    client?.destroy();
  }
});

test('without a certificate for anybody the client is told so', async () => {
  await using listener = await startTestListener(answer);
  const hello = records(helloMessage({ extensions: extensionsFor('usual.example') }));
  expect(await alertTo(listener, hello)).toBe(UNRECOGNIZED_NAME);
  await until('it is counted', () => listener.listeners.statistics().refusals['no-certificate'] === 1);
});

/** What `openssl s_client` says of a handshake; null when there is no such program. */
function askOpenssl(port: number, options: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, ...options];
    const child = execFile('openssl', args, { timeout: 20_000 }, (error, stdout, stderr) =>
      resolve((error as NodeJS.ErrnoException | null)?.code === 'ENOENT' ? null : stdout + stderr),
    );
    child.stdin?.end();
  });
}

test('OpenSSL agrees (skipped where it is not installed)', async () => {
  await using listener = await start();
  const { port } = listener.https;
  const weak = ['-cipher', 'ALL@SECLEVEL=0'];
  const cases: [readonly string[], string][] = [
    [['-servername', 'usual.example', '-tls1_3'], 'New, TLSv1.3'],
    [['-servername', 'usual.example', '-tls1_2'], 'New, TLSv1.2, Cipher is ECDHE-ECDSA-AES'],
    [['-servername', 'usual.example', '-tls1_2', '-sigalgs', 'RSA-PSS+SHA256'], 'Cipher is ECDHE-RSA-AES'],
    [['-servername', 'usual.example', '-tls1_1', ...weak], 'alert protocol version'],
    [['-servername', 'usual.example', '-tls1', ...weak], 'alert protocol version'],
    [
      ['-servername', 'usual.example', '-tls1_2', '-cipher', 'AES128-SHA@SECLEVEL=0'],
      'alert handshake failure',
    ],
    [['-servername', 'strict.example', '-tls1_2'], 'alert protocol version'],
    [['-servername', 'strict.example'], 'New, TLSv1.3'],
  ];
  for (const [options, words] of cases) {
    const said = await askOpenssl(port, options);
    if (said === null) return;
    expect(said).toContain(words);
  }
});
