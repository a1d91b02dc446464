import { expect, test } from 'bun:test';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { until } from '../../../test/support/until.ts';
import { FrameOutput, FrameScratch } from './output.ts';

test('over TLS, what a turn flushes waits its turn and is sent as it was written', async () => {
  const server = createServer(await (await createTestAuthority()).issue(['localhost']));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepting = once(server, 'secureConnection');
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  const [accepted] = (await accepting) as [TLSSocket];
  const received: Buffer[] = [];
  let length = 0;
  client.on('data', (chunk: Buffer) => {
    received.push(chunk);
    length += chunk.length;
  });

  const output = new FrameOutput(accepted, new FrameScratch());
  const due: Buffer[] = [];
  for (let i = 0; i < 20; i += 1) {
    const frames = Buffer.alloc(100 + i * 700, 65 + i);
    due.push(frames);
    output.writeRaw(frames);
    output.flush();
  }
  const all = Buffer.concat(due);
  await until('all has arrived', () => length >= all.length);
  expect(Buffer.concat(received).equals(all)).toBe(true);
  client.destroy();
  accepted.destroy();
  server.close();
});
