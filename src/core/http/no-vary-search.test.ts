import { describe, expect, test } from 'bun:test';
import { parseNoVarySearch, significantSearch } from './no-vary-search.ts';

describe('No-Vary-Search', () => {
  const queries = 'b=2&utm_x=1&a=1&b=1&%61=3';
  test.each<[value: string, query: string | null, expected: string]>([
    ['params', queries, ''],
    ['params', null, ''],
    ['params=("utm_x" "ref")', queries, 'b=2&a=1&b=1&%61=3'],
    ['params=("a")', queries, 'b=2&utm_x=1&b=1'],
    ['params, except=("a")', queries, 'a=1&%61=3'],
    ['params, except=("b"), key-order', queries, 'b=2&b=1'],
    ['key-order', queries, 'a=1&%61=3&b=2&b=1&utm_x=1'],
    ['key-order, params=?0', 'b&&a', 'a&b'],
    ['params=("a b")', 'a+b=1&a%20b=2&a=3', 'a=3'],
    ['params=("%zz")', '%zz=1&a', 'a'],
    ['params=("a");x=1', 'a=1&b', 'b'],
  ])('NV1 "%s": "%s" counts as "%s"', (value, query, expected) => {
    const variance = parseNoVarySearch(value);
    if (variance === null) throw new Error('it says something');
    expect(significantSearch(query, variance)).toBe(expected);
  });

  test.each<[value: string | null]>([
    [null],
    [''],
    ['params=?0'],
    ['params=()'],
    ['params=(1)'],
    ['params="a"'],
    ['params, except="a"'],
    ['params, except=(a)'],
    ['except=("a")'],
    ['params=("a"), except=("b")'],
    ['key-order=1'],
    ['params, other'],
    ['params=("a'],
  ])('NV1 "%s" says nothing', (value) => expect(parseNoVarySearch(value)).toBeNull());
});
