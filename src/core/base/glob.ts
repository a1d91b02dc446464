/**
 * Path patterns in which `*` stands for any run of characters, also none. Matching takes time linear in
 * the text whatever the pattern: the text between stars is searched leftmost-first, each piece with the
 * Knuth-Morris-Pratt table computed when the pattern was compiled, and nothing is ever searched twice.
 */

/** A piece between two stars, with its failure table. */
interface Piece {
  readonly text: string;
  readonly failure: readonly number[];
}

export interface Glob {
  /** What the text must begin with; the whole pattern when there is no star. */
  readonly head: string;
  readonly middle: readonly Piece[];
  /** What the text must end with; null: the pattern has no star. */
  readonly tail: string | null;
}

export function compileGlob(pattern: string): Glob {
  const parts = pattern.split('*');
  const head = parts[0] ?? '';
  if (parts.length === 1) return { head, middle: [], tail: null };
  const middle = parts
    .slice(1, -1)
    .filter((text) => text !== '')
    .map((text) => ({ text, failure: failureTable(text) }));
  return { head, middle, tail: parts[parts.length - 1] ?? '' };
}

export function matchesGlob(glob: Glob, text: string): boolean {
  if (glob.tail === null) return text === glob.head;
  const end = text.length - glob.tail.length;
  if (end < glob.head.length || !text.startsWith(glob.head) || !text.endsWith(glob.tail)) return false;
  let position = glob.head.length;
  for (const piece of glob.middle) {
    position = endOfFirst(piece, text, position, end);
    if (position === -1) return false;
  }
  return true;
}

/** Where the first occurrence within [start, end) ends, or -1. */
function endOfFirst(piece: Piece, text: string, start: number, end: number): number {
  const { text: wanted, failure } = piece;
  let matched = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    while (matched > 0 && wanted.charCodeAt(matched) !== code) matched = failure[matched - 1] ?? 0;
    if (wanted.charCodeAt(matched) === code) matched++;
    if (matched === wanted.length) return i + 1;
  }
  return -1;
}

/** For each prefix, the length of its longest proper prefix that is also its suffix. */
function failureTable(text: string): number[] {
  const table: number[] = [0];
  let matched = 0;
  for (let i = 1; i < text.length; i++) {
    while (matched > 0 && text.charCodeAt(i) !== text.charCodeAt(matched)) matched = table[matched - 1] ?? 0;
    if (text.charCodeAt(i) === text.charCodeAt(matched)) matched++;
    table.push(matched);
  }
  return table;
}
