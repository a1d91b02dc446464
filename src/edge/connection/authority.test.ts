import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseAuthority } from './authority.ts';

test('authorities that are accepted, in lower case', () => {
  const cases: [string, string][] = [
    ['example.com', 'example.com'],
    ['EXAMPLE.com:80', 'example.com:80'],
    ['example.com.', 'example.com.'],
    ['example.com:', 'example.com'],
    ['a_b-c~d.example', 'a_b-c~d.example'],
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:65535', '192.0.2.1:65535'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['[::1]:8443', '[::1]:8443'],
    ['localhost:0', 'localhost:0'],
  ];
  for (const [text, authority] of cases)
    expect(`${text} ${parseAuthority(text)}`).toBe(`${text} ${authority}`);
});

test('authorities that are refused', () => {
  const cases = [
    [
      '',
      ':',
      ':80',
      '::1',
      'a:b',
      'a:80:80',
      'a:65536',
      'a:-1',
      'a: 80',
      'a:80 ',
      'a b',
      ' a',
      'a,b',
      'a/b',
      'a?b',
    ],
    [
      'a#b',
      'a@b',
      'u:p@b',
      'a%41',
      'a\\b',
      'a"b',
      "a'b",
      'a(b)',
      'a;b',
      'a&b',
      'a=b',
      'a+b',
      'a*b',
      'a!b',
      'a$b',
    ],
    [
      '[::1',
      '::1]',
      '[]',
      '[::1]a',
      '[::1]:a',
      '[::g]',
      '[1.2.3.4]',
      '[fe80::1%lo]',
      '[v1.a]',
      'a[b]',
      '[[::1]]',
    ],
    ['a\tb', 'a\0', 'a\r\nb', 'caf\xe9', 'a'.repeat(262), `a:${'0'.repeat(261)}`],
  ];
  for (const text of cases.flat()) expect(`${text} ${parseAuthority(text)}`).toBe(`${text} null`);
});

test('reading is stable: what was accepted is accepted unchanged', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'Z', '0', '.', '-', ':', '[', ']', '%', '@', ' ', '\xff'),
  });
  fc.assert(
    fc.property(text, (candidate) => {
      const authority = parseAuthority(candidate);
      if (authority !== null) expect(parseAuthority(authority)).toBe(authority);
    }),
    { numRuns: 2000 },
  );
});
