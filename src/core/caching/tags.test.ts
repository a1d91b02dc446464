import { expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { TAGS_MAX } from './limits.ts';
import { invalidatedGroups, tagsOf } from './tags.ts';

test.each<[entries: [string, string][], expected: string[]]>([
  [[], []],
  [[['Cache-Tag', 'a, b,,a']], ['a', 'b']],
  [[['Surrogate-Key', 'a b\tc']], ['a', 'b', 'c']],
  [[['Cache-Groups', '"a b", "c";x=1']], ['a b', 'c']],
  [[['Cache-Groups', 'a, 1, ("b")']], []],
  [[['Cache-Groups', '"a']], []],
  [
    [
      ['Cache-Tag', 'a'],
      ['Surrogate-Key', 'b'],
      ['Cache-Groups', '"A"'],
    ],
    ['a', 'b', 'A'],
  ],
])('PU2 tags of %j', (entries, expected) => expect(tagsOf(Fields.of(entries))).toEqual(expected));

test('IN2 groups that an origin invalidates', () => {
  const read = (value: string) => invalidatedGroups(Fields.of([['Cache-Group-Invalidation', value]]));
  expect(read('"a", "b"')).toEqual(['a', 'b']);
  expect(read('a')).toEqual([]);
  expect(invalidatedGroups(Fields.of([]))).toEqual([]);
  expect(read(Array.from({ length: TAGS_MAX + 1 }, (_, i) => `"${i}"`).join())).toEqual([]);
});
