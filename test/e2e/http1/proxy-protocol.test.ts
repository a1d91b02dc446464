/** Listeners behind load balancers: PROXY protocol version 2 on real sockets, plain and before TLS. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fields } from '#core/http/fields.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { ConnectionInfo, Exchange } from '#edge/exchange.ts';
import { proxyHeader } from '../../support/proxy-header.ts';
import { openRawClient, type RawResponse } from '../../support/raw-client.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
const TRUSTED = ['192.0.2.0/24', '127.0.0.0/8'];

let certificates: Certificate[] = [];
beforeAll(async () => {
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['example.com']);
  certificates = [{ hosts: ['example.com'], certificatePem: cert, privateKeyPem: key }];
});

const opened: Socket[] = [];
afterAll(() => {
  for (const socket of opened) socket.destroy();
});

async function start(
  limits: Parameters<typeof startTestListener>[1] = {},
  sources: readonly string[] = TRUSTED,
) {
  const seen: ConnectionInfo[] = [];
  const handler = (exchange: Exchange) => {
    seen.push(exchange.connection);
    exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from('hi'));
  };
  const listener = await startTestListener(handler, limits, certificates, { proxySources: sources });
  return {
    ...listener,
    seen,
    refusals: () => listener.listeners.statistics().refusals,
    [Symbol.asyncDispose]: () => listener.listeners.close(0),
  };
}

/** A connection of a load balancer that has sent `first`. */
async function balance(port: number, first: Uint8Array): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  opened.push(socket);
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.setNoDelay(true);
  if (first.length > 0) socket.write(first);
  return socket;
}

