/** No-Vary-Search: one stored response for all queries that its origin calls equal. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { createBarrier, type ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });
let count = 0;

beforeEach(async () => {
  clock = createTestClock();
  count = 0;
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

/** Each answer says which query it was for, and the how manieth it is. */
function answering(rule: string | null): Answer {
  return ({ method, target }) => ({
    fields: [
      ['Cache-Control', 'max-age=60'],
      ...(rule === null ? [] : [['No-Vary-Search', rule] as [string, string]]),
    ],
    body: method === 'GET' ? `${++count} for ${target}` : '',
  });
}

const read = async (target: string): Promise<string> => (await edge.request(target)).text;

test('NV2 equal queries share what is stored, others do not', async () => {
  answer = answering('key-order, params=("utm_source")');
  const first = await read('/a?id=1&utm_source=x');
  expect(first).toBe('1 for /a?id=1&utm_source=x');
  for (const equal of ['/a?id=1', '/a?utm_source=y&id=1', '/a?id=1&utm_source=z&utm_source']) {
    expect(await read(equal)).toBe(first);
  }
  expect((await edge.request('/a?utm_source=1&id=1')).field('cache-status')).toBe('Perigee; hit; ttl=60');
  expect(await read('/a?id=2')).toBe('2 for /a?id=2');
  expect(await read('/b?id=1')).toBe('3 for /b?id=1');
  expect((await edge.explain('http://www.example.com/a?utm_source=9&id=1')).cacheKey).toBe(
    'http://www.example.com/a?id=1',
  );
});

test('NV2 what does not say so itself answers its own query alone', async () => {
  answer = answering(null);
  expect(await read('/a')).toBe('1 for /a');
  answer = answering('params');
  const shared = await read('/a?x=1');
  expect(shared).toBe('2 for /a?x=1');
  answer = answering(null);
  expect(await read('/a?x=2')).toBe(shared);
  // The rule is given up with the first answer that does not say it.
  clock.advance(100);
  expect(await read('/a?x=3')).toBe('3 for /a?x=3');
  expect(await read('/a?x=4')).toBe('4 for /a?x=4');
  expect(await read('/a?x=3')).toBe('3 for /a?x=3');
});

test('NV2 an error that does not say so changes nothing for the others', async () => {
  edge.publish([siteAt(origin.url, { statusTtls: [{ status: '5xx', seconds: 5 }], staleIfErrorSeconds: 0 })]);
  answer = answering('params');
  await read('/a?x=1');
  clock.advance(100);
  answer = () => ({ status: 503, body: 'in trouble' });
  expect((await edge.request('/a?x=2')).status).toBe(503);
  expect((await edge.explain('http://www.example.com/a?x=9')).cacheKey).toBe('http://www.example.com/a');
  answer = answering('params');
  const shared = await read('/a?x=2');
  expect(shared).toBe('2 for /a?x=2');
  expect(await read('/a?x=3')).toBe(shared);
});

test('NV3 a purge or an unsafe request of any of the queries reaches it', async () => {
  answer = answering('params');
  expect(await read('/a?x=1')).toBe('1 for /a?x=1');
  await edge.purge({ kind: 'url', url: 'http://www.example.com/a?y=9' });
  expect(await read('/a?x=2')).toBe('2 for /a?x=2');
  await edge.request('/a?z', { method: 'DELETE' });
  expect(await read('/a?x=3')).toBe('3 for /a?x=3');
  await edge.purge({ kind: 'url', url: 'http://www.example.com/other' });
  expect(await read('/a?x=4')).toBe('3 for /a?x=3');
});

test('NV2 those who wait for one that turns out to be for another query ask anew', async () => {
  answer = answering('params');
  await read('/a?x=1');
  clock.advance(100);
  const mayAnswer = createBarrier();
  const usual = answering(null);
  answer = async (request, connection) => {
    await mayAnswer.opened;
    return usual(request, connection);
  };
  const clients = [await edge.begin('/a?x=2')];
  await until('it is asked for', () => origin.requests.length === 2);
  clients.push(await edge.begin('/a?x=3'));
  await until(
    'both have come',
    async () => ((await edge.status()).counters.perigee_edge_exchanges_total ?? 0) >= 3,
  );
  mayAnswer.open();
  const texts = await Promise.all(clients.map(async (client) => (await client.readResponse()).text));
  expect(texts).toEqual(['2 for /a?x=2', '3 for /a?x=3']);
  for (const client of clients) client.destroy();
});
