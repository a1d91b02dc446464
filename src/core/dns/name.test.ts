import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeName, encodeName, isWithin, parentName } from './name.ts';

function wire(text: string): Uint8Array {
  const name = encodeName(text);
  if (name === null) throw new Error(`bad fixture ${text}`);
  return name;
}

describe('names', () => {
  test.each([
    ['www.Example.COM', 'www.example.com'],
    ['example.com.', 'example.com'],
    ['.', '.'],
    ['', '.'],
    ['a\\.b.example', 'a\\.b.example'],
    ['\\000\\255.example', '\\000\\255.example'],
    [`${'a'.repeat(63)}.example`, `${'a'.repeat(63)}.example`],
  ])('%p encodes and reads back as %p', (text, canonical) => {
    expect(decodeName(wire(text))).toBe(canonical);
  });

  test.each([
    'a..b',
    '.a',
    `${'a'.repeat(64)}.example`,
    'a.'.repeat(128),
    'bücher\u{1f4da}.example',
    '\\999.example',
  ])('%p is no name', (text) => {
    expect(encodeName(text)).toBeNull();
  });

  test('a label may end with a dot', () => {
    expect(encodeName('\\.')).toEqual(Uint8Array.of(1, 0x2e, 0));
    expect(encodeName('a.b\\..')).toEqual(Uint8Array.of(1, 0x61, 2, 0x62, 0x2e, 0));
  });

  test('every name survives its text form', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
        const octets = Uint8Array.from([...labels.flatMap((each) => [each.length, ...each]), 0]);
        const lower = encodeName(decodeName(octets));
        expect(lower === null ? null : decodeName(lower)).toBe(
          decodeName(octets).replace(/\\?./gs, (letter) =>
            letter.length === 1 ? lowerAscii(letter) : letter,
          ),
        );
      }),
    );
  });

  test.each([
    ['www.cdn.test', 'cdn.test', true],
    ['cdn.test', 'cdn.test', true],
    ['xcdn.test', 'cdn.test', false],
    ['test', 'cdn.test', false],
    ['cdn.test.example', 'cdn.test', false],
    ['anything', '.', true],
  ])('%s within %s: %p', (name, ancestor, expected) => {
    const octets = wire(name);
    expect(isWithin(octets, octets.length, wire(ancestor))).toBe(expected);
  });

  test('parents lead to the root', () => {
    const parent = parentName(wire('a.b'));
    expect(parent === null ? null : decodeName(parent)).toBe('b');
    expect(parentName(wire('.'))).toBeNull();
  });
});

function lowerAscii(letter: string): string {
  return /[A-Z]/.test(letter) ? letter.toLowerCase() : letter;
}
