import { expect, test } from 'bun:test';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { until } from '../../../test/support/until.ts';
import { OutputScratch } from '../connection/output-scratch.ts';
import { WriteTurns } from '../connection/write-turns.ts';
import { Output } from './output.ts';

/** One pair of TLS sockets after another; the client's side reads nothing until it is resumed. */
async function startPairs() {
  const { key, cert } = await (await createTestAuthority()).issue(['localhost']);
  const server = createServer({ key, cert });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open: TLSSocket[] = [];
  return {
    async pair(): Promise<{ accepted: TLSSocket; client: TLSSocket }> {
      const accepting = once(server, 'secureConnection');
      const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
      const [accepted] = (await accepting) as [TLSSocket];
      client.pause();
      open.push(client, accepted);
      return { accepted, client };
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

test('the shared scratch buffer can be written again although a TLS socket says bytes are pending', async () => {
  const pairs = await startPairs();
  const scratch = new OutputScratch();
  const { accepted, client } = await pairs.pair();
  const output = new Output(accepted, scratch, new WriteTurns(1_000_000_000), 65_536, () => {});
  const { bytes } = scratch;
  let sent = 0;
  // Turn by turn, each message begun with nothing pending, until the client's window is full.
  while (accepted.writableLength === 0) {
    const body = Buffer.alloc(16_384, 65 + (sent % 26));
    output.write('head', body, '');
    // A second one in the same turn waits behind it.
    output.write('next', body, '');
    expect(scratch.bytes).toBe(bytes);
    bytes.fill('!');
    sent += 2;
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(10_000);
  }
  const received: Buffer[] = [];
  let length = 0;
  client.on('data', (chunk: Buffer) => {
    received.push(chunk);
    length += chunk.length;
  });
  client.resume();
  await until('all has arrived', () => length === sent * 16_388);
  const all = Buffer.concat(received).toString('latin1');
  let due = '';
  for (let i = 0; i < sent; i += 2) {
    const body = String.fromCharCode(65 + (i % 26)).repeat(16_384);
    due += `head${body}next${body}`;
  }
  expect(all === due).toBe(true);
  pairs.close();
});
