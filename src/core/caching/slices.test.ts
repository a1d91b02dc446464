import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { exampleHead } from './example-head.cases.ts';
import { SLICE_BYTES } from './limits.ts';
import {
  formatSliceRequest,
  readSlice,
  representationOf,
  sliceAt,
  sliceKeyOf,
  sliceRange,
  slicesKeyOf,
} from './slices.ts';

const MIB = SLICE_BYTES;
const KEY = 'http://a.example/film';

test('SL1 where slices lie, and how they are asked for', () => {
  expect([0, MIB - 1, MIB, 5 * MIB + 7].map(sliceAt)).toEqual([0, 0, 1, 5]);
  expect(sliceRange(1, null)).toEqual({ start: MIB, end: 2 * MIB });
  expect(sliceRange(1, MIB + 5)).toEqual({ start: MIB, end: MIB + 5 });
  expect(formatSliceRequest(2)).toBe(`bytes=${2 * MIB}-${3 * MIB - 1}`);
});

test('SL8 representations differ in validator or length', () => {
  const heads = [
    exampleHead({ etag: '"a"', completeLength: 5 }),
    exampleHead({ etag: '"b"', completeLength: 5 }),
    exampleHead({ etag: '"a"', completeLength: 6 }),
    exampleHead({ etag: null, lastModifiedAt: 1, completeLength: 5 }),
  ];
  expect(new Set(heads.map(representationOf)).size).toBe(4);
  expect(new Set(heads.map((head) => sliceKeyOf(KEY, head, 0))).size).toBe(4);
  expect(slicesKeyOf(KEY)).toBe(`${KEY} slices`);
});

describe('a 206 read as a slice', () => {
  const LENGTH = 2 * MIB + 10;
  const GOOD = { 'Content-Range': `bytes 0-${MIB - 1}/${LENGTH}`, ETag: '"a"' };
  const DATES = {
    Date: 'Thu, 01 Jan 2026 00:01:00 GMT',
    'Last-Modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
  };
  const read = (fields: Record<string, string>, slice = 0) =>
    readSlice(slice, Fields.of(Object.entries(fields)));

  test('SL2 its length, and the fields of the whole', () => {
    const part = read({ ...GOOD, 'Content-Length': String(MIB), 'Content-Type': 'video/mp4' });
    expect([part?.length, [...(part?.fields ?? [])]]).toEqual([
      LENGTH,
      [
        ['ETag', '"a"'],
        ['Content-Type', 'video/mp4'],
      ],
    ]);
    expect(read({ ...GOOD, 'Content-Range': `bytes ${2 * MIB}-${LENGTH - 1}/${LENGTH}` }, 2)?.length).toBe(
      LENGTH,
    );
  });

  const { ETag: _, ...UNTAGGED } = GOOD;
  test.each<[what: string, fields: Record<string, string>, isSlice: boolean]>([
    ['no range', { ETag: '"a"' }, false],
    ['another range', { ...GOOD, 'Content-Range': `bytes 1-${MIB}/${LENGTH}` }, false],
    ['a shorter range', { ...GOOD, 'Content-Range': `bytes 0-${MIB - 2}/${LENGTH}` }, false],
    ['another length', { ...GOOD, 'Content-Length': '5' }, false],
    ['a weak validator', { ...GOOD, ETag: 'W/"a"' }, false],
    ['a validator that is none', { ...GOOD, ETag: 'a' }, false],
    ['no validator', UNTAGGED, false],
    ['a date that is strong', { ...UNTAGGED, ...DATES }, true],
    ['a date too near', { ...UNTAGGED, ...DATES, 'Last-Modified': 'Thu, 01 Jan 2026 00:00:01 GMT' }, false],
    ['a date alone', { ...UNTAGGED, 'Last-Modified': DATES['Last-Modified'] }, false],
    ['an unreadable date', { ...UNTAGGED, ...DATES, 'Last-Modified': 'yesterday' }, false],
  ])('SL2 with %s', (_what, fields, isSlice) => expect(read(fields) !== null).toBe(isSlice));
});
