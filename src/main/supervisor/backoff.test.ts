import { expect, test } from 'bun:test';
import { restartDelayMs } from './backoff.ts';

test('the wait doubles from 100 ms and stays at 10 s', () => {
  expect([0, 1, 2, 6, 7, 50, 1e9].map(restartDelayMs)).toEqual([
    100, 200, 400, 6_400, 10_000, 10_000, 10_000,
  ]);
});
