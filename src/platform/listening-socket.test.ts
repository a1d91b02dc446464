import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { openListeningSocket, restoreBacklog } from './listening-socket.ts';

/** A port that was free a moment ago. */
function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0));
    });
  });
}

test.each(['127.0.0.1', '::1'])(
  'at %s, connections wait for a server that takes the descriptor later',
  async (address) => {
    const port = await freePort(address);
    const descriptor = openListeningSocket(address, port);
    expect(descriptor).not.toBeNull();
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connect(port, address);
      socket.on('data', (bytes) => resolve(bytes.toString()));
      socket.on('error', reject);
    });
    const server = createServer((socket) => socket.end('here'));
    await new Promise<void>((resolve) => server.listen({ fd: descriptor ?? -1 }, resolve));
    expect(await answer).toBe('here');
    server.close();
  },
);

test('a port in use gives nothing instead of a broken socket', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  expect(openListeningSocket('127.0.0.1', port)).toBeNull();
  server.close();
});

/** More than Bun's listen leaves room for. */
const waiting = 700;
const isBoundLower = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) < waiting;

const unlessBoundLower = test.skipIf(isBoundLower);

unlessBoundLower('after a server has listened on it, as many connections wait as before', async () => {
  const port = await freePort('127.0.0.1');
  const descriptor = openListeningSocket('127.0.0.1', port) ?? -1;
  const script = `require('node:net').createServer().listen({ fd: 3 }, () => process.exit(0))`;
  const stdio = ['ignore', 'inherit', 'inherit', descriptor] as const;
  expect(await Bun.spawn([process.execPath, '-e', script], { stdio: [...stdio] }).exited).toBe(0);
  restoreBacklog(descriptor);
  const sockets: Socket[] = [];
  const connected = Array.from({ length: waiting }, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    sockets.push(connect(port, '127.0.0.1', resolve).on('error', reject));
    return promise;
  });
  await Promise.all(connected);
  for (const socket of sockets) socket.destroy();
});
