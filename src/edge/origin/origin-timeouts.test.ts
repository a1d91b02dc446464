/** How long an origin may take: the bound on the whole of an exchange, and what an origin's own settings change. */
import { describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#platform/clock.ts';
import {
  createTestClient,
  failureOf,
  originAt,
  readAll,
  requestTo,
} from '../../../test/support/origin-requests.ts';
import { type ScriptedConnection, startScriptedOrigin } from '../../../test/support/scripted-origin.ts';
import { createOriginClient } from './create-origin-client.ts';
import { ORIGIN_LIMITS } from './limits.ts';
import { limitsByOrigin } from './origin-timeouts.ts';

const NONE = { connectSeconds: null, firstByteSeconds: null, betweenBytesSeconds: null, totalSeconds: null };

/** Writes a piece over and over, far more often than any deadline asks for. */
async function trickle(connection: ScriptedConnection, piece: string): Promise<void> {
  let hasEnded = false;
  void connection.closed.then(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    connection.write(piece);
    await sleep(10);
  }
}

describe('the whole of an exchange has a bound, however steadily it goes on', () => {
  const LIMITS = { totalMs: 300, informsMax: 1_000_000 };

  const trickles: [string, string, string][] = [
    ['a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n', 'x'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
    ['a body until the end', 'HTTP/1.1 200 OK\r\n\r\n', 'x'],
  ];
  test.each(trickles)('%s', async (_, head, piece) => {
    const origin = await startScriptedOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(head);
      await trickle(connection, piece);
    });
    const client = createTestClient({ limits: LIMITS });
    // On a busy machine it may be over before the head is there.
    const failure = await failureOf(client.fetch(requestTo(origin.url)).then(({ body }) => readAll(body)));
    expect([failure.type, failure.message]).toEqual([
      'http_response_timeout',
      `127.0.0.1:${origin.port} did not finish within 300 ms`,
    ]);
    expect(client.connections()).toEqual({ open: 0, idle: 0 });
    await client.close();
    await origin.close();
  });

  test('interim responses without end, and a request that nobody ends', async () => {
    const origin = await startScriptedOrigin(async (connection) => {
      await connection.readHead();
      await trickle(connection, 'HTTP/1.1 103 Early Hints\r\n\r\n');
    });
    const client = createTestClient({ limits: LIMITS });
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('http_response_timeout');
    let isCancelled = false;
    const body = {
      length: null,
      // The client of ours sends no more, and does not go.
      read: () => new Promise<never>(() => {}),
      trailers: () => null,
      cancel: () => {
        isCancelled = true;
      },
    };
    const failure = await failureOf(client.fetch(requestTo(origin.url, { method: 'POST', body })));
    expect([failure.type, isCancelled]).toEqual(['http_response_timeout', true]);
    await client.close();
    await origin.close();
  });

  test('over HTTP/2 too', async () => {
    const server = createHttp2Server();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200 });
      const writing = setInterval(() => stream.write('x'), 10);
      stream.on('close', () => clearInterval(writing));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = createOriginClient({ egressAddress: null, clock: systemClock, limits: LIMITS });
    const request = requestTo(`http://127.0.0.1:${port}`, { origin: { http2: true } });
    const failure = await failureOf(client.fetch(request).then(({ body }) => readAll(body)));
    expect(failure.type).toBe('http_response_timeout');
    await client.close();
    server.close();
  });

  test('is not that of a tunnel', async () => {
    const origin = await startScriptedOrigin(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      await sleep(400);
      connection.write('still there');
    });
    const client = createTestClient({ limits: { totalMs: 100 } });
    const { tunnel } = await client.fetch(requestTo(origin.url, { upgrade: 'x' }));
    expect(Buffer.from((await tunnel?.source.read()) ?? []).toString()).toBe('still there');
    await client.close();
    await origin.close();
  });
});

describe("an origin's own settings", () => {
  test('stand in place of the bounds of all; what they leave out stays', () => {
    const limitsOf = limitsByOrigin(ORIGIN_LIMITS);
    expect(limitsOf(originAt('http://192.0.2.1'))).toBe(ORIGIN_LIMITS);
    const patient = originAt('http://192.0.2.1', {
      timeouts: { ...NONE, firstByteSeconds: 120, totalSeconds: 7 },
    });
    expect(limitsOf(patient)).toEqual({ ...ORIGIN_LIMITS, firstByteMs: 120_000, totalMs: 7_000 });
    expect(limitsOf(patient)).toBe(limitsOf(patient));
    const eager = originAt('http://192.0.2.1', { timeouts: { ...NONE, betweenBytesSeconds: 2 } });
    expect(limitsOf(eager)).toEqual({ ...ORIGIN_LIMITS, bodyIdleMs: 2_000 });
  });

  test('hold for connecting, the handshake, the first byte, the pauses and the whole', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const origin = await startScriptedOrigin(async (connection) => {
      const { target } = await connection.readRequest();
      if (target !== '/head') connection.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel');
    });
    const client = createTestClient({
      limits: { connectMs: 60_000 },
      lookup: () => new Promise(() => {}),
    });
    const fetched = async (url: string, timeouts: object, target = '/') => {
      const request = requestTo(url, { target, origin: { timeouts: { ...NONE, ...timeouts } } });
      return readAll((await client.fetch(request)).body);
    };
    const failures = await Promise.all(
      [
        fetched('http://nowhere.example', { connectSeconds: 1 }),
        fetched(`https://127.0.0.1:${port}`, { connectSeconds: 1 }),
        fetched(origin.url, { firstByteSeconds: 1 }, '/head'),
        fetched(origin.url, { betweenBytesSeconds: 1 }),
        fetched(origin.url, { totalSeconds: 1 }),
      ].map(failureOf),
    );
    expect(failures.map(({ type }) => type)).toEqual([
      'dns_error',
      'connection_timeout',
      'http_response_timeout',
      'connection_read_timeout',
      'http_response_timeout',
    ]);
    await client.close();
    await origin.close();
    silent.close();
  });
});
