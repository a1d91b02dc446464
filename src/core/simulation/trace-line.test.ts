import { describe, expect, test } from 'bun:test';
import { formatTraceRecord, formatTraceStart, parseTraceLine } from './trace-line.ts';

describe('lines of traces', () => {
  test('what is written is read again', () => {
    expect(parseTraceLine(formatTraceStart(1 / 64, '2026-01-31T12:00:00.000Z').trimEnd(), true)).toEqual({
      kind: 'start',
      share: 1 / 64,
    });
    const line = formatTraceRecord({ at: 17, key: '9f8a', bytes: 5_123, freshSeconds: -4, isHit: true });
    expect(line).toBe('17,9f8a,5123,-4,1\n');
    expect(parseTraceLine(line, false)).toEqual({ kind: 'request', key: '9f8a', bytes: 5_123, isHit: true });
  });

  for (const [line, key, bytes] of [
    ['0,1,4096', '1', 4_096],
    ['1.5, abc , 7', 'abc', 7],
    ['12 object 0', 'object', 0],
    ['3\tx\t9\tmore\tcolumns', 'x', 9],
  ] as const) {
    test(`of others: ${JSON.stringify(line)}`, () => {
      expect(parseTraceLine(line, false)).toMatchObject({ kind: 'request', key, bytes });
    });
  }

  test('names of columns, comments and empty lines are none', () => {
    expect(parseTraceLine('time,id,size', true)).toEqual({ kind: 'none' });
    expect(parseTraceLine('# anything', false)).toEqual({ kind: 'none' });
    expect(parseTraceLine('  ', false)).toEqual({ kind: 'none' });
  });

  for (const [line, reason] of [
    ['time,id,size', /begin with a time/],
    ['1,2', /fewer columns/],
    ['1,a,-4', /whole number/],
    ['1,a,1e9', /whole number/],
    [`1,${'k'.repeat(257)},4`, /more than 256 characters/],
    ['# perigee trace 2, share 1, now', /version 2/],
    ['# perigee trace 1, share x', /form that is not known/],
    ['# perigee trace 1, share 0.0, now', /share of nothing/],
  ] as const) {
    test(`refused: ${JSON.stringify(line.slice(0, 40))}`, () => {
      expect(parseTraceLine(line, false)).toMatchObject({
        kind: 'bad',
        reason: expect.stringMatching(reason),
      });
    });
  }
});
