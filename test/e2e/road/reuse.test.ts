/** What is stored answers again: age, variants, conditions, ranges, HEAD, TTL rules. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';

const LAST_MODIFIED = 'Tue, 01 Sep 2026 10:00:00 GMT';
const clock = createTestClock();
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });
/** A path of its own for each test. */
let path = '/';
let number = 0;

beforeAll(async () => {
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  const origins = [{ url: origin.url }];
  edge = await startTestEdge({
    clock,
    sites: [
      siteAt(origin.url),
      {
        id: 'ruled',
        hosts: ['ruled.example.com'],
        origins,
        rules: [
          { path: '/never/*', mode: 'bypass' },
          { path: '/forced/*', mode: 'override-origin', edgeTtlSeconds: 100, browserTtlSeconds: 5 },
          { contentType: 'image/*', edgeTtlSeconds: 50 },
          { path: '/quiet/*', mode: 'respect-origin', edgeTtlSeconds: 30 },
        ],
      },
    ],
  });
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

beforeEach(() => {
  number++;
  path = `/reuse/${number}`;
});

const asked = (target: string): number =>
  origin.requests.filter((request) => request.target === target).length;
const ruled = (target: string, method = 'GET') => edge.request(target, { method, host: 'ruled.example.com' });

describe('the request that fetches', () => {
  test('is told what is for it alone, and the store is not', async () => {
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=60, private="X-User"'],
        ['X-User', 'ada'],
      ],
      body: 'page',
    });
    const miss = await edge.request(path);
    const hit = await edge.request(path);
    expect([miss.text, miss.field('x-user'), hit.text, hit.field('x-user')]).toEqual([
      'page',
      'ada',
      'page',
      null,
    ]);
    expect(miss.field('cache-status')).toBe('Perigee; fwd=uri-miss; stored');
    expect(asked(path)).toBe(1);
  });

  test('has its own precondition judged, where the origin did not', async () => {
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['ETag', '"one"'],
      ],
      body: 'page',
    });
    const miss = await edge.request(path, { fields: [['If-None-Match', '"one"']] });
    expect([miss.status, miss.text]).toEqual([304, '']);
    const hit = await edge.request(path);
    expect([hit.status, hit.text, asked(path)]).toEqual([200, 'page', 1]);
  });

  test('gets an empty body, and so does who comes later', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body: '' });
    const miss = await edge.request(path);
    const hit = await edge.request(path);
    expect([miss.status, miss.text, miss.field('content-length')]).toEqual([200, '', '0']);
    expect([hit.status, hit.text, hit.field('content-length'), asked(path)]).toEqual([200, '', '0', 1]);
  });

  test.each([16_384, 16_385, 300_000])(
    'gets a body of %d bytes whole, and so does who comes later',
    async (size) => {
      const body = 'x'.repeat(size);
      answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body });
      const miss = await edge.request(path);
      const hit = await edge.request(path);
      expect([miss.text === body, hit.text === body, asked(path)]).toEqual([true, true, 1]);
      answer = () => ({ fields: [['Cache-Control', 'private']], body });
      const passed = await edge.request(`${path}/private`);
      expect(passed.text === body).toBe(true);
    },
  );
});

