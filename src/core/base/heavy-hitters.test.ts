import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { HeavyHitters } from './heavy-hitters.ts';

test('few are counted exactly, the most frequent first', () => {
  const hitters = new HeavyHitters<string>(4);
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) hitters.add(key, 10, () => key.toUpperCase());
  expect(hitters.top(2)).toEqual([
    { key: 'a', count: 30, value: 'A' },
    { key: 'b', count: 20, value: 'B' },
  ]);
});

test('of any order none is counted too low, none too high by more than the bound, and who is above it is there', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 400 }), fc.integer({ min: 1, max: 12 }), (keys, places) => {
      const hitters = new HeavyHitters<null>(places);
      const exact = new Map<string, number>();
      for (const number of keys) {
        const key = String(number);
        hitters.add(key, 1, () => null);
        exact.set(key, (exact.get(key) ?? 0) + 1);
      }
      const bound = keys.length / places;
      const top = hitters.top(100);
      expect(top.length).toBeLessThanOrEqual(places);
      for (const { key, count } of top) {
        const due = exact.get(key) as number;
        expect(count).toBeGreaterThanOrEqual(due);
        expect(count).toBeLessThanOrEqual(due + bound);
      }
      for (const [key, count] of exact) {
        if (count > bound) expect(top.map((each) => each.key)).toContain(key);
      }
    }),
  );
});
