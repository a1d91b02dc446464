import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  parseDictionary,
  parseItem,
  parseList,
  serialiseString,
  serialiseTokenOrString,
} from './structured-fields.ts';

describe('structured fields (RFC 9651)', () => {
  const items: [text: string, type: string, value: unknown][] = [
    ['42', 'integer', 42],
    ['-999999999999999', 'integer', -999_999_999_999_999],
    ['4.5', 'decimal', 4.5],
    ['-0.125', 'decimal', -0.125],
    ['"a\\"b\\\\"', 'string', 'a"b\\'],
    ['*tok/en:x', 'token', '*tok/en:x'],
    [':aGk=:', 'byte-sequence', 'aGk='],
    ['?1', 'boolean', true],
    ['?0', 'boolean', false],
    ['@1659578233', 'date', 1_659_578_233],
    ['%"f%c3%bc"', 'display-string', 'f%c3%bc'],
    ['  5  ', 'integer', 5],
  ];
  for (const [text, type, value] of items) {
    test(`CC7 item ${text}`, () => expect(parseItem(text)?.item as unknown).toEqual({ type, value }));
  }

  for (const text of [
    '',
    '1 2',
    '1.',
    '1.2345',
    '1234567890123.1',
    '1234567890123456',
    '-',
    '-a',
    '"a',
    '"\u0001"',
    '"é"',
    '"\\a"',
    '"\\',
    ':a b:',
    ':aGk=',
    '?2',
    '?',
    '@1.5',
    '%a',
    '%"a',
    '%"%C3"',
    '%"%c"',
    '%"\u0001"',
    '&',
    'a;',
    'a;B=1',
    '\tx',
    'é',
  ]) {
    test(`CC7 refuses the item "${text}"`, () => expect(parseItem(text)).toBeNull());
  }

  test('CC7 parameters', () => {
    const item = parseItem('a; b=1;c;  d="x";b=2');
    expect([...(item?.parameters ?? [])]).toEqual([
      ['c', { type: 'boolean', value: true }],
      ['d', { type: 'string', value: 'x' }],
      ['b', { type: 'integer', value: 2 }],
    ]);
  });

  test('CC7 dictionaries', () => {
    const dictionary = parseDictionary('max-age=5, no-store , a=(1 "x";y b);z,a=?0');
    expect([...(dictionary ?? [])].map(([key]) => key)).toEqual(['max-age', 'no-store', 'a']);
    expect(dictionary?.get('no-store')).toMatchObject({ item: { type: 'boolean', value: true } });
    expect(dictionary?.get('a')).toMatchObject({ item: { type: 'boolean', value: false } });
    expect(parseDictionary('')?.size).toBe(0);
    for (const text of [
      'max-age =5',
      'max-age= 5',
      'MaX=5',
      'a,',
      ',a',
      'a,,b',
      'a b',
      'a, &&&',
      '1=2',
      'a=(1',
    ]) {
      expect(parseDictionary(text)).toBeNull();
    }
  });

  test('CC7 lists', () => {
    expect(parseList('"a", b;c, (1 2), ()')?.map((member) => member.kind)).toEqual([
      'item',
      'item',
      'inner-list',
      'inner-list',
    ]);
    expect(parseList('')).toEqual([]);
    for (const text of ['a,', '(a', '(a"b")', '(a, b)', 'a;b;']) expect(parseList(text)).toBeNull();
    expect(parseList('(  a   b  );x')).toMatchObject([{ items: [{}, {}] }]);
  });

  test('CC7 too many members make a field invalid', () => {
    const many = Array.from({ length: 1_025 }, (_, index) => `k${index}`);
    expect(parseList(many.join(','))).toBeNull();
    expect(parseDictionary(many.join(','))).toBeNull();
    expect(parseList(`(${many.join(' ')})`)).toBeNull();
    expect(parseItem(`a;${many.join(';')}`)).toBeNull();
  });

  test('CC7 nothing throws', () => {
    const unit = fc.constantFrom(
      'a',
      '1',
      '"',
      '(',
      ')',
      ',',
      ';',
      '=',
      ' ',
      '\\',
      ':',
      '?',
      '@',
      '%',
      '-',
      '.',
      'é',
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        parseDictionary(text);
        parseList(text);
        parseItem(text);
      }),
      { numRuns: 500 },
    );
  });

  test('CS1 strings that are written are read back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(parseItem(serialiseString(text))?.item.value).toBe(text);
      }),
    );
    expect(serialiseString('é\n')).toBe('"??"');
    expect(serialiseTokenOrString('uri-miss')).toBe('uri-miss');
    expect(serialiseTokenOrString('two words')).toBe('"two words"');
    expect(serialiseTokenOrString('9x')).toBe('"9x"');
    expect(serialiseTokenOrString('')).toBe('""');
  });
});

test('a mistake of ours is not taken for an invalid field', () => {
  expect(() => parseItem(null as unknown as string)).toThrow(TypeError);
});
