/** Large responses in parts: ranges that miss are answered from aligned slices, which are stored. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { SLICE_BYTES } from '#core/caching/limits.ts';
import { parseRanges } from '#core/http/ranges.ts';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { RawResponse } from '../../support/raw-client.ts';
import { createBarrier, type RecordedRequest, type ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

const MIB = SLICE_BYTES;
let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });

beforeEach(async () => {
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

type Lines = [string, string][];

/** A body of that many bytes; each version has its own. */
function bodyOf(length: number, version = 0): string {
  return Buffer.from(Array.from({ length }, (_, i) => 97 + ((i * 7 + (i >> 12) + version) % 26))).toString(
    'latin1',
  );
}

const LENGTH = 3 * MIB + 1_000;
const BODIES = [bodyOf(LENGTH, 0), bodyOf(LENGTH, 1)] as const;

/** What an origin that knows ranges answers. */
function served(
  request: RecordedRequest,
  body: string,
  lines: Lines,
): Exclude<Awaited<ReturnType<Answer>>, undefined> {
  const value = request.field('range');
  const ranges = value === null ? null : parseRanges(value, body.length);
  if (ranges === 'unsatisfiable')
    return { status: 416, fields: [['Content-Range', `bytes */${body.length}`]], body: '' };
  if (ranges === null || ranges.length > 1) return { fields: lines, body };
  const [{ start, end }] = ranges as [{ start: number; end: number }];
  return {
    status: 206,
    fields: [...lines, ['Content-Range', `bytes ${start}-${end - 1}/${body.length}`]],
    body: body.slice(start, end),
  };
}

const KEPT: [string, string] = ['Cache-Control', 'max-age=60'];
const V1: Lines = [KEPT, ['ETag', '"v1"']];
const V2: Lines = [KEPT, ['ETag', '"v2"']];

/** Asks for a range, and waits until the slices that were fetched for it have come whole. */
async function ranged(range: string, more: Lines = []): Promise<RawResponse> {
  const response = await edge.request('/large', { fields: [['Range', range], ...more] });
  await until(
    'all fetches are over',
    async () => (await edge.status()).counters.perigee_edge_fills_open === 0,
  );
  return response;
}
const asked = (): (string | null)[] => origin.requests.map((request) => request.field('range'));
const status = (response: RawResponse): string | null => response.field('cache-status');

