import { describe, expect, test } from 'bun:test';
import { HTTP3_LIMITS } from './limits.ts';
import { Renewal, type RenewalReason } from './renewal.ts';

const LIMITS = { ...HTTP3_LIMITS, renewalIntervalMs: 5, renewalWaitMs: 60, forcedRenewalIntervalMs: 100 };

/** The first moment, in ms from when `reason` was wanted, at which it is due; null: not within a second. */
function dueAfter(renewal: Renewal, reason: RenewalReason, from: number, isQuiet: boolean): number | null {
  renewal.want(reason, from);
  for (let passed = 0; passed < 1000; passed++) {
    if (renewal.due(from + passed, isQuiet) === reason) return passed;
  }
  return null;
}

describe('a renewal is due', () => {
  test.each<[RenewalReason, boolean, number | null]>([
    ['certificates', true, 0],
    ['certificates', false, 60],
    ['memory', true, 0],
    ['memory', false, 0],
    ['unfinished', true, 0],
    ['unfinished', false, null],
  ])('the first time: for %s, with nothing under way: %p', (reason, isQuiet, expected) => {
    expect(dueAfter(new Renewal(LIMITS), reason, 1000, isQuiet)).toBe(expected);
  });

  test.each<[RenewalReason, number]>([
    ['certificates', 5],
    ['memory', 100],
    ['unfinished', 100],
  ])('again, for %s, after its interval alone', (reason, expected) => {
    const renewal = new Renewal(LIMITS);
    renewal.done(1000);
    expect(dueAfter(renewal, reason, 1000, true)).toBe(expected);
  });

  test('for nothing that was not wanted since the last one', () => {
    const renewal = new Renewal(LIMITS);
    renewal.want('memory', 0);
    renewal.want('certificates', 0);
    expect(renewal.due(0, true)).toBe('memory');
    renewal.done(0);
    expect(renewal.due(10_000, true)).toBeNull();
  });

  test('from when it was first wanted', () => {
    const renewal = new Renewal(LIMITS);
    renewal.want('certificates', 0);
    renewal.want('certificates', 50);
    expect(renewal.due(59, false)).toBeNull();
    expect(renewal.due(60, false)).toBe('certificates');
  });

  test('for certificates while memory, which was wanted too, has to wait', () => {
    const renewal = new Renewal(LIMITS);
    renewal.done(0);
    renewal.want('memory', 0);
    renewal.want('certificates', 0);
    expect(renewal.due(5, true)).toBe('certificates');
  });
});
