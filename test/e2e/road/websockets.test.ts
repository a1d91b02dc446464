/** WebSockets as users open them: a real client and a real server, with the edge between. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Server } from 'bun';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { fileOnBun } from '../../support/runtime.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { until } from '../../support/until.ts';
import { pattern } from '../http1/pattern.ts';

fileOnBun('client and origin are those of Bun');

let origin: Server<undefined>;
let edge: TestEdge;

/** Echoes; "bye" closes with a code and a reason. Takes the subprotocol "chat", and compresses. */
function startWebSocketOrigin(): Server<undefined> {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, server) {
      if (new URL(request.url).pathname === '/forbidden') return new Response('not for you', { status: 403 });
      const offered = request.headers.get('sec-websocket-protocol');
      const headers: Record<string, string> = offered === null ? {} : { 'Sec-WebSocket-Protocol': 'chat' };
      return server.upgrade(request, { headers, data: undefined })
        ? undefined
        : new Response('this is for WebSockets', { status: 426 });
    },
    websocket: {
      perMessageDeflate: true,
      maxPayloadLength: 16 * 1024 * 1024,
      message(socket, message) {
        if (message === 'bye') socket.close(4001, 'as you wish');
        else socket.send(message, true);
      },
    },
  });
}

beforeAll(async () => {
  origin = startWebSocketOrigin();
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['localhost']);
  edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt(`http://127.0.0.1:${origin.port}`, { hosts: ['127.0.0.1', 'localhost'] })],
    certificates: [{ hosts: ['localhost'], certificatePem: cert, privateKeyPem: key }],
  });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.stop(true);
});

interface Connected {
  readonly socket: WebSocket;
  next(): Promise<unknown>;
  readonly closed: Promise<CloseEvent>;
}

async function connect(scheme: 'ws' | 'wss', protocols: string[] = []): Promise<Connected> {
  const { port } = (scheme === 'ws' ? edge.running.http : edge.running.https) as ListenAddress;
  const url = `${scheme}://${scheme === 'ws' ? '127.0.0.1' : 'localhost'}:${port}/chat`;
  const socket = new WebSocket(url, {
    protocols,
    perMessageDeflate: true,
    tls: { rejectUnauthorized: false },
  });
  socket.binaryType = 'arraybuffer';
  const messages: unknown[] = [];
  socket.onmessage = ({ data }) => void messages.push(data);
  const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return { socket, closed, next: () => until('a message comes', () => messages.shift() ?? null) };
}

describe.each(['ws', 'wss'] as const)('%s', (scheme) => {
  test('messages go both ways, and closing passes on with its code and reason', async () => {
    const { socket, next, closed } = await connect(scheme);
    for (const text of ['hello', '', 'ünïcode', 'x'.repeat(100_000)]) {
      socket.send(text);
      expect(await next()).toBe(text);
    }
    socket.send('bye');
    const { code, reason } = await closed;
    expect([code, reason]).toEqual([4001, 'as you wish']);
  });

  test('a message of 5 MB arrives as it was sent', async () => {
    const { socket, next } = await connect(scheme);
    const bytes = pattern(5 * 1024 * 1024);
    socket.send(bytes);
    expect(Buffer.from((await next()) as ArrayBuffer).equals(bytes)).toBe(true);
    socket.close();
  }, 60_000);

  test('subprotocol and compression are agreed between the two', async () => {
    const { socket, next } = await connect(scheme, ['superchat', 'chat']);
    expect(socket.protocol).toBe('chat');
    expect(socket.extensions).toStartWith('permessage-deflate');
    const text = 'the same again and '.repeat(10_000);
    const before = (await edge.status()).counters.perigee_edge_tunnel_bytes_to_clients_total ?? 0;
    socket.send(text);
    expect(await next()).toBe(text);
    socket.close(1000);
    const bytes = await until('it is recorded', async () => {
      const now = (await edge.status()).counters.perigee_edge_tunnel_bytes_to_clients_total ?? 0;
      return now > before && now - before;
    });
    // What the edge carried was compressed: its length is not that of the text.
    expect(bytes).toBeLessThan(text.length / 10);
  });
});

test('many at a time do not mix', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => connect('ws')));
  for (const [i, { socket }] of all.entries()) for (let n = 0; n < 5; n += 1) socket.send(`${i}.${n}`);
  for (const [i, { next }] of all.entries())
    for (let n = 0; n < 5; n += 1) expect(await next()).toBe(`${i}.${n}`);
  expect((await edge.status()).counters.perigee_edge_tunnels_open).toBe(50);
  for (const { socket } of all) socket.close();
  await until('none is left', async () => (await edge.status()).counters.perigee_edge_tunnels_open === 0);
});

test('a handshake that the origin refuses fails at the client', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${edge.address.port}/forbidden`);
  const outcome = await new Promise((resolve) => {
    socket.onopen = () => resolve('opened');
    socket.onerror = () => resolve('refused');
  });
  expect(outcome).toBe('refused');
});