describe('a range that misses', () => {
  beforeEach(() => {
    answer = (request) => served(request, BODIES[0], V1);
  });

  test('SL1 fetches the aligned slice around it, which answers the next', async () => {
    const first = await ranged(`bytes=${MIB + 10}-${MIB + 19}`);
    expect([first.status, first.text]).toEqual([206, BODIES[0].slice(MIB + 10, MIB + 20)]);
    expect(first.field('content-range')).toBe(`bytes ${MIB + 10}-${MIB + 19}/${LENGTH}`);
    expect([status(first), first.field('age'), first.field('etag')]).toEqual([
      'Perigee; fwd=uri-miss; stored',
      null,
      '"v1"',
    ]);
    const next = await ranged(`bytes=${2 * MIB - 5}-${2 * MIB - 1}`);
    expect([next.text, status(next)]).toEqual([
      BODIES[0].slice(2 * MIB - 5, 2 * MIB),
      'Perigee; hit; ttl=60',
    ]);
    expect(asked()).toEqual([`bytes=${MIB}-${2 * MIB - 1}`]);
  });

  test('SL1 of 64 GiB costs no more than the slices it touches', async () => {
    const length = 64 * 1024 ** 3;
    const octetsOf = (start: number, end: number): string =>
      Buffer.from(Array.from({ length: end - start }, (_, i) => 97 + ((start + i) % 23))).toString('latin1');
    answer = (request) => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.field('range') ?? '') ?? [];
      const [start, end] = [Number(first), Math.min(Number(last) + 1, length)];
      const line: [string, string] = ['Content-Range', `bytes ${start}-${end - 1}/${length}`];
      return { status: 206, fields: [...V1, line], body: octetsOf(start, end) };
    };
    const places = [0, 40 * 1024 * MIB + 17, 63 * 1024 * MIB + MIB - 4, length - 8];
    for (const hits of [false, true]) {
      for (const start of places) {
        const end = Math.min(start + 9, length);
        const response = await ranged(`bytes=${start}-${end - 1}`);
        expect([response.status, response.text]).toEqual([206, octetsOf(start, end)]);
        expect(response.field('content-range')).toBe(`bytes ${start}-${end - 1}/${length}`);
        expect(status(response)?.includes('hit') === true).toBe(hits);
      }
    }
    expect(status(await ranged('bytes=-8'))).toContain('hit');
    expect((await edge.request('/large', { fields: [['Range', `bytes=${length}-`]] })).status).toBe(416);
    // One place lies across two.
    expect(origin.requests.length).toBe(5);
    expect((await edge.status()).storage?.bodyBytes).toBeLessThan(7 * MIB);
  });

  test('SL3 fetches further slices as they are wanted, to the end', async () => {
    const open = await ranged('bytes=100-');
    expect(open.text).toBe(BODIES[0].slice(100));
    expect(asked()).toEqual([0, 1, 2, 3].map((n) => `bytes=${n * MIB}-${(n + 1) * MIB - 1}`));
    for (const range of ['bytes=-1500', `bytes=${MIB - 1}-${MIB}`, 'bytes=0-']) {
      expect(status(await ranged(range))).toBe('Perigee; hit; ttl=60');
    }
    expect((await ranged('bytes=-1500')).text).toBe(BODIES[0].slice(-1500));
    expect(origin.requests.length).toBe(4);
  });

  test('SL3 says when only some of it is stored', async () => {
    await ranged('bytes=0-1');
    const more = await ranged(`bytes=10-${MIB + 10}`);
    expect([more.text, status(more)]).toEqual([
      BODIES[0].slice(10, MIB + 11),
      'Perigee; fwd=partial; stored',
    ]);
    expect(origin.requests.length).toBe(2);
  });

  test('DE12 only-if-cached is answered from what is stored, or with 504', async () => {
    const only: Lines = [['Cache-Control', 'only-if-cached']];
    expect((await ranged('bytes=0-1', only)).status).toBe(504);
    await ranged('bytes=0-1');
    expect((await ranged('bytes=5-9', only)).text).toBe(BODIES[0].slice(5, 10));
    expect((await ranged(`bytes=5-${MIB}`, only)).status).toBe(504);
    expect(origin.requests.length).toBe(1);
  });

  test('SL4 a range beyond the end is refused here, once the length is known', async () => {
    await ranged('bytes=0-1');
    const beyond = await ranged(`bytes=${LENGTH}-`);
    expect([beyond.status, beyond.field('content-range')]).toEqual([416, `bytes */${LENGTH}`]);
    expect(origin.requests.length).toBe(1);
  });

  test('SL4 and by the origin before', async () => {
    const beyond = await ranged(`bytes=${LENGTH + MIB}-`);
    expect([beyond.status, beyond.field('content-range')]).toEqual([416, `bytes */${LENGTH}`]);
    expect(origin.requests.length).toBe(1);
  });

  test('RA4 If-Range is judged here; when it fails, all is sent', async () => {
    await ranged('bytes=0-1');
    expect((await ranged('bytes=0-1', [['If-Range', '"v1"']])).text).toBe(BODIES[0].slice(0, 2));
    const whole = await ranged('bytes=0-1', [['If-Range', '"v0"']]);
    expect(whole.status === 200 || whole.status === 206).toBe(true);
  });

  test('SL5 fifty at once are one origin request', async () => {
    const mayAnswer = createBarrier();
    answer = async (request) => {
      await mayAnswer.opened;
      return served(request, BODIES[0], V1);
    };
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        edge.begin('/large', { fields: [['Range', `bytes=${i}-${i + 9}`]] }),
      ),
    );
    await until(
      'all have arrived',
      async () => ((await edge.status()).counters.perigee_edge_exchanges_total ?? 0) >= 50,
    );
    mayAnswer.open();
    const responses = await Promise.all(clients.map((client) => client.readResponse()));
    expect(responses.map(({ text }) => text)).toEqual(responses.map((_, i) => BODIES[0].slice(i, i + 10)));
    expect(origin.requests.length).toBe(1);
    for (const client of clients) client.destroy();
  });

  test('SL6 what fits a slice is stored whole', async () => {
    answer = (request) => served(request, 'all there is', V1);
    expect((await ranged('bytes=4-8')).text).toBe('there');
    const whole = await edge.request('/large');
    expect([whole.status, whole.text, status(whole)]).toEqual([200, 'all there is', 'Perigee; hit; ttl=60']);
  });

  test('SL1 not where the site switches it off, or one person asks', async () => {
    edge.publish([siteAt(origin.url, { slices: 'off' })]);
    expect((await ranged('bytes=5-9')).status).toBe(206);
    edge.publish([siteAt(origin.url)]);
    await ranged('bytes=5-9', [['Authorization', 'Basic eA==']]);
    await ranged('bytes=-5');
    expect(asked()).toEqual(['bytes=5-9', 'bytes=5-9', 'bytes=-5']);
  });
});

