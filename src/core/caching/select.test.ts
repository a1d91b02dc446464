import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { EXAMPLE_AT, exampleHead } from './example-head.cases.ts';
import { selectStored, varyValuesOf } from './select.ts';

const request = (...entries: [string, string][]) => Fields.of(entries);
const onFoo = (value: string | null, changes = {}) =>
  exampleHead({ varyNames: ['foo'], varyValues: [value], ...changes });

describe('selection', () => {
  test('SE1 nothing stored, nothing selected', () => expect(selectStored(request(), [])).toBe(-1));

  test('VA2 values are compared in normal form', () => {
    expect(selectStored(request(['Foo', '1, 2']), [onFoo('1,2')])).toBe(0);
    expect(selectStored(request(['Foo', '1'], ['Foo', '2']), [onFoo('1,2')])).toBe(0);
    expect(selectStored(request(['Foo', '2']), [onFoo('1')])).toBe(-1);
    expect(varyValuesOf(request(['Foo', ' 1 , 2']), ['bar', 'foo'])).toEqual([null, '1,2']);
  });

  test('VA4 absent matches only absent', () => {
    expect(selectStored(request(), [onFoo(null)])).toBe(0);
    expect(selectStored(request(['Foo', '1']), [onFoo(null)])).toBe(-1);
    expect(selectStored(request(), [onFoo('1')])).toBe(-1);
    expect(selectStored(request(['Foo', '']), [onFoo(null)])).toBe(-1);
  });

  test('VA5 the language above all others is what was asked for', () => {
    const german = exampleHead({
      varyNames: ['accept-language'],
      varyValues: ['de,en'],
      fields: Fields.of([['Content-Language', 'DE']]),
    });
    expect(selectStored(request(['Accept-Language', 'fr;q=0.5, de;q=1.0']), [german])).toBe(0);
    expect(selectStored(request(['Accept-Language', 'fr, de']), [german])).toBe(-1);
    expect(selectStored(request(['Accept-Language', 'fr']), [german])).toBe(-1);
    expect(selectStored(request(), [german])).toBe(-1);
    const unknown = { ...german, fields: new Fields() };
    expect(selectStored(request(['Accept-Language', 'de']), [unknown])).toBe(-1);
  });

  test('SE1 the newest Date wins, then the last to arrive', () => {
    const old = onFoo('1', { dateAt: EXAMPLE_AT - 1000 });
    const now = onFoo('1');
    const later = onFoo('1', { respondedAt: EXAMPLE_AT + 1 });
    expect(selectStored(request(['Foo', '1']), [old, now])).toBe(1);
    expect(selectStored(request(['Foo', '1']), [now, old])).toBe(0);
    expect(selectStored(request(['Foo', '1']), [now, later, old])).toBe(1);
    expect(selectStored(request(['Foo', '1']), [later, now])).toBe(0);
    expect(selectStored(request(['Foo', '1']), [onFoo('2'), now])).toBe(1);
  });
});
