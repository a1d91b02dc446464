import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { normaliseVaryValue, parseVary, preferredLanguage } from './vary.ts';

describe('Vary', () => {
  test('VA1 names are lower case, sorted, once; a star anywhere is everything', () => {
    expect(parseVary(null)).toEqual([]);
    expect(parseVary('Foo, bar,,FOO')).toEqual(['bar', 'foo']);
    for (const value of ['*', '*, *', ', *', 'Foo, *', '*, Foo', 'a b']) expect(parseVary(value)).toBeNull();
  });

  const equal: [name: string, first: string, second: string, rule: string][] = [
    ['foo', '1, 2', ' 1,2 ', 'VA2'],
    ['foo', '1,,2', '1, 2', 'VA2'],
    ['accept-language', 'en, de', 'de, en', 'VA3'],
    ['accept-language', 'en, ;', 'en', 'VA3'],
    ['accept-language', 'en, de', 'eN,  De', 'VA3'],
    ['accept-language', 'en;q=1.0, de;q=0.50', 'de; q=0.5,en', 'VA3'],
    ['accept-encoding', 'gzip, br;q=1.', 'BR, gzip', 'VA3'],
    ['accept-encoding', 'gzip;q=0.000', 'gzip;q=0', 'VA3'],
    ['accept', 'text/html;Q=1, */*;q=0.8', '*/*;q=0.8,Text/HTML', 'VA3'],
  ];
  for (const [name, first, second, rule] of equal) {
    test(`${rule} ${name}: "${first}" means "${second}"`, () => {
      expect(normaliseVaryValue(name, first)).toBe(normaliseVaryValue(name, second));
    });
  }

  const different: [name: string, first: string, second: string, rule: string][] = [
    ['foo', '1, 2', '2, 1', 'VA2'],
    ['foo', 'a', 'A', 'VA2'],
    ['foo', '"a, b"', '"a,b"', 'VA2'],
    ['accept-language', 'en, de;q=0.5', 'en;q=0.5, de', 'VA3'],
    ['accept', 'text/html;profile=A', 'text/html;profile=a', 'VA3'],
    ['accept-encoding', 'gzip;q=0', 'gzip', 'VA3'],
    ['accept', 'a;q=0.x', 'a;q=0.y', 'VA3'],
    ['accept', 'a;q=. 0', 'a;q=', 'VA3'],
    ['accept', 'l"x",a"', 'a",l"x"', 'VA3'],
  ];
  for (const [name, first, second, rule] of different) {
    test(`${rule} ${name}: "${first}" is not "${second}"`, () => {
      expect(normaliseVaryValue(name, first)).not.toBe(normaliseVaryValue(name, second));
    });
  }

  test('VA2 the normal form is its own normal form, remembered or not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('foo', 'accept', 'accept-language', 'accept-encoding'),
        fc.string({ unit: fc.constantFrom('a', 'B', ',', ';', ' ', 'q', '=', '0', '.', '1', '"') }),
        (name, value) => {
          const normal = normaliseVaryValue(name, value);
          expect(normaliseVaryValue(name, value)).toBe(normal);
          expect(normaliseVaryValue(name, normal)).toBe(normal);
        },
      ),
    );
  });

  test('VA2 the memory of values is bounded and forgetting changes nothing', () => {
    for (let i = 0; i < 2_000; i++) expect(normaliseVaryValue('foo', `x, ${i}`)).toBe(`x,${i}`);
    for (let i = 0; i < 40; i++) expect(normaliseVaryValue(`name-${i}`, 'a, b')).toBe('a,b');
    expect(normaliseVaryValue('foo', `${'a'.repeat(300)}, b`)).toBe(`${'a'.repeat(300)},b`);
  });
});

describe('the preferred language', () => {
  const cases: [value: string, expected: string | null][] = [
    ['de', 'de'],
    ['fr;q=0.5, de;q=1.0', 'de'],
    ['fr;q=0.5, DE-ch', 'de-ch'],
    ['en, de', null],
    ['en, de, en;q=0.1', null],
    ['*', null],
    ['de;q=0', null],
    ['de;q=x', null],
    ['de;q=2', null],
    [';', null],
    ['', null],
  ];
  for (const [value, expected] of cases) {
    test(`VA5 of "${value}" is ${expected}`, () => expect(preferredLanguage(value)).toBe(expected));
  }
});
