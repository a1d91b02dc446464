/** Sites that ask their users for certificates: who is let in, who is asked, what origin and cache learn of it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { TLSSocket } from 'node:tls';
import type { SiteInput } from '#core/model/site.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { extensionsFor, helloMessage, records } from '../../support/client-hello.ts';
import {
  createTestClock,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { connectHttp2 } from '../../support/http2-client.ts';
import { type ClientTlsOptions, openRawClient, type RawClient } from '../../support/raw-client.ts';
import { testOnBun } from '../../support/runtime.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';
import {
  createTestAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../support/test-authority.ts';

const HOSTS = ['open', 'club', 'guests', 'rivals', 'strict'].map((id) => `${id}.example`);
const HOUR_MS = 3_600_000;

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let https: ListenAddress;
let answer: Answer;
let clubAuthority: TestAuthority;
let rivalsAuthority: TestAuthority;
let member: TestCertificate;
let rival: TestCertificate;

function sites(clubAuthorities = clubAuthority.certificate): SiteInput[] {
  const site = (id: string, more: Partial<SiteInput> = {}): SiteInput => {
    return { id, hosts: [`${id}.example`], origins: [{ url: origin.url }], ...more };
  };
  const of = (authoritiesPem: string, mode: 'require' | 'request') => {
    return { clientCertificates: { authoritiesPem, mode } };
  };
  return [
    site('open'),
    site('club', of(clubAuthorities, 'require')),
    site('guests', of(clubAuthorities, 'request')),
    site('rivals', of(rivalsAuthority.certificate, 'require')),
    site('strict', { minTlsVersion: '1.3' }),
  ];
}

beforeAll(async () => {
  clock = createTestClock();
  clubAuthority = await createTestAuthority();
  rivalsAuthority = await createTestAuthority();
  member = await clubAuthority.issue(['member']);
  rival = await rivalsAuthority.issue(['rival']);
  const servers = await createTestAuthority();
  const certificates: Certificate[] = await Promise.all(
    HOSTS.map(async (host) => {
      const { key, cert } = await servers.issue([host]);
      return { hosts: [host], certificatePem: cert, privateKeyPem: key };
    }),
  );
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: sites(), certificates });
  https = edge.running.https as ListenAddress;
  answer = () => ({ body: 'from the origin' });
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

afterEach(() => edge.publish(sites()));

function connect(serverName: string | null, options: ClientTlsOptions = {}): Promise<RawClient> {
  return openRawClient({ ...https, tls: { serverName, ...options } });
}

let targets = 0;

/** A target nobody has asked for yet. */
function newTarget(): string {
  targets += 1;
  return `/${targets}`;
}

