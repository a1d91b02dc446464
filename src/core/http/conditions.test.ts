import { describe, expect, test } from 'bun:test';
import { evaluatePreconditions, isRangeCurrent, type PreconditionOutcome } from './conditions.ts';
import { formatHttpDate } from './dates.ts';
import { Fields } from './fields.ts';

const MODIFIED = Date.UTC(2026, 0, 1);
const NOW = Date.UTC(2026, 6, 1);
const EARLIER = formatHttpDate(MODIFIED - 1000);
const SAME = formatHttpDate(MODIFIED);
const LATER = formatHttpDate(MODIFIED + 1000);
const STORED = { etag: '"a"', lastModifiedAt: MODIFIED, status: 200 };

type Case = [
  method: string,
  fields: Record<string, string>,
  expected: PreconditionOutcome,
  rule: string,
  stored?: Partial<typeof STORED> | { etag: null } | { lastModifiedAt: null },
];

const CASES: Case[] = [
  ['GET', {}, 'proceed', 'CO1'],
  ['GET', { 'if-none-match': '"a"' }, 'not-modified', 'CO1'],
  ['HEAD', { 'if-none-match': '"a"' }, 'not-modified', 'CO1'],
  ['PUT', { 'if-none-match': '"a"' }, 'precondition-failed', 'CO1'],
  ['GET', { 'if-none-match': '"b"' }, 'proceed', 'CO1'],
  ['GET', { 'if-none-match': '"b", "a"' }, 'not-modified', 'CO1'],
  ['GET', { 'if-none-match': '"x, y", "a"' }, 'not-modified', 'CO1'],
  ['GET', { 'if-none-match': '"x, "a' }, 'proceed', 'CO1'],
  ['GET', { 'if-none-match': ', ,' }, 'proceed', 'CO1'],
  ['GET', { 'if-none-match': '*' }, 'not-modified', 'CO1'],
  ['GET', { 'if-none-match': '"a"' }, 'proceed', 'CO1', { etag: null }],
  ['GET', { 'if-none-match': '"a"' }, 'proceed', 'CO1', { status: 404 }],
  ['GET', { 'if-none-match': '"a"', 'if-modified-since': EARLIER }, 'not-modified', 'CO1'],
  ['GET', { 'if-none-match': '"b"', 'if-modified-since': SAME }, 'proceed', 'CO1'],
  ['GET', { 'if-none-match': 'W/"a"' }, 'not-modified', 'CO2'],
  ['GET', { 'if-none-match': '"a"' }, 'not-modified', 'CO2', { etag: 'W/"a"' }],
  ['GET', { 'if-none-match': 'a' }, 'not-modified', 'CO2'],
  ['GET', { 'if-none-match': 'w/"a"' }, 'not-modified', 'CO2', { etag: 'w/"a"' }],
  ['GET', { 'if-match': '"a"' }, 'proceed', 'CO1'],
  ['GET', { 'if-match': '*' }, 'proceed', 'CO1'],
  ['GET', { 'if-match': '"b"' }, 'precondition-failed', 'CO1'],
  ['GET', { 'if-match': 'W/"a"' }, 'precondition-failed', 'CO2'],
  ['GET', { 'if-match': '"a"', 'if-none-match': '"a"' }, 'not-modified', 'CO1'],
  ['GET', { 'if-unmodified-since': EARLIER }, 'precondition-failed', 'CO1'],
  ['GET', { 'if-unmodified-since': SAME }, 'proceed', 'CO1'],
  ['GET', { 'if-unmodified-since': 'rubbish' }, 'proceed', 'CO1'],
  ['GET', { 'if-unmodified-since': EARLIER }, 'proceed', 'CO1', { lastModifiedAt: null }],
  ['GET', { 'if-match': '"a"', 'if-unmodified-since': EARLIER }, 'proceed', 'CO1'],
  ['GET', { 'if-modified-since': SAME }, 'not-modified', 'CO3'],
  ['GET', { 'if-modified-since': LATER }, 'not-modified', 'CO3'],
  ['GET', { 'if-modified-since': EARLIER }, 'proceed', 'CO3'],
  ['GET', { 'if-modified-since': 'rubbish' }, 'proceed', 'CO3'],
  ['GET', { 'if-modified-since': SAME }, 'proceed', 'CO3', { lastModifiedAt: null }],
  ['POST', { 'if-modified-since': SAME }, 'proceed', 'CO3'],
];

describe('preconditions', () => {
  for (const [method, fields, expected, rule, stored] of CASES) {
    test(`${rule} ${method} ${JSON.stringify(fields)} → ${expected}`, () => {
      const request = Fields.of(Object.entries(fields));
      expect(evaluatePreconditions(method, request, { ...STORED, ...stored }, NOW)).toBe(expected);
    });
  }
});

describe('If-Range', () => {
  const cases: [value: string | null, expected: boolean][] = [
    [null, true],
    ['"a"', true],
    ['"b"', false],
    ['W/"a"', false],
    [SAME, true],
    [LATER, false],
    ['rubbish', false],
  ];
  for (const [value, expected] of cases) {
    test(`RA4 ${value} → ${expected}`, () => expect(isRangeCurrent(value, STORED, NOW)).toBe(expected));
  }
  test('RA4 nothing matches a response without validators', () => {
    const bare = { etag: null, lastModifiedAt: null, status: 200 };
    expect(isRangeCurrent('"a"', bare, NOW)).toBe(false);
    expect(isRangeCurrent(SAME, bare, NOW)).toBe(false);
  });
});
