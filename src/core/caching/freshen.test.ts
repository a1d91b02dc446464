import { describe, expect, test } from 'bun:test';
import { formatHttpDate } from '#core/http/dates.ts';
import { Fields } from '#core/http/fields.ts';
import { resolveSettings } from '#core/model/cache-settings.ts';
import { ruleSchema, siteSchema } from '#core/model/site.ts';
import { hasConditions, hasValidator, makeConditional } from './conditional-request.ts';
import { EXAMPLE_AT, exampleHead } from './example-head.cases.ts';
import { freshen, judgeHead, mayFreshen, outdate } from './freshen.ts';
import type { StoredHead } from './stored-head.ts';

const SITE = siteSchema.parse({
  id: 'shop',
  hosts: ['www.example.com'],
  origins: [{ url: 'http://192.0.2.1' }],
});
const LATER = EXAMPLE_AT + 100_000;

function stored(entries: [string, string][], changes: Partial<StoredHead> = {}): StoredHead {
  const fields = Fields.of([['Date', formatHttpDate(EXAMPLE_AT)], ...entries]);
  return exampleHead({ fields, etag: fields.get('etag'), ...changes });
}

function update(head: StoredHead, entries: [string, string][], rule = {}): StoredHead {
  const parsed = ruleSchema.parse(rule);
  return freshen(head, {
    responseFields: Fields.of(entries),
    requestedAt: LATER - 500,
    respondedAt: LATER,
    settings: resolveSettings(SITE, parsed, parsed),
  });
}

describe('freshening by a 304', () => {
  test('FR1 its fields replace those of their name, others stay', () => {
    const head = stored([
      ['A', '1'],
      ['A', '2'],
      ['B', '3'],
      ['Cache-Control', 'max-age=2'],
    ]);
    const fresh = update(head, [
      ['a', '9'],
      ['Connection', 'c'],
      ['C', '1'],
      ['Content-Length', '0'],
      ['Date', formatHttpDate(LATER)],
    ]);
    expect([...fresh.fields]).toEqual([
      ['Date', formatHttpDate(LATER)],
      ['B', '3'],
      ['Cache-Control', 'max-age=2'],
      ['a', '9'],
    ]);
    expect(fresh.freshnessLifetimeSeconds).toBe(2);
  });

  test('FR2 what describes the bytes changes only with a strong validator', () => {
    const coding: [string, string] = ['Content-Encoding', 'gzip'];
    const strong = stored([['ETag', '"a"'], coding]);
    expect(
      update(strong, [
        ['ETag', '"a"'],
        ['Content-Encoding', 'br'],
      ]).fields.get('content-encoding'),
    ).toBe('br');
    expect(update(strong, [['Content-Encoding', 'br']]).fields.get('content-encoding')).toBe('gzip');
    const weak = stored([['ETag', 'W/"a"'], coding]);
    expect(
      update(weak, [
        ['ETag', 'W/"a"'],
        ['Content-Encoding', 'br'],
      ]).fields.get('content-encoding'),
    ).toBe('gzip');
  });

  test('FR3 age and lifetime start anew', () => {
    const head = stored(
      [
        ['Cache-Control', 'max-age=2'],
        ['ETag', '"a"'],
      ],
      { initialAgeSeconds: 50 },
    );
    const fresh = update(head, [
      ['Cache-Control', 'max-age=30'],
      ['Age', '3'],
      ['Cache-Tag', 'x'],
    ]);
    expect(fresh).toMatchObject({
      initialAgeSeconds: 3.5,
      freshnessLifetimeSeconds: 30,
      requestedAt: LATER - 500,
      respondedAt: LATER,
      dateAt: LATER,
      etag: '"a"',
      tags: ['x'],
      status: 200,
    });
    expect(update(head, [], { mode: 'override-origin', edgeTtlSeconds: 7 }).freshnessLifetimeSeconds).toBe(7);
  });

  test('FR3 tags that cannot be kept leave the stored ones', () => {
    const head = stored([], { tags: ['old'] });
    expect(update(head, [['Cache-Tag', 'x'.repeat(300)]]).tags).toEqual(['old']);
  });

  const speaks: [etag: string | null, storedEtag: string | null, expected: boolean][] = [
    [null, '"a"', true],
    ['"a"', null, true],
    ['"a"', '"a"', true],
    ['"b"', '"a"', false],
    ['W/"a"', '"a"', true],
    ['W/"b"', '"a"', false],
    ['"a"', 'W/"a"', true],
    ['"b"', 'W/"a"', false],
  ];
  for (const [etag, storedEtag, expected] of speaks) {
    test(`FR4 a 304 with ${etag} ${expected ? 'speaks' : 'does not speak'} of ${storedEtag}`, () => {
      const fields = etag === null ? new Fields() : Fields.of([['ETag', etag]]);
      expect(mayFreshen(exampleHead({ etag: storedEtag }), fields)).toBe(expected);
    });
  }

  test('FR5 a response withdrawn from caches is validated from then on', () => {
    const head = stored([['Cache-Control', 'max-age=60']]);
    for (const value of ['private', 'no-store', 'no-cache']) {
      expect(update(head, [['Cache-Control', value]]).mustValidateAlways).toBe(true);
    }
    expect(update(head, [['Cache-Control', 'no-store, must-understand']]).mustValidateAlways).toBe(false);
    const rule = { mode: 'override-origin', edgeTtlSeconds: 7 };
    expect(update(head, [['Cache-Control', 'private']], rule).mustValidateAlways).toBe(false);
  });
});

