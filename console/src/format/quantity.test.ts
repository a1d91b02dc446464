import { describe, expect, test } from 'bun:test';
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatDistance,
  formatMilliseconds,
  formatRate,
  formatRatio,
} from './quantity.ts';

describe('quantities', () => {
  test.each([
    [0, '0'],
    [8, '8'],
    [9_999, '9,999'],
    [12_500, '12.5k'],
    [999_600, '1M'],
    [3_400_000, '3.4M'],
  ])('count %d', (count, text) => expect(formatCount(count)).toBe(text));

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [999.7, '1 kB'],
    [1_250_000, '1.25 MB'],
    [-2_000, '−2 kB'],
    [1e30, '1000000000000 EB'],
  ])('bytes %d', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [null, '–'],
    [0, '0%'],
    [1, '100%'],
    [0.0004, '< 0.1%'],
    [0.9997, '99.97%'],
    [0.999999, '99.99%'],
    [0.975, '97.5%'],
  ])('a ratio of %p never claims a whole it is not', (ratio, text) => expect(formatRatio(ratio)).toBe(text));

  test('rates, times and distances', () => {
    expect(formatRate(0)).toBe('0');
    expect(formatRate(0.01)).toBe('< 0.1');
    expect(formatRate(2.04)).toBe('2');
    expect(formatRate(1234.6)).toBe('1,235');
    expect(formatBitRate(1_562_500)).toBe('12.5 Mb/s');
    expect(formatMilliseconds(null)).toBe('–');
    expect(formatMilliseconds(0.254)).toBe('0.25 ms');
    expect(formatMilliseconds(1_500)).toBe('1.5 s');
    expect(formatDistance(9_312.4)).toBe('9,312 km');
  });
});
