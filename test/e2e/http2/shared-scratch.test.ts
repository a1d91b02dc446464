/** All HTTP/2 connections of a worker put their frames together in one buffer: none may get another's. */
import { expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import { connectHttp2 } from '../../support/http2-client.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const CONNECTIONS = 8;

/** The body in several writes of one turn, as a response that arrives from an origin may come. */
async function answerInSteps(exchange: Exchange): Promise<void> {
  const body = Buffer.from(exchange.request.target, 'latin1');
  const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, body.length);
  for (let at = 0; at < body.length; at += 6) {
    await sink.write(body.subarray(at, at + 6));
    await Promise.resolve();
  }
  await sink.end();
}

test('responses that are written in steps, many in one turn, reach their own clients whole', async () => {
  const waiting: Exchange[] = [];
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['example.com']);
  const certificate = { hosts: ['example.com'], certificatePem: cert, privateKeyPem: key };
  await using listener = await startTestListener((x) => void waiting.push(x), {}, [certificate]);
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => connectHttp2({ ...listener.https, tls: {} })),
  );
  for (const streamId of [1, 3, 5]) {
    for (const [n, client] of clients.entries()) client.request(streamId, `/of-client-${n}/${streamId}`);
    await until('all have asked', () => waiting.length === CONNECTIONS);
    await Promise.all(waiting.splice(0).map(answerInSteps));
    const bodies = clients.map(async (client) => (await client.response(streamId)).body.toString('latin1'));
    expect(await Promise.all(bodies)).toEqual(clients.map((_, n) => `/of-client-${n}/${streamId}`));
  }
  for (const client of clients) client.destroy();
});
