import { describe, expect, test } from 'bun:test';
import { printable, renderTable } from './table.ts';

const COLUMNS = [{ heading: 'NAME' }, { heading: 'COUNT', align: 'right' }, { heading: 'WHY' }] as const;

describe('tables', () => {
  test('columns are as wide as their widest cell, and no line ends in blanks', () => {
    expect(
      renderTable(COLUMNS, [
        ['São Paulo', '5', 'near'],
        ['x', '12345678', ''],
      ]),
    ).toBe('NAME          COUNT  WHY\nSão Paulo         5  near\nx          12345678\n');
  });

  test('styling takes no width, wide characters take two', () => {
    expect(
      renderTable(COLUMNS, [
        ['\u001b[32mok\u001b[39m', '1', 'a'],
        ['香港', '2', 'b'],
      ]),
    ).toBe('NAME  COUNT  WHY\n\u001b[32mok\u001b[39m        1  a\n香港      2  b\n');
  });

  test('no rows: the heading alone', () => {
    expect(renderTable(COLUMNS, [], (text) => `*${text}*`)).toBe('*NAME  COUNT  WHY*\n');
  });

  test('missing cells are blank', () => {
    expect(renderTable(COLUMNS, [['a']])).toBe('NAME  COUNT  WHY\na\n');
  });

  test("others' words cannot steer the terminal", () => {
    expect(printable('a\u001b[2Jb\u001b]0;title\u0007c\r\nd\u009b5n')).not.toMatch(/\p{Cc}/u);
    expect(printable('plain – São Paulo 香港')).toBe('plain – São Paulo 香港');
  });
});
