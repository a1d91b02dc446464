import { expect, test } from 'bun:test';
import { countOf, formatBytes, formatCount, formatShare } from './quantity.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [9_994, '9.99 kB'],
  [9_996, '10.0 kB'],
  [814_238, '814 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [8_154_095, '8.15 MB'],
  [2 ** 60, '1153 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('counts and shares', () => {
  expect(formatCount(1_234_567.4)).toBe('1,234,567');
  expect(formatShare(0.9731)).toBe('97.3 %');
  expect(formatShare(null)).toBe('–');
  expect(countOf(1, 'edge')).toBe('1 edge');
  expect(countOf(0, 'edge')).toBe('0 edges');
  expect(countOf(2, 'city', 'cities')).toBe('2 cities');
});
