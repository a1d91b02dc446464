import { expect, test } from 'bun:test';
import { parsePriority } from './priority.ts';

test.each<[value: string, urgency: number, isIncremental: boolean]>([
  ['', 3, false],
  ['u=0', 0, false],
  ['u=7, i', 7, true],
  ['u=7, i', 7, true],
  ['u=8, i=?0', 3, false],
  ['u=-1', 3, false],
  ['u=1.0', 3, false],
  ['u=(1)', 3, false],
  ['i=1, x=y', 3, false],
  ['i=("a")', 3, false],
  ['u=', 3, false],
  [`u=5, ${'x'.repeat(40)}`, 5, false],
])('"%s" is urgency %p, incremental %p', (value, urgency, isIncremental) => {
  expect(parsePriority(value)).toEqual({ urgency, isIncremental });
});

test('what strangers send does not fill the memory', () => {
  for (let i = 0; i < 200; i++) expect(parsePriority(`u=1, a${i}`).urgency).toBe(1);
});
