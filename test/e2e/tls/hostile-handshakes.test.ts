/** Clients that mean no handshake: silent, slow, broken or too many. They cost little, and not for long. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { Fields } from '#core/http/fields.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { ListenLimits } from '#edge/connection/context.ts';
import type { Exchange } from '#edge/exchange.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { extension, extensionsFor, helloMessage, records } from '../../support/client-hello.ts';
import { proxyHeader } from '../../support/proxy-header.ts';
import { openRawClient, type RawClient } from '../../support/raw-client.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
/** Deadlines that a test waits for, ms; others are far beyond its end. */
const SOON = { handshakeMs: 200, tickMs: 20 };
const HELLO = records(helloMessage({ suites: [0xc02b], extensions: extensionsFor('example.com') }));

let certificate: Certificate;

beforeAll(async () => {
  const { key, cert } = await (await createTestAuthority()).issue(['example.com']);
  certificate = { hosts: ['example.com'], certificatePem: cert, privateKeyPem: key };
});

function answer(exchange: Exchange): void {
  exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from('hi'));
}

function start(limits: Partial<ListenLimits>, proxySources: readonly string[] | null = null) {
  return startTestListener(answer, limits, [certificate], { proxySources });
}

function refusals({ listeners }: TestListener): Readonly<Record<string, number>> {
  return listeners.statistics().refusals;
}

async function expectService(listener: TestListener): Promise<void> {
  const client = await openRawClient({ ...listener.https, tls: { serverName: 'example.com' } });
  client.write(GET);
  expect((await client.readResponse()).text).toBe('hi');
  client.destroy();
}

function allLetGo(listener: TestListener): Promise<boolean> {
  return until('all are let go', () => listener.listeners.statistics().https?.open === 0);
}

describe('a client that does not get on with its handshake is cut at its deadline', () => {
  test.each<[string, (client: RawClient) => void]>([
    ['says nothing', () => {}],
    ['sends one byte', (client) => client.write(HELLO.subarray(0, 1))],
    ['sends half a ClientHello', (client) => client.write(HELLO.subarray(0, HELLO.length >> 1))],
    ['sends all but its last byte', (client) => client.write(HELLO.subarray(0, -1))],
    ['sends a ClientHello and nothing more', (client) => client.write(HELLO)],
    [
      'sends a ClientHello and half of what is due then',
      (client) => client.write(Buffer.concat([HELLO, Buffer.from([22, 3, 3, 0, 70, 16])])),
    ],
  ])('who %s', async (_, act) => {
    await using listener = await start(SOON);
    const client = await openRawClient(listener.https);
    act(client);
    await client.closed;
    await until('it is counted', () => refusals(listener)['handshake-too-slow'] === 1);
    expect(Object.keys(refusals(listener))).toEqual(['handshake-too-slow']);
    await allLetGo(listener);
    await expectService(listener);
  });

  test.each([
    ['one record', 16_384],
    ['records of one byte', 1],
  ])('who sends a ClientHello byte by byte, in %s: bytes are no progress', async (_, size) => {
    await using listener = await start(SOON);
    const whole = records(
      helloMessage({ extensions: extension(21, new Array<number>(2_000).fill(0)) }),
      size,
    );
    const client = await openRawClient(listener.https);
    let sent = 0;
    const trickle = setInterval(() => {
      client.write(whole.subarray(sent, sent + 1));
      sent += 1;
    }, 2);
    await client.closed;
    clearInterval(trickle);
    expect(sent).toBeLessThan(whole.length);
    await until('it is counted', () => refusals(listener)['handshake-too-slow'] === 1);
    await expectService(listener);
  });

  test('and a handshake within its time is not cut afterwards', async () => {
    await using listener = await start(SOON);
    const client = await openRawClient({ ...listener.https, tls: { serverName: 'example.com' } });
    const silent = await openRawClient(listener.https);
    await silent.closed;
    client.write(GET);
    expect((await client.readResponse()).text).toBe('hi');
    client.destroy();
  });
});

describe('what is no handshake is refused at once', () => {
  const ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
  const DATA = Buffer.from([23, 3, 3, 0, 4, 1, 2, 3, 4]);
  test.each<[string, Uint8Array | string, string]>([
    ['plain HTTP', GET, 'client-hello-unreadable'],
    ['HTTP/2 in the clear', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'client-hello-unreadable'],
    ['a PROXY header', proxyHeader(), 'client-hello-unreadable'],
    ['zeros', Buffer.alloc(100_000), 'client-hello-unreadable'],
    ['an alert', ALERT, 'client-hello-unreadable'],
    ['application data', DATA, 'client-hello-unreadable'],
    ['a ServerHello', records([2, 0, 0, 1, 0]), 'client-hello-unreadable'],
    [
      'a ClientHello without room for its name',
      records(helloMessage({ extensions: extension(0, [0, 9, 0]) })),
      'client-hello-unreadable',
    ],
    ['a record that announces too much', Buffer.from([22, 3, 1, 0xff, 0xff]), 'client-hello-unreadable'],
    [
      'a ClientHello that announces megabytes',
      Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]),
      'client-hello-too-large',
    ],
    [
      'a ClientHello of no suite that we know',
      records(helloMessage({ suites: [0x0a0a], extensions: extensionsFor('example.com') })),
      'handshake-failed',
    ],
    [
      'a ClientHello and then junk',
      Buffer.concat([HELLO, Buffer.from('junk'.repeat(20))]),
      'handshake-failed',
    ],
    ['a ClientHello and then application data', Buffer.concat([HELLO, DATA]), 'handshake-failed'],
    ['two ClientHellos', Buffer.concat([HELLO, HELLO]), 'handshake-failed'],
  ])('%s', async (_, bytes, reason) => {
    await using listener = await start({});
    const client = await openRawClient(listener.https);
    client.write(bytes);
    await client.closed;
    await until('it is counted', () => refusals(listener)[reason] === 1);
    expect(Object.keys(refusals(listener))).toEqual([reason]);
    await allLetGo(listener);
    await expectService(listener);
  });

  test('a client that leaves in the middle leaves nothing behind', async () => {
    await using listener = await start({});
    let left = 0;
    for (const bytes of [HELLO.subarray(0, 0), HELLO.subarray(0, 40), HELLO]) {
      for (const leave of ['end', 'destroy', 'reset'] as const) {
        const client = await openRawClient(listener.https);
        client.write(bytes);
        if (bytes === HELLO) await client.readBytes(5);
        client[leave]();
        await client.closed;
        left += 1;
      }
    }
    await until('all are counted', () => refusals(listener)['handshake-failed'] === left);
    await allLetGo(listener);
    await expectService(listener);
  });

  test('a ClientHello cut at any byte is one all the same', async () => {
    await using listener = await start({});
    for (let cut = 1; cut < HELLO.length; cut += 1) {
      const client = await openRawClient(listener.https);
      client.write(HELLO.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.write(HELLO.subarray(cut));
      expect((await client.readBytes(1))[0]).toBe(22);
      client.destroy();
    }
    await allLetGo(listener);
  });
});

