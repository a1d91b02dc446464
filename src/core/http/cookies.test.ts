import { expect, test } from 'bun:test';
import { cookiesOf } from './cookies.ts';
import { Fields } from './fields.ts';

test.each<[lines: string[], expected: [string, string][]]>([
  [[], []],
  [
    ['a=1; b=2'],
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  [
    ['a=1', 'b=2;a=3'],
    [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ],
  ],
  [
    ['a="x, y"; b'],
    [
      ['a', '"x, y"'],
      ['b', ''],
    ],
  ],
  [[' ; =x;; c = d=e '], [['c', 'd=e']]],
])('the cookies of %j', (lines, expected) => {
  const fields = Fields.of(lines.map((line) => ['Cookie', line]));
  expect(cookiesOf(fields).map(({ name, value }) => [name, value])).toEqual(expected);
});
