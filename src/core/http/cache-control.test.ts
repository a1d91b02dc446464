import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseAge, parseRequestDirectives, parseResponseDirectives } from './cache-control.ts';

describe('Cache-Control of responses', () => {
  const maxAges: [value: string, expected: number | 'invalid' | null, rule: string][] = [
    ['max-age=3600', 3600, 'CC1'],
    ['MaX-aGe=3600', 3600, 'CC1'],
    ['foobar, max-age=3600', 3600, 'CC1'],
    ['max-age=1, extension="max-age=3600"', 1, 'CC1'],
    ['extension="max-age=3600", max-age=1', 1, 'CC1'],
    ['extension="max-age=3600, max-age=7200"', null, 'CC1'],
    ['max-age=1800, max-age=1', 1800, 'CC2'],
    ['max-age=x, max-age=1', 'invalid', 'CC2'],
    ['max-age="3600"', 3600, 'CC3'],
    ["max-age='3600'", 'invalid', 'CC3'],
    ['max-age=-3600', 'invalid', 'CC3'],
    ['max-age=3600.0', 'invalid', 'CC3'],
    ['max-age=3600a', 'invalid', 'CC3'],
    ['max-age =3600', 'invalid', 'CC3'],
    ['max-age= 3600', 'invalid', 'CC3'],
    ['max-age', 'invalid', 'CC3'],
    ['max-age=003600', 3600, 'CC3'],
    ['max-age=99999999999', 2_147_483_648, 'CC4'],
    ['=5, "x", , ;', null, 'CC1'],
  ];
  for (const [value, expected, rule] of maxAges) {
    test(`${rule} max-age of ${value}`, () => expect(parseResponseDirectives(value).maxAge).toBe(expected));
  }

  test('CC1 every directive is known by name, whatever stands behind it', () => {
    const value =
      'no-store=x, public, must-revalidate, proxy-revalidate, must-understand, no-transform, immutable, ' +
      's-maxage=1, stale-while-revalidate=2, stale-if-error=3, private, no-cache';
    expect(parseResponseDirectives(value)).toMatchObject({
      noStore: true,
      public: true,
      mustRevalidate: true,
      proxyRevalidate: true,
      mustUnderstand: true,
      noTransform: true,
      immutable: true,
      sMaxAge: 1,
      staleWhileRevalidate: 2,
      staleIfError: 3,
      private: true,
      noCache: true,
    });
    expect(parseResponseDirectives('no-store =x').noStore).toBe(true);
    expect(parseResponseDirectives(null).noStore).toBe(false);
  });

  test('CC5 lists of fields', () => {
    expect(parseResponseDirectives('no-cache="A, b", private="Set-Cookie"')).toMatchObject({
      noCache: false,
      noCacheFields: ['a', 'b'],
      private: false,
      privateFields: ['set-cookie'],
    });
    expect(parseResponseDirectives('private=x-user, private="y"').privateFields).toEqual(['x-user', 'y']);
    for (const value of ['private=""', 'private="a b"', 'private =a', 'private="é"']) {
      expect(parseResponseDirectives(value).private).toBe(true);
    }
    for (const value of ['no-cache=""', 'no-cache=","', 'no-cache="(x)"']) {
      expect(parseResponseDirectives(value).noCache).toBe(true);
    }
    expect(parseResponseDirectives('no-cache="a", no-cache')).toMatchObject({
      noCache: true,
      noCacheFields: ['a'],
    });
  });

  test('CC1 a value means the same however many others were read meanwhile', () => {
    const controlOf = (i: number) => `max-age=${i}, no-cache="x-${i}", ${i % 2 === 0 ? 'public' : 'private'}`;
    for (const round of [1, 2, 3]) {
      for (let i = 0; i < round * 1_000; i += round) {
        expect(parseResponseDirectives(controlOf(i))).toMatchObject({
          maxAge: i,
          noCacheFields: [`x-${i}`],
          public: i % 2 === 0,
          private: i % 2 === 1,
        });
      }
    }
    const long = `max-age=5, x="${'y'.repeat(1_000)}"`;
    for (const value of [long, long]) expect(parseResponseDirectives(value).maxAge).toBe(5);
  });

  test('CC1 what is shared by all who read the same cannot be changed by one of them', () => {
    for (const value of [null, 'max-age=5', 'max-age=5']) {
      const directives = parseResponseDirectives(value) as { noStore: boolean };
      expect(() => {
        directives.noStore = true;
      }).toThrow();
      expect(parseResponseDirectives(value).noStore).toBe(false);
    }
  });

  test('CC1 nothing throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseResponseDirectives(text);
        parseRequestDirectives(text);
        expect(parseAge(text)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

test('CC1 Cache-Control of requests', () => {
  expect(
    parseRequestDirectives('max-age=0, min-fresh=5, max-stale=7, no-cache, no-store, only-if-cached'),
  ).toEqual({
    maxAge: 0,
    minFresh: 5,
    maxStale: 7,
    noCache: true,
    noStore: true,
    onlyIfCached: true,
  });
  expect(parseRequestDirectives('max-stale').maxStale).toBe(Number.POSITIVE_INFINITY);
  expect(parseRequestDirectives('max-stale=x, max-stale=5').maxStale).toBe('invalid');
  expect(parseRequestDirectives('nothing-to-see-here')).toMatchObject({ maxAge: null, noCache: false });
});

describe('Age', () => {
  const cases: [value: string | null, expected: number][] = [
    [null, 0],
    ['30', 30],
    [' 30 ', 30],
    ['7200, 0', 7200],
    ['0, 7200', 0],
    ['abc', 0],
    ['-7200', 0],
    ['7200.0', 0],
    ['', 0],
    ['7200;foo=bar', 7200],
    ['2147483649', 2_147_483_648],
  ];
  for (const [value, expected] of cases) {
    test(`CC6 "${value}" is ${expected}`, () => expect(parseAge(value)).toBe(expected));
  }
});
