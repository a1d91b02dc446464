import { expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../test/support/until.ts';
import { DeadlineSweep } from './deadline-sweep.ts';

test('ticks last at least as long as asked', () => {
  const sweep = new DeadlineSweep(100);
  expect([0, 1, 100, 101, 1000].map((ms) => sweep.ticks(ms))).toEqual([1, 2, 2, 3, 11]);
});

test('calls the guarded, which may leave while it does, and rests when there are none', async () => {
  const sweep = new DeadlineSweep(1);
  const seen: number[] = [];
  const leaving = {
    onTick(tick: number) {
      seen.push(tick);
      if (seen.length === 3) sweep.delete(leaving);
    },
  };
  sweep.add(leaving);
  await until('it has left', () => seen.length === 3);
  const last = sweep.tick;
  await sleep(20);
  expect([seen, sweep.tick]).toEqual([[1, 2, 3], last]);
});
