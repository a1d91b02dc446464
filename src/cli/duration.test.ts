import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  test.each([
    ['0', 0],
    ['90', 90],
    ['30s', 30],
    ['10m', 600],
    ['1h30m', 5400],
    [' 7D ', 604_800],
    ['1d2h3m4s', 93_784],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text, '--ttl')).toBe(seconds);
  });

  test.each(['', 'h', '1y', '1.5h', '-1s', '1m1h', '1h 30m', '99999999999'])('"%s" is none', (text) => {
    expect(() => parseDuration(text, '--ttl')).toThrow(`--ttl ${text}: must be a duration`);
  });

  test.each([
    [0, '0s'],
    [45, '45s'],
    [59.6, '1m'],
    [600, '10m'],
    [5400, '1h 30m'],
    [86_400, '1d'],
    [86_405, '1d'],
    [2_592_000, '30d'],
    [-5, '0s'],
  ])('%d seconds are shown as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  test('what is shown, read again, is at most one smaller unit short', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31_536_000 }), (seconds) => {
        const read = parseDuration(formatDuration(seconds).replaceAll(' ', ''), 'x');
        expect(read).toBeLessThanOrEqual(seconds);
        expect(seconds - read).toBeLessThan(seconds < 3600 ? 1 : seconds < 86_400 ? 60 : 3600);
      }),
    );
  });
});
