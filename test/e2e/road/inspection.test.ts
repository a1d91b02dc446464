/** What operators are told of what is stored: all of a URL, whatever has become of it, and what is used most. */
import { expect, test } from 'bun:test';
import type { CacheInspection, PopularResponses } from '#core/model/messages.ts';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { startHandlerOrigin } from '../../support/handler-origin.ts';

const URL_TEXT = 'http://www.example.com/a?x=1';

async function inspect(edge: TestEdge, url = URL_TEXT): Promise<CacheInspection> {
  const [reply] = await edge.control.request('inspect-cache', { url }, { timeoutMs: 5_000 });
  if (reply?.ok !== true) throw new Error('nobody answered');
  return reply.answer;
}

async function popular(edge: TestEdge, limit: number): Promise<PopularResponses> {
  const [reply] = await edge.control.request('popular', { limit }, { timeoutMs: 5_000 });
  if (reply?.ok !== true) throw new Error('nobody answered');
  return reply.answer;
}

const respond = () => ({
  fields: [
    ['Cache-Control', 'max-age=600'],
    ['ETag', '"one"'],
    ['Content-Type', 'text/plain'],
    ['Cache-Tag', 'page'],
    ['Vary', 'Accept-Language'],
  ] as const,
  body: 'body',
});

test('each variant is shown with its tier, state, age and validator', async () => {
  const clock = createTestClock();
  const origin = await startHandlerOrigin(clock, respond);
  await using edge = await startTestEdge({ clock, sites: [siteAt(origin.url)], memoryBytes: 2 ** 21 });
  for (const language of ['de', 'fr']) {
    await edge.request('/a?x=1', { fields: [['Accept-Language', language]] });
  }
  clock.advance(7);
  const { siteId, responses } = await inspect(edge);
  expect(siteId).toBe('shop');
  expect(responses.map(({ variesOn }) => variesOn).sort()).toEqual([
    ['accept-language: de'],
    ['accept-language: fr'],
  ]);
  expect(responses[0]).toMatchObject({
    tier: 'memory',
    state: 'fresh',
    status: 200,
    contentType: 'text/plain',
    bodyLength: 4,
    ageSeconds: 7,
    freshnessLifetimeSeconds: 600,
    etag: '"one"',
    lastModified: null,
    tags: ['page'],
  });
  const states = async () => (await inspect(edge)).responses.map(({ state }) => state);
  clock.advance(600);
  expect(await states()).toEqual(['stale', 'stale']);
  await edge.purge({ kind: 'tag', siteId: 'shop', tag: 'page' });
  expect(await states()).toEqual(['purged', 'purged']);
  expect((await inspect(edge, 'http://www.example.com/other')).responses).toEqual([]);
  expect(await inspect(edge, 'http://nobody.example/')).toMatchObject({ siteId: null, responses: [] });
  await origin.close();
});

test('what is used most comes first, counted from a sample, and is forgotten after some minutes', async () => {
  const clock = createTestClock();
  const origin = await startHandlerOrigin(clock, respond);
  await using edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
  for (let i = 0; i < 600; i++) await edge.request(i % 10 === 0 ? '/seldom' : '/often');
  const { responses } = await popular(edge, 2);
  expect(responses[0]).toMatchObject({ url: 'http://www.example.com/often', siteId: 'shop', bodyLength: 4 });
  // 540 in truth; of a sample of some 17.
  expect(responses[0]?.uses).toBeGreaterThan(200);
  expect(responses[0]?.uses).toBeLessThan(1_200);
  expect((await popular(edge, 1)).responses).toHaveLength(1);
  clock.advance(400);
  expect((await popular(edge, 2)).responses[0]?.url).toBe('http://www.example.com/often');
  clock.advance(800);
  expect((await popular(edge, 2)).responses).toEqual([]);
  await origin.close();
});
