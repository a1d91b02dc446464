/** Purges and invalidation: what was stored before is not served after, not even by a fill under way. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { PurgeTarget } from '#core/model/purge.ts';
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
let version = 1;
let answer: Answer;

const MORE_TAGS: readonly (readonly [string, string])[] = [
  ['Surrogate-Key', 'first surrogate'],
  ['Cache-Groups', '"a group", "another"'],
];

const versioned: Answer = (request) => ({
  fields: [
    ['Cache-Control', 'max-age=600'],
    ['Cache-Tag', request.target.includes('tagged') ? 'product-7, list' : 'other'],
    ...(request.target.includes('tagged') ? MORE_TAGS : []),
    ['Vary', 'X-Variant'],
  ],
  body: `version ${version} of ${request.target}`,
});

beforeEach(async () => {
  version = 1;
  answer = versioned;
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({
    clock,
    sites: [
      siteAt(origin.url, { hosts: ['www.example.com', 'example.com'] }),
      siteAt(origin.url, { id: 'other', hosts: ['other.example.com'] }),
    ],
  });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

const text = async (path: string, host?: string): Promise<string> =>
  (await edge.request(path, host === undefined ? {} : { host })).text;

const TARGETS: readonly [string, PurgeTarget, string, string][] = [
  ['URL', { kind: 'url', url: 'http://www.example.com/a/tagged' }, '/a/tagged', '/a/tagged2'],
  [
    'URL, written as https',
    { kind: 'url', url: 'https://example.com/a/%74agged#top' },
    '/a/tagged',
    '/a/other',
  ],
  ['prefix', { kind: 'prefix', siteId: 'shop', prefix: '/a/' }, '/a/tagged', '/b/tagged'],
  ['tag', { kind: 'tag', siteId: 'shop', tag: 'product-7' }, '/a/tagged', '/a/other'],
  ['tag of Surrogate-Key', { kind: 'tag', siteId: 'shop', tag: 'surrogate' }, '/a/tagged', '/a/other'],
  ['tag of Cache-Groups', { kind: 'tag', siteId: 'shop', tag: 'a group' }, '/a/tagged', '/a/other'],
];

describe('a purge', () => {
  for (const [name, target, purged, kept] of TARGETS) {
    test(`by ${name} takes what it names, and nothing else`, async () => {
      for (const path of [purged, kept]) expect(await text(path)).toBe(`version 1 of ${path}`);
      await text(purged, 'other.example.com');
      version = 2;
      await edge.purge(target);
      expect(await text(purged)).toBe(`version 2 of ${purged}`);
      expect(await text(kept)).toBe(`version 1 of ${kept}`);
      expect(await text(purged, 'other.example.com')).toBe(`version 1 of ${purged}`);
      expect((await edge.request(purged)).field('cache-status')).toContain('hit');
    });
  }

  test('of everything takes the whole site, and no other', async () => {
    for (const host of ['www.example.com', 'example.com', 'other.example.com']) await text('/x', host);
    version = 2;
    await edge.purge({ kind: 'everything', siteId: 'shop' });
    expect(await text('/x')).toBe('version 2 of /x');
    expect(await text('/x', 'example.com')).toBe('version 2 of /x');
    expect(await text('/x', 'other.example.com')).toBe('version 1 of /x');
  });

  test('of a host leaves the other host of the site alone', async () => {
    for (const host of ['www.example.com', 'example.com']) await text('/x', host);
    version = 2;
    await edge.purge({ kind: 'host', siteId: 'shop', host: 'example.com' });
    expect(await text('/x', 'example.com:8080')).toBe('version 2 of /x');
    expect(await text('/x')).toBe('version 1 of /x');
  });

  test('of a URL takes all its variants under every host of the site', async () => {
    const ask = async (variant: string, host: string) =>
      (await edge.request('/v', { host, fields: [['X-Variant', variant]] })).text;
    for (const variant of ['a', 'b']) {
      await ask(variant, 'www.example.com');
      await ask(variant, 'example.com');
    }
    version = 2;
    await edge.purge({ kind: 'url', url: 'http://www.example.com/v' });
    for (const variant of ['a', 'b']) {
      for (const host of ['www.example.com', 'example.com']) {
        expect(await ask(variant, host)).toBe('version 2 of /v');
      }
    }
  });

  const DURING: readonly [string, PurgeTarget][] = [
    ['URL', { kind: 'url', url: 'http://example.com/during/tagged' }],
    ['prefix', { kind: 'prefix', siteId: 'shop', prefix: '/during' }],
    ['tag', { kind: 'tag', siteId: 'shop', tag: 'list' }],
    ['host', { kind: 'host', siteId: 'shop', host: 'www.example.com' }],
    ['everything', { kind: 'everything', siteId: 'shop' }],
  ];
  for (const stage of ['before its head', 'in its body'] as const) {
    for (const [name, target] of DURING) {
      test(`by ${name} while a fill is ${stage}: served to who waited, not kept, not joined`, async () => {
        const mayFinish = createBarrier();
        const head =
          'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nCache-Tag: list\r\nContent-Length: 3\r\n\r\n';
        answer = async (_request, connection) => {
          if (stage === 'in its body') connection.write(`${head}o`);
          await mayFinish.opened;
          connection.write(stage === 'in its body' ? 'ld' : `${head}old`);
          return undefined;
        };
        const path = '/during/tagged';
        const waiting = await edge.begin(path);
        await until('the fetch is under way', () => origin.requests.length === 1);
        if (stage === 'in its body') await waiting.readHead();
        await edge.purge(target);
        answer = versioned;
        version = 2;
        expect(await text(path)).toBe(`version 2 of ${path}`);
        mayFinish.open();
        const old =
          stage === 'in its body' ? await waiting.readBytes(3) : (await waiting.readResponse()).body;
        expect(old.toString()).toBe('old');
        waiting.destroy();
        expect(await text(path)).toBe(`version 2 of ${path}`);
        expect(origin.requests.length).toBe(2);
      });
    }
  }

  test('is known to the explanation', async () => {
    const url = 'http://www.example.com/explained';
    expect(await edge.explain(url)).toMatchObject({
      siteId: 'shop',
      decision: 'forward (uri-miss)',
      stored: null,
    });
    await text('/explained');
    clock.advance(30);
    expect(await edge.explain(url)).toMatchObject({
      part: 'edge:a/0',
      cacheKey: 'http://www.example.com/explained',
      decision: 'reuse',
      stored: { status: 200, ageSeconds: 30, freshnessLifetimeSeconds: 600, isFresh: true, tags: ['other'] },
    });
    await edge.purge({ kind: 'everything', siteId: 'shop' });
    expect(await edge.explain(url)).toMatchObject({ decision: 'forward (uri-miss)', stored: null });
    expect(await edge.explain('http://nobody.example.net/')).toMatchObject({ siteId: null, stored: null });
    expect((await edge.explain('nonsense')).decision).toContain('refuse');
  });
});

describe('an unsafe request that succeeds', () => {
  test('invalidates its own URL and those its answer names on the same host', async () => {
    for (const path of ['/cart', '/list', '/kept']) await text(path);
    version = 2;
    answer = (request) =>
      request.method === 'POST'
        ? { status: 303, fields: [['Location', '/list']] }
        : versioned(request, undefined as never);
    expect((await edge.request('/cart', { method: 'POST', body: 'add=1' })).status).toBe(303);
    expect(origin.requests.at(-1)?.body.toString()).toBe('add=1');
    expect(await text('/cart')).toBe('version 2 of /cart');
    expect(await text('/list')).toBe('version 2 of /list');
    expect(await text('/kept')).toBe('version 1 of /kept');
  });

  test('keeps a fill that began before it out of the store', async () => {
    const mayFinish = createBarrier();
    answer = async (request) => {
      if (request.method === 'PUT') return { status: 204 };
      await mayFinish.opened;
      return { fields: [['Cache-Control', 'max-age=600']], body: 'before the change' };
    };
    const waiting = await edge.begin('/changed');
    await until('the fetch is under way', () => origin.requests.length === 1);
    expect((await edge.request('/changed', { method: 'PUT', body: 'x' })).status).toBe(204);
    mayFinish.open();
    expect((await waiting.readResponse()).text).toBe('before the change');
    waiting.destroy();
    answer = versioned;
    expect(await text('/changed')).toBe('version 1 of /changed');
  });

  test('invalidates nothing when it failed', async () => {
    await text('/kept');
    version = 2;
    answer = () => ({ status: 403 });
    expect((await edge.request('/kept', { method: 'DELETE' })).status).toBe(403);
    expect(await text('/kept')).toBe('version 1 of /kept');
  });
});
