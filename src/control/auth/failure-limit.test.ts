import { describe, expect, test } from 'bun:test';
import { CONTROL_LIMITS } from '../limits.ts';
import { FailureLimit } from './failure-limit.ts';

describe('FailureLimit', () => {
  test('allows the limit, then names the wait, then forgives after a minute', () => {
    let now = 1_000;
    const limit = new FailureLimit({ now: () => now });
    for (let i = 0; i < CONTROL_LIMITS.authFailuresPerMinuteMax; i++) {
      expect(limit.countFailure('192.0.2.1')).toBe(0);
    }
    expect(limit.countFailure('192.0.2.1')).toBe(60);
    expect(limit.countFailure('192.0.2.2')).toBe(0);
    now += 59_500;
    expect(limit.countFailure('192.0.2.1')).toBe(1);
    now += 500;
    expect(limit.countFailure('192.0.2.1')).toBe(0);
  });

  test('remembers a bounded number of addresses', () => {
    const limit = new FailureLimit({ now: () => 0 });
    for (let i = 0; i < CONTROL_LIMITS.authFailuresPerMinuteMax; i++) limit.countFailure('first');
    for (let i = 0; i < CONTROL_LIMITS.authAddressesMax; i++) limit.countFailure(`address ${i}`);
    expect(limit.countFailure('first')).toBe(0);
  });
});
