import { expect, test } from 'bun:test';
import { better, judge, scoreLine, testsOf } from './score.ts';

const TESTS = testsOf([
  {
    id: 'a',
    tests: [
      { id: 'root', kind: 'check' },
      { id: 'leaf', depends_on: ['root'] },
      { id: 'fine', kind: 'optimal' },
      { id: 'wrong', kind: 'optimal' },
      { id: 'browsers', browser_only: true },
    ],
  },
]);

test('a test counts only if what it depends on passed', () => {
  const results = { root: ['Assertion', 'x'], leaf: true, fine: true, wrong: ['Setup', 'y'] } as const;
  const verdicts = judge(TESTS, results);
  expect(verdicts.map(({ outcome }) => outcome)).toEqual(['fail', 'dependency', 'pass', 'setup']);
  expect(scoreLine(verdicts)).toBe('required 0/1 optimal 1/2 check-yes 0/1');
});

test('a test without a result is not passed', () => {
  expect(judge(TESTS, { root: true }).map(({ outcome }) => outcome)).toEqual([
    'pass',
    'untested',
    'untested',
    'untested',
  ]);
});

test('of two runs the better counts, test by test', () => {
  const first = judge(TESTS, { root: true, leaf: true, fine: ['Assertion', 'x'], wrong: ['Setup', 'y'] });
  const second = judge(TESTS, { root: ['Assertion', 'x'], leaf: true, fine: true, wrong: ['Setup', 'z'] });
  expect(better(first, second).map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'pass', 'setup']);
  expect(better(first, [])).toEqual(first);
});
