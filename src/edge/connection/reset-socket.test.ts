import { describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { openRawClient } from '../../../test/support/raw-client.ts';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { resetSocket } from './reset-socket.ts';

/** A connection, and how it ended for the client: 'end', or the code of its error. */
async function openPair(isSecure: boolean) {
  const certificate = await (await createTestAuthority()).issue(['localhost']);
  const server = isSecure ? createTlsServer(certificate) : createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepting = once(server, isSecure ? 'secureConnection' : 'connection');
  const tls = isSecure ? { tls: { serverName: null } } : {};
  const client = await openRawClient({ address: '127.0.0.1', port, ...tls });
  const outcome = new Promise<string>((resolve) => {
    client.socket.once('end', () => resolve('end'));
    client.socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
  const [accepted] = (await accepting) as [Socket];
  accepted.on('error', () => {});
  return { accepted, client, outcome, [Symbol.dispose]: () => void server.close() };
}

describe('resetSocket', () => {
  test('fails a plain connection', async () => {
    using pair = await openPair(false);
    resetSocket(pair.accepted);
    expect(await pair.outcome).toBe('ECONNRESET');
    await pair.client.closed;
  });

  test('closes a connection whose own side has ended, or is about to', async () => {
    for (const isEnding of [true, false]) {
      using pair = await openPair(false);
      const closed = once(pair.accepted, 'close');
      pair.accepted.end();
      if (!isEnding) await once(pair.accepted, 'finish');
      resetSocket(pair.accepted);
      await closed;
      expect(await pair.outcome).toBe('end');
      await pair.client.closed;
    }
  });

  test('fails a connection whose own side ends when more has been sent', async () => {
    using pair = await openPair(false);
    pair.client.stopReading();
    pair.accepted.write(Buffer.alloc(50_000_000));
    pair.accepted.end();
    resetSocket(pair.accepted);
    pair.client.startReading();
    expect(await pair.outcome).toBe('ECONNRESET');
    await pair.client.closed;
  });

  test('ends a TLS connection, which not every runtime can reset', async () => {
    using pair = await openPair(true);
    const closed = once(pair.accepted, 'close');
    resetSocket(pair.accepted);
    await closed;
    await pair.outcome;
    await pair.client.closed;
  });
});
