import { describe, expect, test } from 'bun:test';
import { Fields, lowerCaseName } from './fields.ts';

describe('fields', () => {
  const example = () =>
    Fields.of([
      ['Accept', 'a'],
      ['X-One', '1'],
      ['accept', 'b'],
    ]);

  test('are found whatever the case of their names, several lines as one', () => {
    const fields = example();
    expect(fields.size).toBe(3);
    expect(fields.get('accept')).toBe('a, b');
    expect(fields.getAll('accept')).toEqual(['a', 'b']);
    expect(fields.getAll('x-two')).toEqual([]);
    expect(fields.get('x-two')).toBeNull();
    expect(fields.has('x-one')).toBe(true);
    expect(fields.has('x-two')).toBe(false);
    expect([fields.nameAt(2), fields.valueAt(2)]).toEqual(['accept', 'b']);
  });

  test('are changed in place, copies stay as they are', () => {
    const fields = example();
    const copy = fields.copy();
    fields.set('ACCEPT', 'c');
    fields.delete('x-one');
    fields.append('Z', '');
    expect([...fields]).toEqual([
      ['ACCEPT', 'c'],
      ['Z', ''],
    ]);
    expect(fields.has('z')).toBe(true);
    expect([...copy]).toEqual([...example()]);
  });

  test('names that strangers invent do not fill the memory of spellings', () => {
    for (let i = 0; i < 5_000; i++) expect(lowerCaseName(`X-${i}`)).toBe(`x-${i}`);
    expect(lowerCaseName('Accept')).toBe('accept');
    expect(lowerCaseName('X'.repeat(100))).toBe('x'.repeat(100));
  });
});