describe('what slices have in common', () => {
  test('SL7 a stale head is validated with its slice, and all slices are fresh again', async () => {
    answer = (request) =>
      request.field('if-none-match') === '"v1"'
        ? { status: 304, fields: V1 }
        : served(request, BODIES[0], V1);
    await ranged(`bytes=0-${MIB}`);
    clock.advance(100);
    const validated = await ranged('bytes=5-9');
    expect([validated.text, status(validated)]).toEqual([
      BODIES[0].slice(5, 10),
      'Perigee; fwd=stale; fwd-status=304',
    ]);
    expect(status(await ranged(`bytes=${MIB}-${MIB}`))).toBe('Perigee; hit; ttl=60');
    expect(origin.requests.length).toBe(3);
  });

  test('SL8 a changed validator begins anew', async () => {
    answer = (request) => served(request, BODIES[0], V1);
    await ranged(`bytes=0-${MIB}`);
    clock.advance(100);
    answer = (request) => served(request, BODIES[1], V2);
    expect((await ranged('bytes=5-9')).text).toBe(BODIES[1].slice(5, 10));
    const other = await ranged(`bytes=${MIB}-${MIB + 4}`);
    expect([other.text, other.field('etag')]).toEqual([BODIES[1].slice(MIB, MIB + 5), '"v2"']);
    expect(asked().length).toBe(4);
  });

  test('SL8 parts of two representations never meet', async () => {
    answer = (request) => served(request, BODIES[0], V1);
    await ranged('bytes=0-9');
    answer = (request) => served(request, BODIES[1], V2);
    const cut = await ranged(`bytes=0-${MIB + 10}`);
    expect([cut.isComplete, cut.text === BODIES[0].slice(0, MIB)]).toEqual([false, true]);
    const again = await ranged(`bytes=0-${MIB + 10}`);
    expect(again.text).toBe(BODIES[1].slice(0, MIB + 11));
  });

  test('SL9 purges and unsafe requests reach all slices', async () => {
    answer = (request) =>
      request.method === 'GET' ? served(request, BODIES[0], [...V1, ['Cache-Tag', 'films']]) : { body: '' };
    const url = 'http://www.example.com/large';
    const ways: (() => Promise<unknown>)[] = [
      () => edge.purge({ kind: 'url', url }),
      () => edge.purge({ kind: 'tag', siteId: 'shop', tag: 'films' }),
      () => edge.purge({ kind: 'prefix', siteId: 'shop', prefix: '/la' }),
      () => edge.purge({ kind: 'host', siteId: 'shop', host: 'www.example.com' }),
      () => edge.purge({ kind: 'everything', siteId: 'shop' }),
      () => edge.request('/large', { method: 'DELETE' }),
    ];
    for (const purge of ways) {
      await ranged(`bytes=0-${MIB}`);
      const before = origin.requests.length;
      await purge();
      const isAsked = origin.requests.length - before;
      expect((await ranged(`bytes=${MIB}-${MIB + 1}`)).text).toBe(BODIES[0].slice(MIB, MIB + 2));
      expect((await ranged('bytes=0-1')).text).toBe(BODIES[0].slice(0, 2));
      expect(origin.requests.length - before - isAsked).toBe(2);
    }
  });

  test('ST4 what is stored covers for an origin that is gone', async () => {
    answer = (request) => served(request, BODIES[0], V1);
    await ranged('bytes=0-9');
    clock.advance(100);
    await origin.close();
    const stale = await ranged('bytes=5-9');
    expect([stale.status, stale.text]).toEqual([206, BODIES[0].slice(5, 10)]);
    expect(status(stale)).toMatch(/^Perigee; fwd=stale; detail=connection_/);
    expect((await ranged(`bytes=${MIB}-${MIB + 1}`)).status).toBe(502);
  });
});

describe('what is no slice', () => {
  const liars: [what: string, answer: Answer][] = [
    ['a weak validator', (request) => served(request, BODIES[0], [KEPT, ['ETag', 'W/"v1"']])],
    ['no validator', (request) => served(request, BODIES[0], [KEPT])],
    [
      'one person’s',
      (request) =>
        served(request, BODIES[0], [
          ['ETag', '"v1"'],
          ['Cache-Control', 'private'],
        ]),
    ],
    ['the whole', () => ({ fields: V1, body: BODIES[0] })],
    [
      'another range',
      (request) => {
        const good = served(request, BODIES[0], V1);
        return request.field('range') === 'bytes=5-9'
          ? good
          : { ...good, fields: [...V1, ['Content-Range', `bytes 1-${MIB}/${LENGTH}`]] };
      },
    ],
  ];
  test.each(liars)('SL2 %s: the user’s own range is asked for, now and for a while', async (_, liar) => {
    answer = liar;
    for (let i = 0; i < 2; i++) {
      const response = await ranged('bytes=5-9');
      expect(response.text === BODIES[0].slice(5, 10) || response.text === BODIES[0]).toBe(true);
    }
    expect(asked().filter((range) => range === `bytes=0-${MIB - 1}`).length).toBe(1);
  });

  test('SL2 a slice that breaks off is not stored', async () => {
    answer = (_request, connection) => {
      connection.write(
        `HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-${MIB - 1}/${LENGTH}\r\nContent-Length: ${MIB}\r\n\r\nonly this`,
      );
      connection.reset();
      return undefined;
    };
    expect((await ranged('bytes=0-99')).isComplete).toBe(false);
    answer = (request) => served(request, BODIES[0], V1);
    expect((await ranged('bytes=0-99')).text).toBe(BODIES[0].slice(0, 100));
    expect(origin.requests.length).toBe(2);
  });

  test('SL2 one that is shorter than it says is not stored', async () => {
    answer = (_request, connection) => {
      connection.write(
        `HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-${MIB - 1}/${LENGTH}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n\r\n`,
      );
      return undefined;
    };
    expect((await ranged('bytes=0-99')).isComplete).toBe(false);
    answer = (request) => served(request, BODIES[0], V1);
    expect((await ranged('bytes=0-99')).text).toBe(BODIES[0].slice(0, 100));
  });
});
