import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type ByteRange, formatContentRange, formatUnsatisfiedRange, parseRange } from './ranges.ts';

describe('ranges of 10 bytes', () => {
  const cases: [value: string, expected: ByteRange | 'unsatisfiable' | null, rule: string][] = [
    ['bytes=0-1', { start: 0, end: 2 }, 'RA1'],
    ['Bytes = 0-1 ', { start: 0, end: 2 }, 'RA1'],
    ['bytes=1-', { start: 1, end: 10 }, 'RA1'],
    ['bytes=-1', { start: 9, end: 10 }, 'RA1'],
    ['bytes=-100', { start: 0, end: 10 }, 'RA1'],
    ['bytes=5-100', { start: 5, end: 10 }, 'RA1'],
    ['bytes=0-99999999999999999999999', { start: 0, end: 10 }, 'RA1'],
    ['bytes=0-1,3-4', null, 'RA2'],
    ['items=0-1', null, 'RA2'],
    ['bytes', null, 'RA2'],
    ['bytes=', null, 'RA2'],
    ['bytes=-', null, 'RA2'],
    ['bytes=a-b', null, 'RA2'],
    ['bytes=1-b', null, 'RA2'],
    ['bytes=5-4', null, 'RA2'],
    ['bytes=--1', null, 'RA2'],
    ['bytes=10-', 'unsatisfiable', 'RA3'],
    ['bytes=99999999999999999999999-', 'unsatisfiable', 'RA3'],
    ['bytes=-0', 'unsatisfiable', 'RA3'],
  ];
  for (const [value, expected, rule] of cases) {
    test(`${rule} ${value}`, () => expect(parseRange(value, 10)).toEqual(expected));
  }

  test('RA3 an empty body satisfies no range', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-5', 0)).toBe('unsatisfiable');
  });

  test('RA1 a range never leaves the body', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', '1', '9', '-') }), fc.nat(1000), (spec, length) => {
        const range = parseRange(`bytes=${spec}`, length);
        if (range === null || range === 'unsatisfiable') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThan(range.start);
        expect(range.end).toBeLessThanOrEqual(length);
      }),
    );
  });

  test('RA1 what is sent', () => {
    expect(formatContentRange({ start: 0, end: 2 }, 10)).toBe('bytes 0-1/10');
    expect(formatUnsatisfiedRange(10)).toBe('bytes */10');
  });
});
