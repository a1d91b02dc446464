import { afterEach, describe, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { type DelayRelay, startDelayRelay } from './delay-relay.ts';

const LOOPBACK = { address: '127.0.0.1', port: 0 };
const closers: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that hands each connection to `serve`. */
async function listen(serve: (socket: net.Socket) => void): Promise<{ address: string; port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: '127.0.0.1', port: (server.address() as net.AddressInfo).port };
}

async function relayTo(
  target: { address: string; port: number },
  roundTripMs: (peer: string) => number,
): Promise<DelayRelay> {
  const relay = await startDelayRelay({ listen: LOOPBACK, target, roundTripMs });
  closers.push(() => relay.close());
  return relay;
}

function open(relay: DelayRelay, localAddress?: string): net.Socket {
  const socket = net.connect({
    host: relay.address,
    port: relay.port,
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  socket.on('error', () => {});
  closers.push(() => socket.destroy());
  return socket;
}

describe('the wire', () => {
  test('a handshake and a question with its answer take two round trips at least, the next question one', async () => {
    const target = await listen((socket) => socket.pipe(socket));
    const relay = await relayTo(target, () => 60);
    const startedAt = performance.now();
    const socket = open(relay);
    socket.write('first');
    expect(String((await once(socket, 'data'))[0])).toBe('first');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119);
    const askedAt = performance.now();
    socket.write('second');
    expect(String((await once(socket, 'data'))[0])).toBe('second');
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(59);
  });

  test('its length is that of the peer', async () => {
    const asked: string[] = [];
    const target = await listen((socket) => socket.pipe(socket));
    const relay = await relayTo(target, (peer) => {
      asked.push(peer);
      return 0;
    });
    for (const address of ['127.0.1.3', '127.0.0.1']) {
      const socket = open(relay, address);
      socket.write('x');
      await once(socket, 'data');
    }
    expect(asked).toEqual(['127.0.1.3', '127.0.0.1']);
  });

  test('every byte arrives in order, however slowly it is read, and the sender is held back', async () => {
    const sent = randomBytes(24 << 20);
    let accepted = 0;
    const target = await listen((socket) => {
      socket.write(sent, () => {
        accepted = sent.length;
      });
      socket.end();
    });
    const relay = await relayTo(target, () => 4);
    const socket = open(relay);
    socket.pause();
    await once(socket, 'connect');
    // The relay takes what its wire and the sockets' buffers hold, then nothing more.
    let last = -1;
    while (relay.bytesFromTarget() === 0 || relay.bytesFromTarget() !== last) {
      last = relay.bytesFromTarget();
      await Bun.sleep(50);
    }
    expect(relay.bytesFromTarget()).toBeLessThan(sent.length);
    expect(accepted).toBe(0);
    const digest = createHash('sha256');
    let bytes = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      digest.update(chunk);
      bytes += chunk.length;
    }
    expect(bytes).toBe(sent.length);
    expect(digest.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  }, 30_000);

  test('the end of one direction leaves the other open', async () => {
    const target = await listen((socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => socket.end(`got ${Buffer.concat(chunks)}`));
    });
    const socket = open(await relayTo(target, () => 10));
    socket.end('all of it');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toBe('got all of it');
  });

  test('a side that breaks off takes the other with it', async () => {
    const { promise: isGone, resolve: gone } = Promise.withResolvers<void>();
    const target = await listen((socket) => {
      socket.write('hello');
      socket.resume();
      socket.on('close', () => gone());
    });
    const relay = await relayTo(target, () => 2);
    const socket = open(relay);
    await once(socket, 'data');
    socket.resetAndDestroy();
    await isGone;
  });

  test('nobody at the other end: the connection is reset', async () => {
    const target = await listen(() => {});
    const unused = { ...target, port: 1 };
    const socket = open(await relayTo(unused, () => 0));
    // As a refused connection would be, not as an answer without bytes.
    await expect(once(socket.resume(), 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('an address that cannot be listened on is refused', async () => {
    const taken = await listen(() => {});
    expect(startDelayRelay({ listen: taken, target: taken, roundTripMs: () => 0 })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
