import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  type ByteRange,
  firstPosition,
  formatContentRange,
  formatUnsatisfiedRange,
  parseContentRange,
  parseRanges,
} from './ranges.ts';

describe('ranges of 10 bytes', () => {
  const one = (start: number, end: number): ByteRange[] => [{ start, end }];
  const cases: [value: string, expected: readonly ByteRange[] | 'unsatisfiable' | null, rule: string][] = [
    ['bytes=0-1', one(0, 2), 'RA1'],
    ['Bytes = 0-1 ', one(0, 2), 'RA1'],
    ['bytes=1-', one(1, 10), 'RA1'],
    ['bytes=-1', one(9, 10), 'RA1'],
    ['bytes=-100', one(0, 10), 'RA1'],
    ['bytes=5-100', one(5, 10), 'RA1'],
    ['bytes=0-99999999999999999999999', one(0, 10), 'RA1'],
    ['bytes=0-1, , 3-4', one(0, 5), 'RA5'],
    ['bytes=3-4,0-3', one(0, 5), 'RA5'],
    ['bytes=0-0,20-30', one(0, 1), 'RA5'],
    ['bytes=20-,30-', 'unsatisfiable', 'RA3'],
    ['bytes=0-1,x', null, 'RA2'],
    [`bytes=${'0-1,'.repeat(129)}`, null, 'RA2'],
    ['items=0-1', null, 'RA2'],
    ['bytes', null, 'RA2'],
    ['bytes=', null, 'RA2'],
    ['bytes=-', null, 'RA2'],
    ['bytes=5', null, 'RA2'],
    ['bytes=a-b', null, 'RA2'],
    ['bytes=1-b', null, 'RA2'],
    ['bytes=5-4', null, 'RA2'],
    ['bytes=--1', null, 'RA2'],
    ['bytes=10-', 'unsatisfiable', 'RA3'],
    ['bytes=99999999999999999999999-', 'unsatisfiable', 'RA3'],
    ['bytes=-0', 'unsatisfiable', 'RA3'],
  ];
  for (const [value, expected, rule] of cases) {
    test(`${rule} ${value}`, () => expect(parseRanges(value, 10)).toEqual(expected));
  }

  test('RA5 several that are worth parts of their own, in order', () => {
    expect(parseRanges('bytes=5000-5001,0-9,-1', 10_000)).toEqual([
      { start: 0, end: 10 },
      { start: 5_000, end: 5_002 },
      { start: 9_999, end: 10_000 },
    ]);
    const many = Array.from({ length: 17 }, (_, i) => `${i * 1_000}-${i * 1_000}`).join();
    expect(parseRanges(`bytes=${many}`, 100_000)).toBeNull();
  });

  test('RA3 an empty body satisfies no range', () => {
    expect(parseRanges('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRanges('bytes=-5', 0)).toBe('unsatisfiable');
  });

  test('RA1 ranges lie in the body, apart, and hold every byte asked for', () => {
    const units = fc.constantFrom('0', '1', '9', '-', ',');
    fc.assert(
      fc.property(fc.string({ unit: units }), fc.nat(1000), (spec, length) => {
        const ranges = parseRanges(`bytes=${spec}`, length);
        if (ranges === null || ranges === 'unsatisfiable') return;
        let before = -1;
        for (const { start, end } of ranges) {
          expect(start).toBeGreaterThan(before);
          expect(end).toBeGreaterThan(start);
          before = end;
        }
        expect(before).toBeLessThanOrEqual(length);
        for (const single of spec.split(',').filter((part) => part !== '')) {
          const [asked] = [parseRanges(`bytes=${single}`, length)].flat();
          if (asked === 'unsatisfiable' || asked === null || asked === undefined) continue;
          expect(ranges.some(({ start, end }) => start <= asked.start && asked.end <= end)).toBe(true);
        }
      }),
    );
  });

  test('RA1 what is sent', () => {
    expect(formatContentRange({ start: 0, end: 2 }, 10)).toBe('bytes 0-1/10');
    expect(formatUnsatisfiedRange(10)).toBe('bytes */10');
  });
});

test.each<[value: string, expected: number | null]>([
  ['bytes=5-9', 5],
  ['bytes=5-', 5],
  ['bytes=-5', null],
  ['bytes=0-1,5-6', null],
  ['bytes=9-5', null],
  ['items=1-2', null],
])('SL1 "%s" begins at %p, whatever the length', (value, expected) => {
  expect(firstPosition(value)).toBe(expected);
});

test.each<[value: string | null, expected: [number, number, number] | null]>([
  ['bytes 0-9/100', [0, 10, 100]],
  [' Bytes 90-99/100 ', [90, 100, 100]],
  ['bytes 0-9/*', null],
  ['bytes */100', null],
  ['bytes 9-0/100', null],
  ['bytes 0-100/100', null],
  ['bytes 0-9/100, bytes 10-19/100', null],
  ['items 0-9/100', null],
  ['bytes=0-9/100', null],
  [null, null],
])('SL2 Content-Range "%s"', (value, expected) => {
  const read = parseContentRange(value);
  expect(read === null ? null : [read.range.start, read.range.end, read.length]).toEqual(expected);
});
