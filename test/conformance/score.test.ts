import { expect, test } from 'bun:test';
import { judge, scoreLine, testsOf } from './score.ts';

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
