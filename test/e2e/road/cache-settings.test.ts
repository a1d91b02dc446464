/** What a site says about caching, at work: keys, bypass, TTLs by status, cookies, request headers. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { SiteInput } from '#core/model/site.ts';
import {
  createTestClock,
  type RequestParts,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });

const KEPT: [string, string] = ['Cache-Control', 'max-age=60'];

beforeEach(async () => {
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

async function configure(more: Partial<SiteInput>): Promise<void> {
  edge.publish([siteAt(origin.url, more)]);
}

const asks = async (path: string, fields: RequestParts['fields'] = []): Promise<string> =>
  (await edge.request(path, { fields })).text;

describe('the cache key', () => {
  test('CK3 parameters that do not count reach neither key nor origin', async () => {
    await configure({ cacheKey: { query: { include: 'except', names: ['utm_*'], sorted: true } } });
    answer = (request) => ({ fields: [KEPT], body: request.target });
    expect(await asks('/a?utm_source=x&b=1&a=2')).toBe('/a?a=2&b=1');
    expect(await asks('/a?b=1&a=2&utm_campaign=y')).toBe('/a?a=2&b=1');
    expect(origin.requests.length).toBe(1);
    // What is never stored goes whole.
    expect((await edge.request('/a?b=1&utm_id=2', { method: 'PUT', body: 'x' })).text).toBe(
      '/a?b=1&utm_id=2',
    );
  });

  test('CK2 a purge and an unsafe request by any spelling of the URL reach it', async () => {
    await configure({ cacheKey: { query: { include: 'only', names: ['id'] }, cookies: ['theme'] } });
    let count = 0;
    answer = () => ({ fields: [KEPT], body: String(++count) });
    const read = (theme: string): Promise<string> => asks('/a?id=1&x=2', [['Cookie', `theme=${theme}`]]);
    expect([await read('dark'), await read('light'), await read('dark')]).toEqual(['1', '2', '1']);
    await edge.purge({ kind: 'url', url: 'http://www.example.com/a?y=9&id=1' });
    expect([await read('dark'), await read('light'), await read('light')]).toEqual(['3', '4', '4']);
    await edge.request('/a?z&id=1', { method: 'DELETE' });
    expect([await read('dark'), await read('light')]).toEqual(['6', '7']);
    await edge.purge({ kind: 'url', url: 'http://www.example.com/a?y=9&id=1' }, { soft: true });
    expect([await read('dark'), await read('light')]).toEqual(['8', '9']);
  });

  test('CK4 headers, cookies and the kind of device part what is stored, and the origin is told', async () => {
    await configure({ cacheKey: { headers: ['X-Tenant'], deviceClass: true } });
    answer = ({ field }) => ({ fields: [KEPT], body: `${field('x-tenant')} ${field('perigee-device')}` });
    const phone: [string, string] = ['User-Agent', 'Mozilla/5.0 (iPhone) Mobile/15E148'];
    expect(await asks('/', [['X-Tenant', 'a']])).toBe('a desktop');
    expect(await asks('/', [['X-Tenant', 'b']])).toBe('b desktop');
    expect(await asks('/', [['X-Tenant', 'a'], phone])).toBe('a phone');
    // A claim of the user's is not believed.
    expect(
      await asks('/', [
        ['X-Tenant', 'a'],
        ['Perigee-Device', 'tablet'],
      ]),
    ).toBe('a desktop');
    expect(origin.requests.length).toBe(3);
    expect((await edge.explain('http://www.example.com/')).cacheKey).toBe(
      'http://www.example.com/ device=desktop',
    );
  });

  test('CK4 more than fits the key passes the cache by', async () => {
    await configure({ cacheKey: { headers: ['X-Tenant'] } });
    answer = () => ({ fields: [KEPT], body: 'x' });
    const parts = { fields: [['X-Tenant', 'x'.repeat(4_000)]] } as const;
    for (let i = 0; i < 2; i++) {
      expect((await edge.request('/', parts)).field('cache-status')).toBe('Perigee; fwd=bypass');
    }
  });
});

describe('bypass', () => {
  test('DE2 a cookie, a header or a parameter', async () => {
    await configure({
      bypassWhen: { cookies: ['session*'], headers: ['X-Preview'], query: ['nocache'] },
    });
    let count = 0;
    answer = () => ({ fields: [KEPT], body: String(++count) });
    expect(await asks('/')).toBe('1');
    expect(await asks('/', [['Cookie', 'a=1; session_id=2']])).toBe('2');
    expect(await asks('/', [['X-Preview', '1']])).toBe('3');
    expect(await asks('/?nocache')).toBe('4');
    expect(await asks('/?nocache')).toBe('5');
    expect(await asks('/')).toBe('1');
  });
});

describe('what is stored, and how long', () => {
  test('LT4 TTLs by status, for a site and for a path', async () => {
    await configure({
      statusTtls: [{ status: '404', seconds: 30 }],
      rules: [{ path: '/api/*', statusTtls: [{ status: '5xx', seconds: 5 }] }],
    });
    answer = ({ target }) => ({ status: target.startsWith('/api') ? 503 : 404, body: 'none' });
    const statuses: (string | null)[] = [];
    for (const path of ['/x', '/x', '/api/x', '/api/x']) {
      statuses.push((await edge.request(path)).field('cache-status'));
    }
    expect(statuses).toEqual([
      'Perigee; fwd=uri-miss; stored',
      'Perigee; hit; ttl=30',
      'Perigee; fwd=uri-miss; stored',
      'Perigee; hit; ttl=5',
    ]);
    expect(origin.requests.length).toBe(2);
  });

  test('AD9 the cookie goes to the user who asked, the page to everybody', async () => {
    await configure({ setCookie: 'strip', rules: [{ edgeTtlSeconds: 60 }] });
    answer = () => ({ fields: [['Set-Cookie', 'id=1']], body: 'page' });
    const first = await edge.request('/');
    const second = await edge.request('/');
    expect([first.field('set-cookie'), second.field('set-cookie'), second.text]).toEqual([
      'id=1',
      null,
      'page',
    ]);
    expect(second.field('cache-status')).toBe('Perigee; hit; ttl=60');
  });

  test('DE16 requests that want better are not heard', async () => {
    await configure({ requestDirectives: 'ignore' });
    answer = () => ({ fields: [KEPT], body: 'page' });
    await edge.request('/', { fields: [['Cache-Control', 'no-store']] });
    const again = await edge.request('/', { fields: [['Cache-Control', 'no-cache, max-age=0']] });
    expect(again.field('cache-status')).toBe('Perigee; hit; ttl=60');
  });

  test('RT5 by the type of the response, also when it is stale', async () => {
    await configure({
      staleWhileRevalidateSeconds: 0,
      rules: [{ contentType: 'image/*', edgeTtlSeconds: 10, staleWhileRevalidateSeconds: 100 }],
    });
    answer = ({ target }) => ({
      fields: [
        ['Content-Type', target === '/i' ? 'image/png' : 'text/plain'],
        ['ETag', '"1"'],
        ['Cache-Control', target === '/i' ? 'public' : 'max-age=10'],
      ],
      body: 'x',
    });
    for (const path of ['/i', '/t']) await edge.request(path);
    clock.advance(20);
    expect((await edge.request('/i')).field('cache-status')).toBe('Perigee; hit; ttl=-10');
    expect((await edge.request('/t')).field('cache-status')).toBe('Perigee; fwd=stale; stored');
  });
});

describe('request headers', () => {
  test('FW8 those that are neither usual, nor listed, nor in the key stay behind', async () => {
    await configure({ requestFields: ['X-Listed'], cacheKey: { headers: ['X-Keyed'] } });
    answer = ({ field }) => ({
      fields: [KEPT],
      body: ['x-listed', 'x-keyed', 'x-other', 'cookie', 'accept'].map((name) => `${field(name)}`).join(),
    });
    const fields = [
      ['X-Listed', '1'],
      ['X-Keyed', '2'],
      ['X-Other', '3'],
      ['Cookie', 'a=4'],
      ['Accept', '5'],
    ] as const;
    expect(await asks('/', fields)).toBe('1,2,null,null,5');
    // What is not stored goes with all of them.
    expect((await edge.request('/', { method: 'POST', body: 'x', fields })).text).toBe('1,2,3,a=4,5');
  });
});
