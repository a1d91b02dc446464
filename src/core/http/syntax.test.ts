import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  hasOpenQuote,
  isToken,
  parseDeltaSeconds,
  splitList,
  splitParameters,
  trimWhitespace,
  unquote,
} from './syntax.ts';

describe('shared grammar', () => {
  test('CC1 commas within quotes do not separate', () => {
    expect(splitList('a="x, y", b ,, c="\\",d"')).toEqual(['a="x, y"', 'b', 'c="\\",d"']);
    expect(splitList('a="never closed, b')).toEqual(['a="never closed, b']);
    expect(splitList('a="\\')).toEqual(['a="\\']);
    expect(splitList('')).toEqual([]);
    expect(splitList(' , ,')).toEqual([]);
    expect(splitParameters('text/html; q=0.5 ;a="x;y"')).toEqual(['text/html', 'q=0.5', 'a="x;y"']);
  });

  test('VA3 a quote that is never closed is open', () => {
    for (const text of ['', 'a', '"a"', '"a\\"b"', 'a "b" c']) expect(hasOpenQuote(text)).toBe(false);
    for (const text of ['"', 'a"', '"a\\"', '"a" "b']) expect(hasOpenQuote(text)).toBe(true);
  });

  test('unquote reads exactly one quoted string', () => {
    expect(unquote('"a\\"b"')).toBe('a"b');
    expect(unquote('""')).toBe('');
    for (const text of ['a', '"', '"a', 'a"', '"a"b"', '"a\\"', "'a'"]) expect(unquote(text)).toBeNull();
  });

  test('CC4 delta-seconds are digits, capped at 2^31', () => {
    expect(parseDeltaSeconds('003600')).toBe(3600);
    expect(parseDeltaSeconds('2147483648')).toBe(2_147_483_648);
    expect(parseDeltaSeconds('99999999999')).toBe(2_147_483_648);
    expect(parseDeltaSeconds('9'.repeat(1000))).toBe(2_147_483_648);
    for (const text of ['', '-1', '1.0', '1a', 'a1', ' 1', "'1'"]) expect(parseDeltaSeconds(text)).toBeNull();
  });

  test('whitespace is space and tab only', () => {
    expect(trimWhitespace(' \ta b\t ')).toBe('a b');
    expect(trimWhitespace('\u00a0a')).toBe('\u00a0a');
    expect(trimWhitespace('')).toBe('');
    expect(isToken('')).toBe(false);
    expect(isToken('a b')).toBe(false);
    expect(isToken('é')).toBe(false);
    expect(isToken("x-y_z.!#$%&'*+^`|~9")).toBe(true);
  });

  test('nothing throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        splitList(text);
        splitParameters(text);
        unquote(text);
        parseDeltaSeconds(text);
      }),
    );
  });
});
