import { describe, expect, test } from 'bun:test';
import { RecentKeys } from './recent-keys.ts';

describe('recent keys', () => {
  test('count for their time, from when they were named last', () => {
    const keys = new RecentKeys(100, 1_000);
    expect(keys.has('a', 0)).toBe(false);
    keys.add('a', 0);
    keys.add('a', 500);
    expect(keys.has('a', 1_499)).toBe(true);
    expect(keys.has('b', 1_499)).toBe(false);
    expect(keys.has('a', 1_500)).toBe(false);
    expect(keys.has('a', 0)).toBe(false);
  });

  test('are few: the newest half is known, and twice that at most', () => {
    const keys = new RecentKeys(100, 1_000);
    for (let i = 0; i < 1_000; i++) {
      keys.add(`k${i}`, 0);
      for (let age = 0; age < 50 && age <= i; age++) expect(keys.has(`k${i - age}`, 0)).toBe(true);
      const known = Array.from({ length: i + 1 }, (_, j) => `k${j}`).filter((key) => keys.has(key, 0));
      expect(known.length).toBeLessThanOrEqual(100);
    }
  });

  test('are forgotten when told so, the older ones too, and those named again with them', () => {
    const keys = new RecentKeys(4, 1_000);
    for (const key of ['a', 'b', 'c']) keys.add(key, 0);
    keys.add('a', 10);
    keys.delete('a');
    keys.delete('c');
    expect(['a', 'b', 'c'].map((key) => keys.has(key, 20))).toEqual([false, true, false]);
  });

  test('named again they count longer, whichever map they were in', () => {
    const keys = new RecentKeys(4, 1_000);
    for (const key of ['a', 'b', 'c']) keys.add(key, 0);
    keys.add('a', 600);
    expect(keys.has('a', 1_500)).toBe(true);
    expect(keys.has('a', 1_600)).toBe(false);
    expect(keys.has('a', 600)).toBe(false);
  });
});
