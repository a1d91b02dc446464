import { expect, test } from 'bun:test';
import type { Logger } from '#platform/log.ts';
import { FailureLog } from './failure-log.ts';
import { ROAD_LIMITS } from './limits.ts';

test('a failing origin is one line per kind and interval, which counts the others', () => {
  const lines: { type: string; unlogged: number }[] = [];
  let now = 0;
  const log = { warn: (line: { type: string; unlogged: number }) => lines.push(line) } as unknown as Logger;
  const failures = new FailureLog({ now: () => now }, log);
  const failed = { site: 'shop', origin: 'http://192.0.2.1', cause: 'refused', isLast: true };
  for (let i = 0; i < 1_000; i++) failures.report({ ...failed, type: 'connection_refused' });
  failures.report({ ...failed, type: 'dns_error' });
  now = ROAD_LIMITS.failureLogIntervalMs;
  failures.report({ ...failed, type: 'connection_refused' });
  expect(lines.map(({ type, unlogged }) => [type, unlogged])).toEqual([
    ['connection_refused', 0],
    ['dns_error', 0],
    ['connection_refused', 999],
  ]);
});
