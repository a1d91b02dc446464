import { describe, expect, test } from 'bun:test';
import { browserCacheControl } from './browser-ttl.ts';

describe('Cache-Control for browsers', () => {
  const cases: [rule: string, original: string | null, ttl: number, age: number, expected: string | null][] =
    [
      ['BT1', null, 60, 0, 'max-age=60'],
      ['BT1', 's-maxage=600, max-age=5', 60, 100, 'max-age=160'],
      ['BT1', 'max-age=5', 0, 100, 'max-age=0'],
      ['BT1', 'private, max-age=5, must-revalidate', 60, 0, 'max-age=60, private, must-revalidate'],
      ['BT1', 'immutable, no-transform', 60, 0, 'max-age=60, no-transform, immutable'],
      ['BT1', 'public, max-age=5', 60, 0, 'max-age=60, public'],
      ['BT2', 'no-store', 60, 0, null],
    ];
  for (const [rule, original, ttl, age, expected] of cases) {
    test(`${rule} ${original} with ${ttl} s at age ${age}: ${expected}`, () => {
      expect(browserCacheControl(original, ttl, age)).toBe(expected);
    });
  }
});
