import { describe, expect, test } from 'bun:test';
import { durationToTyped, formatDuration, formatLifetime, parseDuration } from './duration.ts';

describe('durations', () => {
  test.each([
    [0, '0 s'],
    [45.4, '45 s'],
    [200, '3 m 20 s'],
    [3_600, '1 h'],
    [3_605, '1 h'],
    [187_200, '2 d 4 h'],
  ])('%d s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  test.each([
    ['3600', 3_600],
    ['10m', 600],
    ['1 day', 86_400],
    ['1h 30m', 5_400],
    [' 2 Hours ', 7_200],
    ['0', 0],
    ['', null],
    ['soon', null],
    ['-5', null],
    ['1.5h', null],
    ['5 months', null],
  ])('typed as %p', (typed, seconds) => expect(parseDuration(typed)).toBe(seconds));

  test('what is shown for typing can be typed', () => {
    for (const seconds of [0, 1, 59, 60, 90, 3_600, 86_400, 604_800, 31_536_000, 12_345]) {
      expect(parseDuration(durationToTyped(seconds))).toBe(seconds);
    }
  });

  test('lifetimes in whole units', () => {
    expect(formatLifetime(604_800)).toBe('7 days');
    expect(formatLifetime(3_600)).toBe('1 hour');
    expect(formatLifetime(5_400)).toBe('90 minutes');
  });
});