/** A load balancer with one client: writes `header` cut at `cut`, the later part with the client's first bytes. */
async function startBalancer(port: number, header: Buffer, cut: number) {
  const server = createServer((client) => {
    const edge = connect({ host: '127.0.0.1', port, noDelay: true });
    opened.push(client, edge);
    client.on('error', () => {});
    edge.on('error', () => {});
    edge.once('connect', () => {
      if (cut > 0) edge.write(header.subarray(0, cut));
      client.once('data', (first: Buffer) => {
        edge.write(Buffer.concat([header.subarray(cut), first]));
        client.pipe(edge);
      });
      edge.pipe(client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

async function requestOverTls(port: number): Promise<RawResponse> {
  const client = await openRawClient({ address: '127.0.0.1', port, tls: { serverName: 'example.com' } });
  client.write(GET);
  const response = await client.readResponse();
  client.destroy();
  return response;
}

describe('a plain listener', () => {
  test('takes the ends of a connection from the header, with the request in the same segment', async () => {
    await using listener = await start();
    const client = await openRawClient(listener.http);
    client.write(Buffer.concat([proxyHeader({ withChecksum: true }), Buffer.from(GET)]));
    expect((await client.readResponse()).text).toBe('hi');
    client.write(GET);
    expect((await client.readResponse()).text).toBe('hi');
    const ends = {
      clientAddress: '203.0.113.7',
      clientPort: 56_324,
      localAddress: '192.0.2.1',
      localPort: 443,
    };
    expect(listener.seen).toEqual(
      [0, 1].map(() => ({ ...ends, scheme: 'http', tls: null, alternative: null })),
    );
    client.destroy();
  });

  test('takes IPv6, and its own ends where the balancer speaks for itself or knows none', async () => {
    await using listener = await start();
    for (const [header, address] of [
      [proxyHeader({ client: '2001:db8::7', local: '2001:db8::1' }), '2001:db8::7'],
      [proxyHeader({ versionAndCommand: 0x20 }), '127.0.0.1'],
      [proxyHeader({ family: 0, block: Buffer.alloc(40) }), '127.0.0.1'],
    ] as const) {
      const client = await openRawClient(listener.http);
      client.write(Buffer.concat([header, Buffer.from(GET)]));
      expect((await client.readResponse()).text).toBe('hi');
      expect(listener.seen.at(-1)?.clientAddress).toBe(address);
      client.destroy();
    }
  });

  test('however header and request are cut', async () => {
    await using listener = await start();
    const message = Buffer.concat([proxyHeader({ withChecksum: true }), Buffer.from(GET)]);
    for (let cut = 1; cut < message.length; cut += 1) {
      const client = await openRawClient(listener.http);
      client.write(message.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.write(message.subarray(cut));
      client.end();
      expect((await client.readResponse()).text).toBe('hi');
      client.destroy();
    }
    expect(listener.seen.every(({ clientAddress }) => clientAddress === '203.0.113.7')).toBe(true);
    expect(listener.seen.length).toBe(message.length - 1);
  });

  test('byte by byte too', async () => {
    await using listener = await start();
    const client = await openRawClient(listener.http);
    for (const byte of Buffer.concat([proxyHeader(), Buffer.from(GET)])) {
      client.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.readResponse()).text).toBe('hi');
    client.destroy();
  });
});

describe('a TLS listener', () => {
  test('takes the header before the handshake, and tells what it says', async () => {
    await using listener = await start();
    const header = proxyHeader();
    await using balancer = await startBalancer(listener.https.port, header, header.length);
    expect((await requestOverTls(balancer.port)).text).toBe('hi');
    expect(listener.seen[0]).toMatchObject({
      clientAddress: '203.0.113.7',
      clientPort: 56_324,
      localPort: 443,
      scheme: 'https',
      tls: { serverName: 'example.com' },
    });
    await until('it is let go', () => listener.listeners.statistics().https?.open === 0);
  });

  test('takes header and ClientHello in one segment, and cut at any byte of the header', async () => {
    await using listener = await start();
    const header = proxyHeader({ withChecksum: true });
    for (let cut = 0; cut < header.length; cut += 1) {
      await using balancer = await startBalancer(listener.https.port, header, cut);
      expect((await requestOverTls(balancer.port)).text).toBe('hi');
    }
    expect(listener.seen.every(({ clientAddress }) => clientAddress === '203.0.113.7')).toBe(true);
    expect(listener.seen.length).toBe(header.length);
    await until('all are let go', () => listener.listeners.statistics().https?.open === 0);
  }, 30_000);

  test('has its deadline for the handshake behind the header', async () => {
    await using listener = await start({ handshakeMs: 200 });
    const client = await openRawClient({ ...listener.https });
    client.write(proxyHeader());
    await client.closed;
    await until('it is counted', () => listener.refusals()['handshake-too-slow'] === 1);
    await until('it is let go', () => listener.listeners.statistics().https?.open === 0);
  });
});

describe('bounds', () => {
  test('are of the clients, not of the balancer', async () => {
    await using listener = await start({ connectionsPerAddressMax: 2 });
    const clients = [];
    for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.1', '203.0.113.2']) {
      const client = await openRawClient(listener.http);
      client.write(Buffer.concat([proxyHeader({ client: address }), Buffer.from(GET)]));
      expect((await client.readResponse()).text).toBe('hi');
      clients.push(client);
    }
    const third = await openRawClient(listener.http);
    third.write(Buffer.concat([proxyHeader({ client: '203.0.113.1' }), Buffer.from(GET)]));
    await third.closed;
    expect(listener.refusals()).toEqual({ 'connections-per-address-max': 1 });
    clients[0]?.destroy();
    await until('there is room', () => listener.listeners.statistics().http?.open === 3);
    const fourth = await openRawClient(listener.http);
    fourth.write(Buffer.concat([proxyHeader({ client: '203.0.113.1' }), Buffer.from(GET)]));
    expect((await fourth.readResponse()).text).toBe('hi');
    for (const client of [...clients, fourth]) client.destroy();
  });

  test('of handshakes too', async () => {
    await using listener = await start({ handshakesPerAddressMax: 1 });
    for (const address of ['203.0.113.1', '203.0.113.2']) {
      await balance(listener.https.port, proxyHeader({ client: address }));
    }
    await until('both shake hands', () => listener.listeners.statistics().https?.open === 2);
    await balance(listener.https.port, proxyHeader({ client: '203.0.113.2' }));
    await until('one is too many', () => listener.refusals()['handshakes-per-address-max'] === 1);
  });

  test('of all connections hold before the header has come', async () => {
    await using listener = await start({ connectionsMax: 1 });
    const silent = await openRawClient(listener.http);
    await until('it is counted', () => listener.listeners.statistics().http?.open === 1);
    const second = await openRawClient(listener.http);
    await second.closed;
    expect(listener.refusals()).toEqual({ 'connections-max': 1 });
    silent.destroy();
    await until('there is room', () => listener.listeners.statistics().http?.open === 0);
  });
});

describe('refused with a reset, counted, and nothing of it answered', () => {
  const wrong: [string, Uint8Array, string][] = [
    ['no header', Buffer.from(GET), 'proxy-header-missing'],
    ['version 1', Buffer.from(`PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${GET}`), 'proxy-version-1'],
    ['a header that is malformed', proxyHeader({ block: Buffer.alloc(3) }), 'proxy-addresses-cut'],
    ['one that is damaged', proxyHeader({ fields: [[3, Buffer.alloc(4)]] }), 'proxy-checksum-wrong'],
  ];
  for (const [name, bytes, reason] of wrong) {
    test(name, async () => {
      await using listener = await start();
      for (const { port } of [listener.http, listener.https]) {
        const client = await openRawClient({ address: '127.0.0.1', port });
        client.write(bytes);
        expect((await client.readToEnd()).length).toBe(0);
        await client.closed;
      }
      expect(listener.refusals()).toEqual({ [reason]: 2 });
      expect(listener.seen).toEqual([]);
    });
  }

  test('a header that trickles, or that ends halfway', async () => {
    await using listener = await start({ proxyHeaderMs: 200, tickMs: 50 });
    const slow = await openRawClient(listener.http);
    const header = proxyHeader({ fields: [[4, Buffer.alloc(3000)]] });
    let sent = 0;
    const trickle = setInterval(() => slow.write(header.subarray(sent, ++sent)), 10);
    expect((await slow.readToEnd()).length).toBe(0);
    clearInterval(trickle);
    const cut = await openRawClient(listener.http);
    cut.write(header.subarray(0, 20));
    cut.end();
    await cut.closed;
    expect(listener.refusals()).toEqual({ 'proxy-header-too-slow': 1, 'proxy-header-incomplete': 1 });
    await until('both are let go', () => listener.listeners.statistics().http?.open === 0);
  });

  test('a source that is not named, whatever it sends', async () => {
    await using listener = await start({}, ['192.0.2.0/24', '2001:db8::/32']);
    for (const first of [proxyHeader(), Buffer.from(GET)]) {
      const client = await openRawClient(listener.http).catch(() => null);
      client?.write(first);
      await client?.closed;
    }
    expect(listener.refusals()).toEqual({ 'proxy-source-untrusted': 2 });
    expect(listener.seen).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => void probe.close(() => resolve()));
  return port;
}

/** HAProxy before both listeners, in TCP mode, with all that it can say in its headers. */
async function startHaproxy(http: number, https: number) {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-haproxy-'));
  const [plain, secure] = [await freePort(), await freePort()];
  const options = 'send-proxy-v2 proxy-v2-options crc32c,ssl,cert-cn,unique-id';
  const file = join(folder, 'haproxy.cfg');
  const common = 'mode tcp\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s';
  const section = (name: string, bind: number, port: number) =>
    `listen ${name}\n  ${common}\n  bind 127.0.0.1:${bind}\n  server edge 127.0.0.1:${port} ${options}\n`;
  writeFileSync(file, section('plain', plain, http) + section('secure', secure, https));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  return {
    plain,
    secure,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

// An independent sender; not every machine has it.
const HAS_HAPROXY = spawnSync('haproxy', ['-v']).error === undefined;
test.skipIf(!HAS_HAPROXY)('HAProxy is understood, plain and with TLS behind', async () => {
  await using listener = await start();
  await using haproxy = await startHaproxy(listener.http.port, listener.https.port);
  const address = '127.0.0.1';
  const plain = await until('HAProxy is there', () =>
    openRawClient({ address, port: haproxy.plain }).catch(() => null),
  );
  plain.write(GET);
  expect((await plain.readResponse()).text).toBe('hi');
  const clientPort = plain.socket.localPort as number;
  expect(listener.seen.at(-1)).toMatchObject({
    clientAddress: address,
    clientPort,
    localPort: haproxy.plain,
  });
  expect((await requestOverTls(haproxy.secure)).text).toBe('hi');
  expect(listener.seen.at(-1)).toMatchObject({
    localPort: haproxy.secure,
    tls: { serverName: 'example.com' },
  });
  expect(listener.refusals()).toEqual({});
  plain.destroy();
});

test('closing cuts those whose header has not come', async () => {
  await using listener = await start();
  const waiting = [await openRawClient(listener.http), await openRawClient({ ...listener.https })];
  await until('both are there', () => listener.listeners.statistics().https?.open === 1);
  await until('both are there', () => listener.listeners.statistics().http?.open === 1);
  await listener.listeners.close(20_000);
  for (const client of waiting) await client.closed;
});
