import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { ownCopy } from './own-copy.ts';

test('a copy is the same text, whatever its characters', () => {
  expect(ownCopy('')).toBe('');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(ownCopy(text)).toBe(text);
      expect(ownCopy(text.slice(1, 5))).toBe(text.slice(1, 5));
    }),
  );
});