/** One request on a connection that stays. */
async function ask(client: RawClient, host: string, target = newTarget(), lines = '') {
  client.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`);
  const response = await client.readResponse();
  const { status } = response;
  // In an answer of the origin's it says why that is not stored.
  return { status, detail: status === 200 ? '' : detailOf(response.field('cache-status')), response };
}

function detailOf(cacheStatus: string | null | undefined): string {
  return /detail=([a-z_-]+)/.exec(cacheStatus ?? '')?.[1] ?? '';
}

/** Status and detail of one request to a host on a connection for it. */
async function visit(host: string, options: ClientTlsOptions = {}): Promise<[number, string]> {
  const client = await connect(host, options);
  try {
    const { status, detail } = await ask(client, host);
    return [status, detail];
  } finally {
    client.destroy();
  }
}

/** The value of a field in the last request that the origin received. */
function seenByOrigin(name: string): string | null {
  const lines = origin.requests.at(-1)?.fields.filter(([field]) => field.toLowerCase() === name) ?? [];
  return lines.length === 0 ? null : lines.map(([, value]) => value).join('; ');
}

function asField({ cert }: TestCertificate): string {
  return `:${cert.replace(/-----[A-Z ]+-----|\s/g, '')}:`;
}

const MISSING: [number, string] = [403, 'client_certificate_missing'];
const INVALID: [number, string] = [403, 'client_certificate_invalid'];

describe('a site that requires certificates', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('lets in who shows a trusted one, over %s', async (version) => {
    const only = { minVersion: version, maxVersion: version };
    expect(await visit('club.example', { ...member, ...only })).toEqual([200, '']);
    expect(seenByOrigin('client-cert')).toBe(asField(member));
    const before = origin.requests.length;
    expect(await visit('club.example', only)).toEqual(MISSING);
    expect(await visit('club.example', { ...rival, ...only })).toEqual(INVALID);
    expect(await visit('rivals.example', { ...rival, ...only })).toEqual([200, '']);
    expect(await visit('rivals.example', { ...member, ...only })).toEqual(INVALID);
    const past = await clubAuthority.issue(['past'], { notAfter: new Date(Date.now() - HOUR_MS) });
    expect(await visit('club.example', { ...past, ...only })).toEqual(INVALID);
    expect(origin.requests.length).toBe(before + 1);
  });

  test('says so on a page, also over HTTP/2, and the connection goes on', async () => {
    const client = await connectHttp2({ ...https, tls: { serverName: 'club.example' } });
    client.request(1, '/', { authority: 'club.example' });
    const refused = await client.response(1);
    expect([refused.status, refused.fields.get('cache-control')]).toEqual([403, 'no-store']);
    expect(refused.body.toString()).toContain('This site asks for a certificate');
    client.request(3, '/', { authority: 'club.example' });
    expect((await client.response(3)).status).toBe(403);
    client.destroy();
    const trusted = await connectHttp2({ ...https, tls: { serverName: 'club.example', ...member } });
    trusted.request(1, newTarget(), { authority: 'club.example' });
    expect((await trusted.response(1)).status).toBe(200);
    expect(seenByOrigin('client-cert')).toBe(asField(member));
    trusted.destroy();
  });

  test('is closed to plain connections, and to switches of protocols without a certificate', async () => {
    const plain = await edge.request('/', { host: 'club.example' });
    expect([plain.status, detailOf(plain.field('cache-status'))]).toEqual([403, 'tls_required']);
    const client = await connect('club.example');
    const lines = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    expect((await ask(client, 'club.example', '/', lines)).detail).toBe('client_certificate_missing');
    client.destroy();
  });

  test('a certificate that runs out ends it, although the connection stays', async () => {
    const soon = await clubAuthority.issue(['soon'], { notAfter: new Date(clock.now() + HOUR_MS) });
    const client = await connect('club.example', soon);
    expect((await ask(client, 'club.example')).status).toBe(200);
    clock.advance(HOUR_MS / 1000 - 1);
    expect((await ask(client, 'club.example')).status).toBe(200);
    clock.advance(1);
    expect((await ask(client, 'club.example')).detail).toBe('client_certificate_invalid');
    client.destroy();
  });

  test('chains of intermediate authorities are followed', async () => {
    const below = await clubAuthority.issueAuthority();
    const { key, cert } = await below.issue(['member of a branch']);
    expect(await visit('club.example', { key, cert: `${cert}\n${below.certificate}` })).toEqual([200, '']);
    expect(await visit('club.example', { key, cert })).toEqual(INVALID);
  });

  const reason = 'Node trusts no authority below another by itself';
  testOnBun(
    reason,
    'an authority below another is trusted as it is listed, and the one above is not',
    async () => {
      const below = await clubAuthority.issueAuthority();
      const ofBranch = await below.issue(['member of a branch']);
      edge.publish(sites(below.certificate));
      expect(await visit('club.example', ofBranch)).toEqual([200, '']);
      expect(await visit('club.example', member)).toEqual(INVALID);
    },
  );

  test('several authorities may be listed', async () => {
    edge.publish(sites(`${clubAuthority.certificate}\n${rivalsAuthority.certificate}\n`));
    expect(await visit('club.example', member)).toEqual([200, '']);
    expect(await visit('club.example', rival)).toEqual([200, '']);
  });
});

describe('a site that only asks', () => {
  test('lets everybody in, and tells the origin of trusted certificates alone', async () => {
    expect(await visit('guests.example', member)).toEqual([200, '']);
    expect(seenByOrigin('client-cert')).toBe(asField(member));
    for (const options of [{}, rival]) {
      expect(await visit('guests.example', options)).toEqual([200, '']);
      expect(seenByOrigin('client-cert')).toBeNull();
    }
    expect((await edge.request(newTarget(), { host: 'guests.example' })).status).toBe(200);
    expect(seenByOrigin('client-cert')).toBeNull();
  });
});

/** Types of the handshake messages in a server's first flight of TLS 1.2, which is in the clear. */
async function messagesTo(serverName: string): Promise<number[]> {
  const client = await openRawClient(https);
  const suites = [0xc02b];
  client.write(records(helloMessage({ suites, extensions: extensionsFor(serverName) })));
  const types: number[] = [];
  let handshake = Buffer.alloc(0);
  while (!types.includes(14)) {
    const header = await client.readBytes(5);
    if (header[0] !== 22) throw new Error(`a record of type ${header[0]}`);
    handshake = Buffer.concat([handshake, await client.readBytes(header.readUInt16BE(3))]);
    while (handshake.length >= 4 && handshake.length >= 4 + handshake.readUIntBE(1, 3)) {
      types.push(handshake[0] as number);
      handshake = handshake.subarray(4 + handshake.readUIntBE(1, 3));
    }
  }
  client.destroy();
  return types;
}

test('nobody is asked for a certificate but by the sites that want one', async () => {
  const CERTIFICATE_REQUEST = 13;
  const asked = new Map<string, boolean>();
  for (const host of ['open.example', 'club.example', 'guests.example', 'unknown.example']) {
    asked.set(host, (await messagesTo(host)).includes(CERTIFICATE_REQUEST));
  }
  expect([...asked]).toEqual([
    ['open.example', false],
    ['club.example', true],
    ['guests.example', true],
    ['unknown.example', false],
  ]);
});

describe('a request on a connection for another site', () => {
  const CONNECTIONS = [...HOSTS, 'unknown.example', null];

  test('is misdirected where their policies differ, whichever certificate was shown, and nowhere else', async () => {
    for (const serverName of CONNECTIONS) {
      const client = await connect(serverName, member);
      const isPlain =
        serverName === null || serverName === 'open.example' || serverName === 'unknown.example';
      for (const host of HOSTS) {
        const { status, detail } = await ask(client, host);
        const isSame = serverName === host || (isPlain && host === 'open.example');
        const expected = !isSame ? [421, 'misdirected'] : host === 'rivals.example' ? INVALID : [200, ''];
        expect([serverName, host, status, detail]).toEqual([serverName, host, ...expected] as never);
      }
      client.destroy();
    }
  });

  test('HTTP/2 connections that are used for several sites', async () => {
    const client = await connectHttp2({ ...https, tls: { serverName: 'open.example', ...member } });
    const wanted = [
      ['open.example', 200],
      ['club.example', 421],
      ['guests.example', 421],
      ['strict.example', 421],
      ['open.example', 200],
    ] as const;
    for (const [index, [authority, status]] of wanted.entries()) {
      client.request(2 * index + 1, newTarget(), { authority });
      expect([authority, (await client.response(2 * index + 1)).status]).toEqual([authority, status]);
    }
    client.destroy();
  });

  test('spelling a host otherwise does not help', async () => {
    const client = await connect('open.example', member);
    for (const host of ['CLUB.example', 'club.example.', 'club.example:443', `club.example:${https.port}`]) {
      expect((await ask(client, host)).status).toBe(421);
    }
    client.write('GET https://club.example/ HTTP/1.1\r\nHost: open.example\r\n\r\n');
    expect((await client.readResponse()).status).toBe(421);
    client.destroy();
    const named = await connect('Club.Example.', member);
    expect((await ask(named, 'club.example')).status).toBe(200);
    named.destroy();
  });

  test('nor is what is stored given out by it', async () => {
    answer = () => ({ fields: [['Cache-Control', 'public, max-age=60']], body: 'for members' });
    const target = newTarget();
    const client = await connect('club.example', member);
    expect((await ask(client, 'club.example', target)).status).toBe(200);
    expect((await ask(client, 'club.example', target)).response.field('cache-status')).toContain('; hit');
    const other = await connect('open.example');
    const stranger = await connect('club.example');
    for (const [who, status] of [
      [other, 421],
      [stranger, 403],
    ] as const) {
      const { response } = await ask(who, 'club.example', target);
      expect([response.status, response.text.includes('for members')]).toEqual([status, false]);
      who.destroy();
    }
    client.destroy();
  });

  test('they are counted', async () => {
    const { counters } = await edge.status();
    for (const reason of ['misdirected', 'tls_required', 'client_certificate_missing']) {
      expect(counters[`perigee_edge_refusals_${reason}_total`]).toBeGreaterThan(0);
    }
  });
});

describe('what the origin is told', () => {
  test('of certificates is told by the edge alone, whatever a user sends', async () => {
    const forged = [
      'Client-Cert: :Zm9yZ2Vk:',
      'client-cert-chain: :Zm9yZ2Vk:',
      'Client_Cert: :Zm9yZ2Vk:',
      'X-Client-Cert: forged',
      'X-SSL-Client-Verify: SUCCESS',
      'X_SSL_Client_S_DN: CN=forged',
      'SSL-Client-Cert: forged',
      'X-Forwarded-Client-Cert: forged',
      'X-Kept: yes',
    ].join('\r\n');
    for (const [host, options, told] of [
      ['open.example', {}, null],
      ['guests.example', {}, null],
      ['guests.example', rival, null],
      ['club.example', member, asField(member)],
    ] as const) {
      const client = await connect(host, options);
      expect((await ask(client, host, newTarget(), `${forged}\r\n`)).status).toBe(200);
      client.destroy();
      expect(seenByOrigin('client-cert')).toBe(told);
      const fields = origin.requests.at(-1)?.fields ?? [];
      expect(fields.filter(([name]) => /client|ssl/i.test(name)).length).toBe(told === null ? 0 : 1);
      expect(seenByOrigin('x-kept')).toBe('yes');
    }
  });
});

describe('the cache', () => {
  /** Cache-Status of two requests for one target, by two members. */
  async function twice(fields: [string, string][], lines = ''): Promise<string[]> {
    answer = () => ({ fields, body: 'an answer' });
    const target = newTarget();
    const other = await clubAuthority.issue(['another member']);
    const seen: string[] = [];
    for (const certificate of [member, other]) {
      const client = await connect('club.example', certificate);
      seen.push((await ask(client, 'club.example', target, lines)).response.field('cache-status') ?? '');
      client.destroy();
    }
    return seen;
  }

  test('keeps an answer to somebody with a certificate only where the origin says it is for all', async () => {
    expect((await twice([['Cache-Control', 'max-age=60']]))[1]).toContain('fwd=uri-miss');
    expect((await twice([['Cache-Control', 'public, max-age=60']]))[1]).toContain('; hit');
    expect((await twice([['Cache-Control', 's-maxage=60']]))[1]).toContain('; hit');
  });

  test('never keeps one that varies on the certificate, nor on the address', async () => {
    for (const vary of ['Client-Cert', 'Accept, client-cert', 'Client-Cert-Chain', 'X-Forwarded-For']) {
      const fields: [string, string][] = [
        ['Cache-Control', 'public, max-age=60'],
        ['Vary', vary],
      ];
      expect((await twice(fields, 'Client-Cert: :eA==:\r\n'))[1]).toContain('fwd=uri-miss');
    }
  });
});

describe('sessions that are resumed', () => {
  /** Connects, asks once, and returns what the server said of the session. */
  async function begin(host: string, version: 'TLSv1.2' | 'TLSv1.3', options: ClientTlsOptions) {
    const client = await connect(host, { ...options, minVersion: version, maxVersion: version });
    const socket = client.socket as TLSSocket;
    let told: Buffer | null = null;
    socket.on('session', (session: Buffer) => {
      told = session;
    });
    const { status, detail } = await ask(client, host);
    // Tickets come before the first answer; Bun has those of TLS 1.3 in the event alone.
    const session = told ?? (socket.getSession() as Buffer);
    const isReused = socket.isSessionReused();
    client.destroy();
    return { status, detail, session, isReused };
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'bring what was shown at their beginning, and no more: %s',
    async (version) => {
      answer = () => ({ body: 'hello' });
      const shown = await begin('club.example', version, member);
      expect(shown.status).toBe(200);
      const resumed = await begin('club.example', version, { session: shown.session });
      expect([resumed.isReused, resumed.status]).toEqual([true, 200]);
      expect(seenByOrigin('client-cert')).toBe(asField(member));
      for (const [options, detail] of [
        [{}, 'client_certificate_missing'],
        [rival, 'client_certificate_invalid'],
      ] as const) {
        const { session } = await begin('club.example', version, options);
        const again = await begin('club.example', version, { session });
        expect([again.isReused, again.detail]).toEqual([true, detail]);
      }
    },
  );

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'open no other site, nor the same one under new authorities: %s',
    async (version) => {
      const { session } = await begin('club.example', version, member);
      for (const host of ['rivals.example', 'guests.example', 'open.example']) {
        const other = await begin(host, version, { session });
        expect([host, other.isReused]).toEqual([host, false]);
        expect(other.detail).toBe(host === 'rivals.example' ? 'client_certificate_missing' : '');
      }
      const open = await connect('club.example', member);
      expect((await ask(open, 'club.example')).status).toBe(200);
      edge.publish(sites(rivalsAuthority.certificate));
      const after = await begin('club.example', version, { session });
      expect([after.isReused, after.detail]).toEqual([false, 'client_certificate_missing']);
      expect((await ask(open, 'club.example')).status).toBe(421);
      open.destroy();
    },
  );
});
