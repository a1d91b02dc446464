import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type FieldLinesFault, parseFieldLines } from './field-lines.ts';

const STRICT = { bytesMax: 4096, linesMax: 10, repairsResponses: false };
const REPAIRING = { ...STRICT, repairsResponses: true };
/** Makes a block so long that it is searched instead of judged character by character. */
const LONG = `Long: ${'x'.repeat(200)}\r\n`;

function parsed(block: string, rules = STRICT): [string, string][] | FieldLinesFault {
  const result = parseFieldLines(block, 0, block.length, rules);
  return typeof result === 'string' ? result : [...result];
}

describe('field lines that are accepted', () => {
  const cases: [string, string, [string, string][]][] = [
    ['no lines', '', []],
    ['one line', 'Host: example.com\r\n', [['Host', 'example.com']]],
    [
      'names keep their spelling, lines their order',
      'b: 1\r\nA: 2\r\nb: 3\r\n',
      [
        ['b', '1'],
        ['A', '2'],
        ['b', '3'],
      ],
    ],
    [
      'optional white space is trimmed',
      'A: \t x y\t \r\nB:z\r\n',
      [
        ['A', 'x y'],
        ['B', 'z'],
      ],
    ],
    [
      'empty values',
      'A:\r\nB: \t\r\n',
      [
        ['A', ''],
        ['B', ''],
      ],
    ],
    ['bytes above 127', 'A: caf\xe9\r\n', [['A', 'caf\xe9']]],
    ['colons and quotes in the value', 'A: "b:c", d:\r\n', [['A', '"b:c", d:']]],
    ['all token characters', "!#$%&'*+-.^_`|~09azAZ: v\r\n", [["!#$%&'*+-.^_`|~09azAZ", 'v']]],
  ];
  for (const [name, block, expected] of cases) {
    test(name, () => expect(parsed(block)).toEqual(expected));
    test(`${name}, among long lines`, () => {
      const long: [string, string] = ['Long', 'x'.repeat(200)];
      expect(parsed(LONG + block + LONG)).toEqual([long, ...expected, long]);
    });
  }
});

describe('field lines that are refused', () => {
  const cases: [string, string, FieldLinesFault][] = [
    ['space before the colon', 'A : b\r\n', 'field-space-before-colon'],
    ['tab before the colon', 'A\t: b\r\n', 'field-space-before-colon'],
    ['no colon', 'A\r\n', 'field-colon-missing'],
    ['no name', ': b\r\n', 'field-name-empty'],
    ['space in the name', 'A b: c\r\n', 'field-name-invalid'],
    ['parenthesis in the name', 'A(b): c\r\n', 'field-name-invalid'],
    ['byte above 127 in the name', 'A\xe9: c\r\n', 'field-name-invalid'],
    ['NUL in the name', 'A\0: c\r\n', 'field-name-invalid'],
    ['NUL in the value', 'A: b\0c\r\n', 'field-value-control'],
    ['DEL in the value', 'A: b\x7fc\r\n', 'field-value-control'],
    ['escape in the value', 'A: b\x1bc\r\n', 'field-value-control'],
    ['bare CR in the value', 'A: b\rc\r\n', 'field-bare-cr'],
    ['CR CR LF', 'A: b\r\r\n', 'field-bare-cr'],
    ['bare LF ends the line', 'A: b\nC: d\r\n', 'field-bare-lf'],
    ['bare LF after the name', 'A\nC: d\r\n', 'field-bare-lf'],
    ['folded line', 'A: b\r\n c\r\n', 'field-line-folded'],
    ['folded first line', ' A: b\r\n', 'field-line-folded'],
    ['last line not ended', 'A: b', 'field-bare-lf'],
    ['last line ended by CR alone', 'A: b\r', 'field-bare-cr'],
    ['too many lines', 'A: b\r\n'.repeat(11), 'fields-too-many'],
    ['too large a block', `A: ${'b'.repeat(4096)}\r\n`, 'fields-too-large'],
  ];
  for (const [name, block, fault] of cases) {
    test(name, () => expect(parsed(block)).toBe(fault));
    test(`${name}, behind a long line`, () => expect(parsed(LONG + block)).toBe(fault));
  }
});

describe('responses are repaired as RFC 9112 asks of a proxy', () => {
  test('a folded line becomes a space (§5.2)', () => {
    expect(parsed('A: b\r\n\t c\r\nD: e\r\n', REPAIRING)).toEqual([
      ['A', 'b c'],
      ['D', 'e'],
    ]);
  });
  test('folded lines without content add nothing', () => {
    expect(parsed('A: b\r\n \t\r\nC:\r\n d\r\n', REPAIRING)).toEqual([
      ['A', 'b'],
      ['C', 'd'],
    ]);
  });
  test('white space before the colon is removed (§5.1)', () => {
    expect(parsed('A \t: b\r\n', REPAIRING)).toEqual([['A', 'b']]);
  });
  test('white space before the first field is still refused (§2.2)', () => {
    expect(parsed(' A: b\r\n', REPAIRING)).toBe('field-line-folded');
  });
  test('a line of white space and a colon has no name', () => {
    expect(parsed('A: b\r\nX Y : c\r\n', REPAIRING)).toBe('field-name-invalid');
  });
});

test('any latin1 text gives fields or a fault, and fields written out again read the same', () => {
  const text = fc.string({
    unit: fc.constantFrom('A', 'b', ':', ' ', '\t', '\r', '\n', '\r\n', '\0', '\xff', ','),
  });
  fc.assert(
    fc.property(text, fc.boolean(), fc.boolean(), (rest, repairsResponses, isLong) => {
      const block = isLong ? LONG + rest : rest;
      const rules = { ...STRICT, repairsResponses };
      const fields = parseFieldLines(block, 0, block.length, rules);
      if (typeof fields === 'string') return;
      const written = [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join('');
      expect(parsed(written)).toEqual([...fields]);
    }),
    { numRuns: 2000 },
  );
});