describe('a stored response', () => {
  test('answers the second request with its age, and says so', async () => {
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['Content-Type', 'text/css'],
        ['X-Kept', 'yes'],
        ['Connection', 'X-Hop'],
        ['X-Hop', 'no'],
      ],
      body: 'body{}',
    });
    const miss = await edge.request(path);
    expect([miss.status, miss.text]).toEqual([200, 'body{}']);
    expect(miss.field('cache-status')).toBe('Perigee; fwd=uri-miss; stored');
    expect(miss.field('age')).toBeNull();
    clock.advance(7);
    const hit = await edge.request(path);
    expect([hit.status, hit.text]).toEqual([200, 'body{}']);
    expect(hit.field('age')).toBe('7');
    expect(hit.field('cache-status')).toMatch(/^Perigee; hit; ttl=53$/);
    expect(hit.field('via')).toBe('1.1 perigee');
    expect(hit.field('x-kept')).toBe('yes');
    expect([miss.field('x-hop'), hit.field('x-hop')]).toEqual([null, null]);
    expect([hit.field('content-length'), hit.field('content-type')]).toEqual(['6', 'text/css']);
    expect(asked(path)).toBe(1);
    expect(origin.requests.at(-1)?.field('via')).toBe('1.1 perigee');
    expect(origin.requests.at(-1)?.field('cdn-loop')).toBe('cdn.test');
    expect(origin.requests.at(-1)?.field('host')).toBe('www.example.com');
  });

  test('is validated when stale, and a 304 makes it fresh', async () => {
    answer = (request) => {
      const fields = [
        ['Cache-Control', 'max-age=10'],
        ['ETag', '"v1"'],
      ] as const;
      return request.field('if-none-match') === '"v1"' ? { status: 304, fields } : { fields, body: 'v1' };
    };
    await edge.request(path);
    clock.advance(11);
    const validated = await edge.request(path);
    expect([validated.status, validated.text]).toEqual([200, 'v1']);
    expect(validated.field('cache-status')).toBe('Perigee; fwd=stale; fwd-status=304');
    expect(validated.field('age')).toBe('0');
    expect((await edge.request(path)).field('cache-status')).toContain('hit');
    expect(asked(path)).toBe(2);
  });

  test('is replaced when the origin has another', async () => {
    let version = 1;
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=10'],
        ['ETag', `"v${version}"`],
      ],
      body: `version ${version}`,
    });
    await edge.request(path);
    version = 2;
    clock.advance(11);
    expect((await edge.request(path)).text).toBe('version 2');
    const hit = await edge.request(path);
    expect([hit.text, hit.field('etag')]).toEqual(['version 2', '"v2"']);
  });

  test('each variant answers its own', async () => {
    answer = (request) => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['Vary', 'Accept-Language'],
      ],
      body: `in ${request.field('accept-language')}`,
    });
    const speak = (language: string) => edge.request(path, { fields: [['Accept-Language', language]] });
    expect((await speak('de')).text).toBe('in de');
    const other = await speak('fr');
    expect([other.text, other.field('cache-status')]).toEqual(['in fr', 'Perigee; fwd=vary-miss; stored']);
    for (const language of ['de', 'fr']) {
      const hit = await speak(language);
      expect([hit.text, hit.field('cache-status')]).toEqual([`in ${language}`, 'Perigee; hit; ttl=60']);
    }
    expect(asked(path)).toBe(2);
  });

  test('answers HEAD without a body and with its length; a HEAD that misses is a HEAD at the origin', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body: 'four' });
    const miss = await edge.request(path, { method: 'HEAD' });
    expect([miss.status, miss.field('content-length')]).toEqual([200, '4']);
    expect(origin.requests.at(-1)?.method).toBe('HEAD');
    expect((await edge.request(path)).text).toBe('four');
    const hit = await edge.request(path, { method: 'HEAD' });
    expect([hit.status, hit.field('content-length'), hit.text]).toEqual([200, '4', '']);
    expect(hit.field('cache-status')).toContain('hit');
    expect(asked(path)).toBe(2);
  });

  test('single ranges are cut from it', async () => {
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['ETag', '"strong"'],
        ['Last-Modified', LAST_MODIFIED],
      ],
      body: '0123456789',
    });
    await edge.request(path);
    const range = (value: string, more: readonly (readonly [string, string])[] = []) =>
      edge.request(path, { fields: [['Range', value], ...more] });
    const middle = await range('bytes=2-4');
    expect([middle.status, middle.text, middle.field('content-range')]).toEqual([206, '234', 'bytes 2-4/10']);
    expect(middle.field('content-length')).toBe('3');
    expect((await range('bytes=-3')).text).toBe('789');
    expect((await range('bytes=7-')).text).toBe('789');
    const beyond = await range('bytes=10-');
    expect([beyond.status, beyond.field('content-range'), beyond.text]).toEqual([416, 'bytes */10', '']);
    expect(beyond.field('cache-control')).toBe('no-store');
    expect((await range('bytes=0-1,4-5')).field('content-range')).toBe('bytes 0-5/10');
    expect((await range('bytes=0-1,x')).status).toBe(200);
    expect((await range('bytes=2-4', [['If-Range', '"strong"']])).status).toBe(206);
    expect((await range('bytes=2-4', [['If-Range', '"other"']])).status).toBe(200);
    expect((await range('bytes=2-4', [['If-Range', LAST_MODIFIED]])).status).toBe(206);
    expect(asked(path)).toBe(1);
  });

  test('RA5 several ranges are a multipart of them', async () => {
    const body = 'x'.repeat(1_000) + 'y'.repeat(1_000) + 'z'.repeat(1_000);
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['Content-Type', 'text/plain'],
      ],
      body,
    });
    await edge.request(path);
    const several = await edge.request(path, { fields: [['Range', 'bytes=-2,999-1000,0-0']] });
    expect(several.status).toBe(206);
    expect(several.field('content-range')).toBeNull();
    const boundary = /^multipart\/byteranges; boundary=([0-9a-f]{24})$/.exec(
      several.field('content-type') ?? '',
    )?.[1];
    const part = (range: string, bytes: string): string =>
      `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes ${range}/3000\r\n\r\n${bytes}\r\n`;
    expect(several.text).toBe(
      `${part('0-0', 'x')}${part('999-1000', 'xy')}${part('2998-2999', 'zz')}--${boundary}--\r\n`,
    );
    expect(several.field('content-length')).toBe(String(several.text.length));
    const other = await edge.request(path, { fields: [['Range', 'bytes=-2,999-1000,0-0']] });
    expect(other.field('content-type')).not.toBe(several.field('content-type'));
    expect(asked(path)).toBe(1);
  });

  test('RA6 a range is cut from a whole that arrives for it', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body: '0123456789' });
    const range = (value: string) => edge.request(path, { fields: [['Range', value]] });
    const part = await range('bytes=2-4');
    expect([part.status, part.text, part.field('content-range')]).toEqual([206, '234', 'bytes 2-4/10']);
    expect((await range('bytes=5-')).text).toBe('56789');
    expect((await edge.request(path)).text).toBe('0123456789');
  });

  test('a range that misses goes to the origin as it is, and is not stored', async () => {
    answer = (request) =>
      request.field('range') === 'bytes=0-1'
        ? { status: 206, fields: [['Content-Range', 'bytes 0-1/4']], body: 'ab' }
        : { fields: [['Cache-Control', 'max-age=60']], body: 'abcd' };
    const part = await edge.request(path, { fields: [['Range', 'bytes=0-1']] });
    expect([part.status, part.text, part.field('content-range')]).toEqual([206, 'ab', 'bytes 0-1/4']);
    const whole = await edge.request(path);
    expect([whole.status, whole.text]).toEqual([200, 'abcd']);
  });

  test('preconditions are answered from it', async () => {
    answer = () => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['ETag', '"v1"'],
        ['Last-Modified', LAST_MODIFIED],
        ['Content-Type', 'text/plain'],
      ],
      body: 'text',
    });
    await edge.request(path);
    const ask = async (name: string, value: string) => {
      const response = await edge.request(path, { fields: [[name, value]] });
      expect(response.status === 200 || response.text === '').toBe(true);
      return response;
    };
    const notModified = await ask('If-None-Match', 'W/"v1"');
    expect(notModified.status).toBe(304);
    expect([notModified.field('etag'), notModified.field('content-type')]).toEqual(['"v1"', null]);
    expect(notModified.field('age')).not.toBeNull();
    expect((await ask('If-None-Match', '"v2"')).status).toBe(200);
    expect((await ask('If-Modified-Since', LAST_MODIFIED)).status).toBe(304);
    const failed = await ask('If-Match', '"v2"');
    expect([failed.status, failed.field('cache-control'), failed.field('expires')]).toEqual([
      412,
      'no-store',
      null,
    ]);
    expect((await ask('If-Unmodified-Since', 'Mon, 01 Sep 2025 10:00:00 GMT')).status).toBe(412);
    expect(asked(path)).toBe(1);
  });

  test('VR2 variants that share an entity tag are never given for one another', async () => {
    answer = ({ field }) => ({
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['Vary', 'Accept-Encoding'],
        ['ETag', '"same"'],
      ],
      ...(field('if-none-match') === null ? { body: `${field('accept-encoding')}` } : { status: 304 }),
    });
    const ask = async (coding: string) =>
      (await edge.request(path, { fields: [['Accept-Encoding', coding]] })).text;
    expect([await ask('gzip'), await ask('identity'), await ask('gzip')]).toEqual([
      'gzip',
      'identity',
      'gzip',
    ]);
    expect(asked(path)).toBe(2);
  });

  test('every spelling that means the same is one page, at the origin and here', async () => {
    answer = (request) => ({ fields: [['Cache-Control', 'max-age=60']], body: request.target });
    expect((await edge.request(`${path}/x/../%7euser`)).text).toBe(`${path}/~user`);
    for (const spelling of [`${path}/~user`, `${path}/./%7Euser`]) {
      const hit = await edge.request(spelling);
      expect([hit.text, hit.field('cache-status')]).toEqual([`${path}/~user`, 'Perigee; hit; ttl=60']);
    }
  });

  test('only-if-cached is answered from it, or with 504', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body: 'here' });
    const only = { fields: [['Cache-Control', 'only-if-cached']] } as const;
    const nothing = await edge.request(path, only);
    expect(nothing.status).toBe(504);
    expect(nothing.text).toContain('Not in the cache');
    await edge.request(path);
    expect((await edge.request(path, only)).text).toBe('here');
    expect(asked(path)).toBe(1);
  });
});