describe('a HEAD response', () => {
  const head = stored([
    ['ETag', '"a"'],
    ['Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ]);
  const cases: [status: number, entries: [string, string][], expected: 'update' | 'outdate' | 'ignore'][] = [
    [200, [], 'update'],
    [
      200,
      [
        ['ETag', '"a"'],
        ['Content-Length', '10'],
      ],
      'update',
    ],
    [200, [['ETag', '"b"']], 'outdate'],
    [200, [['Last-Modified', 'Thu, 01 Jan 2026 00:00:01 GMT']], 'outdate'],
    [200, [['Content-Length', '11']], 'outdate'],
    [410, [], 'ignore'],
    [304, [], 'ignore'],
  ];
  for (const [status, entries, expected] of cases) {
    test(`FR6 ${status} ${JSON.stringify(entries)} → ${expected}`, () => {
      expect(judgeHead(head, 10, status, Fields.of(entries))).toBe(expected);
    });
  }
  test('FR6 an outdated response is stale without a window', () => {
    expect(outdate(head)).toMatchObject({ freshnessLifetimeSeconds: 0, staleWhileRevalidateSeconds: 0 });
    expect(judgeHead(exampleHead({ status: 404 }), 10, 200, new Fields())).toBe('ignore');
  });
});

describe('validation requests', () => {
  const conditions: [string, string][] = [
    ['If-None-Match', '"client"'],
    ['If-Modified-Since', 'x'],
    ['If-Match', '*'],
    ['If-Unmodified-Since', 'x'],
    ['If-Range', 'x'],
    ['Range', 'bytes=0-1'],
    ['Accept', 'a'],
  ];
  test('VR1 our validators replace the conditions of the user', () => {
    const fields = Fields.of(conditions);
    expect(hasConditions(fields)).toBe(true);
    const head = stored(
      [
        ['Last-Modified', 'Thursday, 01-Jan-26 00:00:00 GMT'],
        ['ETag', 'W/"a"'],
      ],
      {
        lastModifiedAt: EXAMPLE_AT,
      },
    );
    expect(hasValidator(head)).toBe(true);
    makeConditional(fields, head);
    expect([...fields]).toEqual([
      ['Accept', 'a'],
      ['If-None-Match', 'W/"a"'],
      ['If-Modified-Since', 'Thursday, 01-Jan-26 00:00:00 GMT'],
    ]);
  });
  test('VR1 without validators the question is for the whole', () => {
    const fields = Fields.of(conditions);
    expect(hasValidator(exampleHead())).toBe(false);
    makeConditional(fields, exampleHead());
    expect([...fields]).toEqual([['Accept', 'a']]);
    expect(hasConditions(fields)).toBe(false);
  });
  test('VR1 a Last-Modified is written when its text is gone', () => {
    const fields = new Fields();
    makeConditional(fields, exampleHead({ lastModifiedAt: EXAMPLE_AT }));
    expect(fields.get('if-modified-since')).toBe('Thu, 01 Jan 2026 00:00:00 GMT');
  });
});
