/**
 * An encoder for tests that uses all of RFC 7541: the dynamic table, changes of its size, every representation, and
 * integers longer than they need be. Written for plainness, with no part of the product but the code table, so that it can
 * judge the decoder. `encodeBlock` does what it is told as far as it is possible, and says what a decoder must make of it.
 */
import { CODE_BITS, CODES } from './huffman-code.ts';
import { STATIC_LINES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

export type Line = readonly [name: string, value: string];

export interface LineChoice {
  readonly line: Line;
  /** As an index if the tables have the line; else, or otherwise, as a literal of this kind. */
  readonly mayIndex: boolean;
  readonly literal: 'added' | 'not-indexed' | 'never-indexed';
  /** Which of the lines or names that are alike, counted from the first. */
  readonly which: number;
  readonly mayIndexName: boolean;
  readonly isHuffman: boolean;
  /** Zero octets put behind an integer, where it goes on behind its prefix anyway. */
  readonly zeros: number;
}

export interface BlockChoice {
  /** New sizes of the table, taken modulo the limit. */
  readonly sizes: readonly number[];
  readonly lines: readonly LineChoice[];
}

export class ReferenceEncoder {
  /** Newest first. */
  readonly table: Line[] = [];
  readonly #limit: number;
  #size: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#size = Math.min(limit, 4_096);
  }

  encodeBlock({ sizes, lines }: BlockChoice): Buffer {
    const octets: number[] = [];
    for (const size of sizes) {
      this.#size = size % (this.#limit + 1);
      octets.push(...integer(0x20, 5, this.#size, 0));
      this.#evict(0);
    }
    for (const choice of lines) octets.push(...this.#encodeLine(choice));
    return Buffer.from(octets);
  }

  #encodeLine(choice: LineChoice): number[] {
    const { line, literal, zeros, isHuffman } = choice;
    const [name, value] = line;
    const same = this.#indexesOf((candidate) => candidate[0] === name && candidate[1] === value);
    if (choice.mayIndex && same.length > 0) {
      return integer(0x80, 7, same[choice.which % same.length] as number, zeros);
    }
    const named = this.#indexesOf((candidate) => candidate[0] === name);
    const nameIndex =
      choice.mayIndexName && named.length > 0 ? (named[choice.which % named.length] as number) : 0;
    const [first, prefix] = { added: [0x40, 6], 'not-indexed': [0x00, 4], 'never-indexed': [0x10, 4] }[
      literal
    ];
    const octets = integer(first as number, prefix as number, nameIndex, zeros);
    if (nameIndex === 0) octets.push(...string(name, isHuffman, zeros));
    octets.push(...string(value, isHuffman, zeros));
    if (literal === 'added') this.#add(line);
    return octets;
  }

  #indexesOf(isWanted: (line: Line) => boolean): number[] {
    const all: Line[] = [...Array(STATIC_LINES).keys()].map((i) => [
      STATIC_NAMES[i + 1] as string,
      STATIC_VALUES[i + 1] as string,
    ]);
    return [...all, ...this.table].flatMap((line, i) => (isWanted(line) ? [i + 1] : []));
  }

  #add(line: Line): void {
    this.#evict(sizeOfLine(line));
    if (sizeOfLine(line) <= this.#size) this.table.unshift(line);
  }

  #evict(room: number): void {
    const size = () => this.table.reduce((sum, line) => sum + sizeOfLine(line), 0);
    while (this.table.length > 0 && size() + room > this.#size) this.table.pop();
  }
}

export function sizeOfLine([name, value]: Line): number {
  return name.length + value.length + 32;
}

function integer(firstBits: number, prefix: number, value: number, zeros: number): number[] {
  const most = 2 ** prefix - 1;
  if (value < most) return [firstBits | value];
  const octets = [];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push(128 + (rest % 128));
  octets.push(rest);
  // As many as the decoder's bound of four leaves room for.
  for (let i = 0; i < zeros && octets.length < 4; i += 1) {
    octets.push((octets.pop() as number) + 128, 0);
  }
  return [firstBits | most, ...octets];
}

function string(text: string, isHuffman: boolean, zeros: number): number[] {
  const octets = Array.from(text, (character) => character.charCodeAt(0));
  if (!isHuffman) return [...integer(0, 7, octets.length, zeros), ...octets];
  let bits = octets
    .map((octet) => (CODES[octet] as number).toString(2).padStart(CODE_BITS[octet] as number, '0'))
    .join('');
  while (bits.length % 8 !== 0) bits += '1';
  const coded = (bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2));
  return [...integer(0x80, 7, coded.length, zeros), ...coded];
}