describe('TTL rules of a site', () => {
  test('override the origin at the edge, and tell browsers another TTL that grows with the age', async () => {
    answer = () => ({
      fields: [
        ['Cache-Control', 'no-cache'],
        ['Expires', '0'],
      ],
      body: 'forced',
    });
    const target = `/forced/${number}`;
    const miss = await ruled(target);
    expect(miss.field('cache-control')).toBe('max-age=5');
    clock.advance(90);
    const hit = await ruled(target);
    expect([hit.field('cache-control'), hit.field('expires')]).toEqual(['max-age=95', null]);
    expect(hit.field('age')).toBe('90');
    clock.advance(11);
    expect((await ruled(target)).field('cache-status')).toContain('fwd=');
    expect(asked(target)).toBe(2);
  });

  test('bypass never stores', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body: 'new' });
    const target = `/never/${number}`;
    await ruled(target);
    const again = await ruled(target);
    expect(again.field('cache-status')).toBe('Perigee; fwd=bypass');
    expect(asked(target)).toBe(2);
  });

  test('by media type, where the origin is silent', async () => {
    answer = () => ({ fields: [['Content-Type', 'image/png']], body: 'png' });
    await ruled(path);
    clock.advance(49);
    expect((await ruled(path)).field('cache-status')).toMatch(/^Perigee; hit; ttl=1$/);
    clock.advance(2);
    await ruled(path);
    expect(asked(path)).toBe(2);
  });

  test('the origin wins over a rule that respects it', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=5']], body: 'short' });
    const target = `/quiet/${number}`;
    await ruled(target);
    clock.advance(6);
    await ruled(target);
    expect(asked(target)).toBe(2);
  });
});
