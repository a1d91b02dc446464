import { expect, test } from 'bun:test';
import { connect, createServer } from 'node:net';
import { openListeningSocket } from './listening-socket.ts';

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
