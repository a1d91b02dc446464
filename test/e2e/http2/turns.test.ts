/** Connections write in turns, those of HTTP/2 too. */
import { expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { MAX_31, SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_UPDATE } from '#edge/http2/frame.ts';
import { uint32 } from '../../support/http2-client.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';
import { startHttp2Lab } from './http2-lab.ts';

test('a small request does not wait until many large responses are written', async () => {
  const part = new Uint8Array(65_536);
  const [clients, parts] = [60, 32];
  let written = 0;
  let writtenBefore = -1;
  await using lab = await startHttp2Lab();
  lab.handlers.set('/large', (exchange) => {
    const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
    const produce = async () => {
      for (let i = 0; i < parts; i += 1) {
        written += part.length;
        await sink.write(part);
      }
      await sink.end();
    };
    produce().catch(() => {});
  });
  lab.handlers.set('/small', (exchange) => {
    writtenBefore = written;
    exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from('small'));
  });
  // Neither windows nor kernels hold anybody up.
  const settings = [[SETTINGS_INITIAL_WINDOW_SIZE, MAX_31]] as const;
  const large = await Promise.all(Array.from({ length: clients }, () => lab.connect({ settings })));
  const small = await openRawClient(lab.listener.http);
  for (const client of large) {
    await client.settled();
    client.send(WINDOW_UPDATE, 0, 0, uint32(MAX_31 - 65_535));
  }
  await until('all are accepted', () => lab.listener.listeners.statistics().http?.open === clients + 1);
  for (const client of large) {
    client.socket.pause();
    client.request(1, '/large');
  }
  small.write('GET /small HTTP/1.1\r\nHost: example.com\r\n\r\n');
  expect((await small.readResponse()).text).toBe('small');
  expect(writtenBefore).toBeLessThan((clients * parts * part.length) / 4);
  for (const client of large) client.destroy();
  small.destroy();
});