/** Plain sockets, some of which are refused: those that stay, and how many did not. */
async function storm({ address, port }: ListenAddress, count: number, waves: number) {
  const held = new Set<Socket>();
  let refused = 0;
  for (let wave = 0; wave < waves; wave += 1) {
    const sockets = Array.from({ length: count / waves }, () => connectSocket({ host: address, port }));
    await Promise.all(
      sockets.map(async (socket) => {
        held.add(socket);
        socket.on('data', () => {});
        socket.on('error', () => {});
        socket.on('close', () => {
          held.delete(socket);
          refused += 1;
        });
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
      }),
    );
  }
  return { held, refused: () => refused };
}

describe('storms', () => {
  const opened: Set<Socket>[] = [];
  afterAll(() => {
    for (const sockets of opened) for (const socket of sockets) socket.destroy();
  });

  test('4,000 connections of one client: as many as it may have stay, the others are reset at once', async () => {
    const limits = { connectionsPerAddressMax: 1_000, handshakesPerAddressMax: 5_000, handshakesMax: 5_000 };
    await using listener = await start({ ...limits, handshakeMs: 600_000 });
    const { held, refused } = await storm(listener.https, 4_000, 8);
    opened.push(held);
    await until('the others are gone', () => refused() === 3_000);
    expect(refusals(listener)).toEqual({ 'connections-per-address-max': 3_000 });
    expect(listener.listeners.statistics().https).toEqual({ accepted: 4_000, open: 1_000 });
    for (const socket of held) socket.destroy();
    await allLetGo(listener);
    await expectService(listener);
  });

  test('handshakes over the bound are reset at once, of all and of one client', async () => {
    for (const [limits, reason] of [
      [{ handshakesMax: 100 }, 'handshakes-max'],
      [{ handshakesPerAddressMax: 100 }, 'handshakes-per-address-max'],
    ] as const) {
      await using listener = await start({ ...limits, handshakeMs: 600_000 });
      const { held, refused } = await storm(listener.https, 500, 1);
      opened.push(held);
      await until('the others are gone', () => refused() === 400);
      expect(refusals(listener)).toEqual({ [reason]: 400 });
      for (const socket of held) socket.destroy();
      await allLetGo(listener);
      await expectService(listener);
    }
  });

  test('finished handshakes make room for others, whatever the connections do', async () => {
    await using listener = await start({ handshakesMax: 2, handshakesPerAddressMax: 2 });
    const clients: RawClient[] = [];
    for (let i = 0; i < 20; i += 1) {
      clients.push(await openRawClient({ ...listener.https, tls: { serverName: 'example.com' } }));
    }
    for (const client of clients) {
      client.write(GET);
      expect((await client.readResponse()).text).toBe('hi');
      client.destroy();
    }
    expect(refusals(listener)).toEqual({});
  });
});

test('IPv6 clients count by their /64, in connections and in handshakes', async () => {
  const LOOPBACK = ['127.0.0.1/32'];
  for (const [limits, reason] of [
    [{ connectionsPerAddressMax: 3 }, 'connections-per-address-max'],
    [{ handshakesPerAddressMax: 3 }, 'handshakes-per-address-max'],
  ] as const) {
    await using listener = await start({ ...limits, handshakeMs: 600_000 }, LOOPBACK);
    const clients: RawClient[] = [];
    const come = async (client: string) => {
      const opened = await openRawClient(listener.https);
      opened.write(proxyHeader({ client, local: '2001:db8::1' }));
      clients.push(opened);
    };
    // One customer's network, however spread out.
    for (const address of ['2001:db8:7:1::1', '2001:db8:7:1:ffff::2', '2001:db8:7:1:0:1:0:3'])
      await come(address);
    await come('2001:db8:7:1:abcd:ef01:2345:6789');
    await until('the fourth is too many', () => refusals(listener)[reason] === 1);
    for (const address of ['2001:db8:7:2::1', '2001:db8:8:1::1', '2001:db9:7:1::1']) await come(address);
    await until('the neighbours are there', () => listener.listeners.statistics().https?.open === 6);
    expect(refusals(listener)).toEqual({ [reason]: 1 });
    for (const client of clients) client.destroy();
  }
});
