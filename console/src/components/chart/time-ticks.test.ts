import { describe, expect, test } from 'bun:test';
import { formatTick, timeTicks } from './time-ticks.ts';

describe('ticks of a time axis', () => {
  const noon = new Date(2026, 2, 3, 12, 0, 0).getTime();

  test('are round and evenly spaced, and no more than asked for', () => {
    const ticks = timeTicks(noon + 1_234, noon + 3_600_000, 6);
    expect(ticks.length).toBeGreaterThan(3);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks.map((at) => formatTick(at, 3_600_000))).toEqual([
      '12:10',
      '12:20',
      '12:30',
      '12:40',
      '12:50',
      '13:00',
    ]);
  });

  test('days begin at local midnight', () => {
    const ticks = timeTicks(noon, noon + 7 * 86_400_000, 8);
    expect(ticks.every((at) => new Date(at).getHours() === 0)).toBe(true);
    expect(formatTick(ticks[0] ?? 0, 7 * 86_400_000)).toBe('Wed 4 Mar');
  });

  test('nothing for an empty span', () => {
    expect(timeTicks(noon, noon, 5)).toEqual([]);
    expect(timeTicks(noon, noon + 1_000, 0)).toEqual([]);
  });

  test('a minute is told to the second', () => {
    expect(timeTicks(noon, noon + 60_000, 6).map((at) => formatTick(at, 60_000))).toContain('12:00:15');
  });
});
