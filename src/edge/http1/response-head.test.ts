import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Fields } from '#core/http/fields.ts';
import { parseFieldLines } from './field-lines.ts';
import { dateLine, encodeFieldLines, hasDateLine, statusLine } from './response-head.ts';

test('status lines: the reason given, else the standard one, never one that splits the line', () => {
  expect(statusLine(200, '')).toBe('HTTP/1.1 200 OK\r\n');
  expect(statusLine(200, 'OK')).toBe('HTTP/1.1 200 OK\r\n');
  expect(statusLine(200, 'Fine')).toBe('HTTP/1.1 200 Fine\r\n');
  expect(statusLine(404, '')).toBe('HTTP/1.1 404 Not Found\r\n');
  expect(statusLine(299, '')).toBe('HTTP/1.1 299 \r\n');
  expect(statusLine(999, 'x\r\ny')).toBe('HTTP/1.1 999 \r\n');
});

test('a Date is found in any spelling, and only as a name', () => {
  const cases: [string, boolean][] = [
    ['', false],
    ['Date: x\r\n', true],
    ['A: b\r\nDate: x\r\n', true],
    ['A: b\r\ndate: x\r\n', true],
    ['DATE:x\r\n', true],
    ['X-Date: x\r\n', false],
    ['X-Date: x\r\nDate: y\r\n', true],
    ['A: Date: x\r\n', false],
    ['Dated: x\r\n', false],
  ];
  for (const [lines, has] of cases) expect(`${lines} ${hasDateLine(lines)}`).toBe(`${lines} ${has}`);
});

test('the date is that of the second', () => {
  expect(dateLine(784_887_151_999)).toBe('Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n');
  expect(dateLine(784_887_152_000)).toBe('Date: Tue, 15 Nov 1994 08:12:32 GMT\r\n');
  expect(dateLine(784_887_151_000)).toBe('Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n');
});

describe('field lines', () => {
  test('whatever is given, what is written reads as the lines that may be sent', () => {
    const unit = fc.constantFrom('a', 'B', '-', ':', ' ', '\r', '\n', '\r\n', '\0', '\xff', '\u0100', '\t');
    const line = fc.tuple(fc.string({ unit, maxLength: 6 }), fc.string({ unit, maxLength: 12 }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const text = encodeFieldLines(Fields.of(lines));
        const rules = { bytesMax: 65_536, linesMax: 100, repairsResponses: false };
        const read = parseFieldLines(text, 0, text.length, rules);
        if (typeof read === 'string') throw new Error(`${read}: ${JSON.stringify(text)}`);
        const due = lines.filter(([name, value]) => /^[-aB]+$/.test(name) && !/[\r\n\0\u0100]/.test(value));
        expect([...read]).toEqual(due.map(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, '')]));
      }),
      { numRuns: 1000 },
    );
  });
});
