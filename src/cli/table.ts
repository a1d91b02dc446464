/** Aligned text tables, without lines: a heading, then rows; the last column is never padded. */
import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Columns a text takes on a terminal; styling takes none, and neither do marks that combine with a letter. */
function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

function pad(text: string, width: number, align: Column['align']): string {
  const blank = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'right' ? blank + text : text + blank;
}

/** What others named (a host, a city) must not move the cursor: control characters are shown as `?`. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '?');
}

/** The table as text with a line break after each row; `style` is applied to the heading. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: (text: string) => string = (text) => text,
): string {
  const widths = columns.map(({ heading }, index) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? '')), widthOf(heading)),
  );
  function line(cells: readonly string[]): string {
    const padded = columns.map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align));
    return padded.join(GAP).trimEnd();
  }
  const heading = style(line(columns.map((column) => column.heading)));
  return `${[heading, ...rows.map(line)].join('\n')}\n`;
}
