import { expect, test } from 'bun:test';
import { matchesMediaType, mediaTypeOf } from './media-type.ts';

test.each<[contentType: string, expected: string | null]>([
  ['Text/HTML; charset=utf-8', 'text/html'],
  [' image/png ', 'image/png'],
  ['text', null],
  ['te xt/html', null],
  ['text/', null],
  ['', null],
])('the type of "%s" is %p', (contentType, expected) => expect(mediaTypeOf(contentType)).toBe(expected));

test('RT4 a pattern is a type, or all of a kind', () => {
  expect(matchesMediaType('image/*', 'image/png')).toBe(true);
  expect(matchesMediaType('image/*', 'imagex/png')).toBe(false);
  expect(matchesMediaType('image/png', 'image/png')).toBe(true);
  expect(matchesMediaType('image/png', 'image/gif')).toBe(false);
});
