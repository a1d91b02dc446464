import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from './dates.ts';

const NOW = Date.UTC(2026, 6, 1);

describe('HTTP dates', () => {
  const valid: [text: string, expected: number][] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['THU, 18 AUG 2050 02:01:18 gMT', Date.UTC(2050, 7, 18, 2, 1, 18)],
    ['Thursday, 18-Aug-50 02:01:18 GMT', Date.UTC(2050, 7, 18, 2, 1, 18)],
    ['Wednesday, 18-Aug-76 02:01:18 GMT', Date.UTC(2076, 7, 18, 2, 1, 18)],
    ['Thursday, 18-Aug-77 02:01:18 GMT', Date.UTC(1977, 7, 18, 2, 1, 18)],
    ['Sun, 21 Nov 2286 04:46:39 GMT', Date.UTC(2286, 10, 21, 4, 46, 39)],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2016, 11, 31, 23, 59, 59)],
  ];
  for (const [text, expected] of valid) {
    test(`DA1 reads ${text}`, () => expect(parseHttpDate(text, NOW)).toBe(expected));
  }

  test('DA1 two-digit years follow the clock across a century', () => {
    const in2099 = Date.UTC(2099, 0, 1);
    expect(parseHttpDate('Friday, 01-Jan-10 00:00:00 GMT', in2099)).toBe(Date.UTC(2110, 0, 1));
    expect(parseHttpDate('Friday, 01-Jan-99 00:00:00 GMT', in2099)).toBe(Date.UTC(2099, 0, 1));
  });

  const invalid = [
    '',
    '0',
    'foo',
    'Thu, 18 Aug 2050 02:01:18 UTC',
    'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT',
    'Thu, 18  Aug  2050 02:01:18 GMT',
    'Thu, 18-Aug-2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT',
    'Thu, 31 Feb 2050 02:01:18 GMT',
    'Thu, 00 Feb 2050 02:01:18 GMT',
    'Thu, 18 Xxx 2050 02:01:18 GMT',
    'Xxx, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 24:01:18 GMT',
    'Thu, 18 Aug 2050 23:60:18 GMT',
    'Thu, 18 Aug 2050 23:01:61 GMT',
    'Thu, x8 Aug 2050 02:01:18 GMT',
    'Thu,_18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT',
    'Thursday, 18-Aug-5x 02:01:18 GMT',
    'Thursday, 18-Aug-50 02:01:18 UTC',
    'Thursday, 18 Aug 50 02:01:18 GMT',
    'Nonday, 18-Aug-50 02:01:18 GMT',
    'Thursday, 18-Aug-50',
    'Xun Nov  6 08:49:37 1994',
    'Sun Nov  6_08:49:37 1994',
    'Sun Nov  6 08:49:37 94',
    'Sun Nov  6 08-49-37 1994',
  ];
  for (const text of invalid) {
    test(`DA1 refuses "${text}"`, () => expect(parseHttpDate(text, NOW)).toBeNull());
  }

  test('DA1 what is written is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds * 1000), NOW)).toBe(seconds * 1000);
      }),
    );
  });

  test('DA1 nothing throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => void parseHttpDate(text, NOW)),
    );
  });
});
