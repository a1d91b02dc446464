import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatHttpDate, parseHttpDate } from './dates.ts';

const NOW = Date.UTC(2026, 6, 1);

/** An IMF-fixdate read in another way: by pattern, and with the platform's calendar. */
function readImfFixdate(text: string): number | null {
  const pattern = /^(?:sun|mon|tue|wed|thu|fri|sat), (\d\d) ([a-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) gmt$/i;
  const [, day, monthName, year, hour, minute, second] = pattern.exec(text) ?? [];
  const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
  const month = months.indexOf(monthName?.toLowerCase() ?? '');
  if (month === -1 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  // Date.UTC takes years below 100 for those of the last century; 400 years are 146,097 days.
  const late = Date.UTC(Number(year) + 400, month, Number(day), Number(hour), Number(minute));
  if (new Date(late).getUTCDate() !== Number(day)) return null;
  return late - 146_097 * 86_400_000 + Math.min(Number(second), 59) * 1000;
}

const anySecond = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });

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
    'Thursday, 18-Aug-50-02:01:18 GMT',
    'Thursday, 18-Aug-50 02:01:18-GMT',
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
      fc.property(anySecond, (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds * 1000), NOW)).toBe(seconds * 1000);
      }),
    );
  });

  test('DA1 a formatted date is that of its second, whatever was formatted before', () => {
    fc.assert(
      fc.property(anySecond, fc.integer({ min: -1500, max: 1500 }), (second, distance) => {
        for (const ms of [second * 1000, second * 1000 + distance, second * 1000]) {
          const { length } = 'Sun, 06 Nov 1994 08:49:37 GMT';
          expect(formatHttpDate(ms)).toBe(new Date(ms).toUTCString().slice(0, length));
        }
      }),
    );
  });

  test('DA1 what is read of an IMF-fixdate is what the calendar says, also of one changed by chance', () => {
    const change = fc.record({
      at: fc.nat(29),
      removed: fc.constantFrom(0, 1, 1, 1),
      inserted: fc.constantFrom('', '0', '1', '3', '9', ' ', ',', ':', 'g', 'A', 'Dec', 'feb', 'k', 'ı', 'İ'),
    });
    let readable = 0;
    fc.assert(
      fc.property(anySecond, fc.boolean(), fc.array(change, { maxLength: 3 }), (second, isUpper, changes) => {
        let text = new Date(second * 1000).toUTCString();
        if (isUpper) text = text.toUpperCase();
        for (const { at, removed, inserted } of changes) {
          text = text.slice(0, at) + inserted + text.slice(at + removed);
        }
        const expected = readImfFixdate(text);
        if (expected !== null) readable++;
        expect(parseHttpDate(text, NOW)).toBe(expected);
      }),
      { numRuns: 5_000 },
    );
    expect(readable).toBeGreaterThan(1_000);
  });

  test('DA1 the last days of every month of four centuries, and the days that months do not have', () => {
    const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
    for (let year = 1800; year < 2200; year++) {
      for (const month of months) {
        for (let day = 28; day <= 32; day++) {
          const text = `Mon, ${day} ${month} ${year} 00:00:00 GMT`;
          expect(parseHttpDate(text, NOW)).toBe(readImfFixdate(text));
        }
      }
    }
  });

  test('DA1 nothing throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => void parseHttpDate(text, NOW)),
    );
  });
});
