import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compileGlob, matchesGlob } from './glob.ts';

const matches = (pattern: string, text: string) => matchesGlob(compileGlob(pattern), text);

describe('glob', () => {
  const cases: [pattern: string, text: string, expected: boolean][] = [
    ['/a', '/a', true],
    ['/a', '/ab', false],
    ['/a*', '/a', true],
    ['/a*', '/b', false],
    ['*.png', '/x/y.png', true],
    ['*.png', '/x/y.pngx', false],
    ['/a*b', '/ab', true],
    ['/a*a', '/a', false],
    ['/*/img/*.jpg', '/x/img/y.jpg', true],
    ['/*/img/*.jpg', '/img/y.jpg', false],
    ['/**/x', '/a/x', true],
    ['/*aab*', '/aaab', true],
    ['/*abab*c', '/ababbababc', true],
    ['/*ab*ab', '/ab', false],
    ['*', '', true],
  ];
  for (const [pattern, text, expected] of cases) {
    test(`RT3 "${pattern}" ${expected ? 'matches' : 'does not match'} "${text}"`, () => {
      expect(matches(pattern, text)).toBe(expected);
    });
  }

  test('RT3 agrees with the plain meaning on random patterns', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 });
    const plain = (pattern: string, text: string): boolean => {
      if (pattern === '') return text === '';
      if (pattern[0] === '*') {
        return plain(pattern.slice(1), text) || (text !== '' && plain(pattern, text.slice(1)));
      }
      return text[0] === pattern[0] && plain(pattern.slice(1), text.slice(1));
    };
    fc.assert(
      fc.property(letters, texts, (pattern, text) => {
        expect(matches(pattern, text)).toBe(plain(pattern, text));
      }),
    );
  });

  test('RT3 a pattern made to backtrack stays linear', () => {
    const pattern = `/${'*a'.repeat(100)}*b`;
    expect(matches(pattern, `/${'a'.repeat(100_000)}`)).toBe(false);
  });
});
