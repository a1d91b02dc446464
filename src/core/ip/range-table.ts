/**
 * A map of networks, compiled: nested prefixes are flattened to ranges that do not overlap, sorted by their
 * first address, so that a look-up is one binary search and the longest prefix has won beforehand.
 *
 *   10.0.0.0/8 → a, 10.1.0.0/16 → b      starts  0.0.0.0  10.0.0.0  10.1.0.0  10.2.0.0  11.0.0.0
 *                                        values     -1        a         b         a        -1
 *
 * The plain typed arrays pass between threads as they are.
 */
import { addressBits, type IpAddress, wordOf } from './address.ts';
import { contains, type Prefix } from './prefix.ts';

export interface RangeTable {
  readonly family: 4 | 6;
  /** First address of each range, `words` words each; the first range begins at zero. */
  readonly starts: Uint32Array;
  /** Caller's value of each range; -1: no network here. */
  readonly values: Int32Array;
}

/** Words of an address of the family. */
function wordCount(family: 4 | 6): number {
  return family === 4 ? 1 : 4;
}

/** Compiles the prefixes of one family (others are passed over); `values[i]` belongs to `prefixes[i]`. Of equal prefixes the last wins. */
export function compileRanges(family: 4 | 6, prefixes: readonly Prefix[]): RangeTable {
  const order: number[] = [];
  for (const [index, prefix] of prefixes.entries()) if (prefix.address.family === family) order.push(index);
  const prefixAt = (index: number): Prefix => prefixes[index] as Prefix;
  order.sort((first, second) => comparePrefixes(prefixAt(first), prefixAt(second)) || first - second);
  const ranges = new RangeBuilder(family, order.length * 2 + 1);
  const open: { prefix: Prefix; value: number }[] = [];
  const closeUpTo = (next: Prefix | null): void => {
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (next !== null && contains(top.prefix, next.address)) return;
      open.pop();
      const after = addressAfter(top.prefix);
      if (after !== null) ranges.append(after, open.at(-1)?.value ?? -1);
    }
  };
  for (const index of order) {
    const prefix = prefixAt(index);
    closeUpTo(prefix);
    open.push({ prefix, value: index });
    ranges.append(words(prefix.address), index);
  }
  closeUpTo(null);
  return ranges.finish();
}

/** By first address, then the shorter (outer) prefix first. */
function comparePrefixes(first: Prefix, second: Prefix): number {
  for (let index = 0; index < 4; index += 1) {
    const difference = wordOf(first.address, index) - wordOf(second.address, index);
    if (difference !== 0) return difference;
  }
  return first.length - second.length;
}

function words(address: IpAddress): number[] {
  return [address.word0, address.word1, address.word2, address.word3];
}

/** The address behind the last one of the prefix; null when that was the last of all. */
function addressAfter(prefix: Prefix): number[] | null {
  const after = words(prefix.address);
  if (prefix.length === 0) return null;
  let index = (prefix.length - 1) >> 5;
  let increment = 2 ** (31 - ((prefix.length - 1) & 31));
  for (; index >= 0; index -= 1) {
    const sum = (after[index] ?? 0) + increment;
    after[index] = sum >>> 0;
    if (sum <= 0xffffffff) return after;
    increment = 1;
  }
  return null;
}

/** Collects ranges in address order; a later one at the same start replaces the earlier. */
class RangeBuilder {
  readonly #family: 4 | 6;
  readonly #starts: Uint32Array;
  readonly #values: Int32Array;
  #count = 0;

  constructor(family: 4 | 6, rangesMax: number) {
    this.#family = family;
    this.#starts = new Uint32Array((rangesMax + 1) * wordCount(family));
    this.#values = new Int32Array(rangesMax + 1);
    this.append([0, 0, 0, 0], -1);
  }

  append(start: readonly number[], value: number): void {
    const width = wordCount(this.#family);
    const last = (this.#count - 1) * width;
    const isSameStart =
      this.#count > 0 && start.slice(0, width).every((word, i) => word === this.#starts[last + i]);
    if (isSameStart) this.#count -= 1;
    for (let index = 0; index < width; index += 1)
      this.#starts[this.#count * width + index] = start[index] ?? 0;
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  finish(): RangeTable {
    return {
      family: this.#family,
      starts: this.#starts.slice(0, this.#count * wordCount(this.#family)),
      values: this.#values.slice(0, this.#count),
    };
  }
}

/** Index of the range that holds the address (of the table's family). */
export function findRange(table: RangeTable, address: IpAddress): number {
  let low = 0;
  let high = table.values.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isStartBehind(table, middle, address)) high = middle - 1;
    else low = middle;
  }
  return low;
}

/** Whether range `index` begins behind the address. */
function isStartBehind(table: RangeTable, index: number, address: IpAddress): boolean {
  const width = wordCount(table.family);
  for (let word = 0; word < width; word += 1) {
    const difference = (table.starts[index * width + word] as number) - wordOf(address, word);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/**
 * Length of the shortest prefix around the address that lies in range `index` whole: every address in
 * that network has the same answer, so it is the scope of an answer by this table (RFC 7871 §7.2.1).
 */
export function scopeWithin(table: RangeTable, index: number, address: IpAddress): number {
  const width = wordCount(table.family);
  let scope = 0;
  if (index > 0) scope = commonBits(table.starts, index * width, width, address, 1) + 1;
  if (index + 1 < table.values.length) {
    scope = Math.max(scope, commonBits(table.starts, (index + 1) * width, width, address, 0) + 1);
  }
  return Math.min(scope, addressBits(table.family));
}

/** Leading bits that the address shares with the number at `offset` less `borrow`. */
function commonBits(
  starts: Uint32Array,
  offset: number,
  width: number,
  address: IpAddress,
  borrow: number,
): number {
  let bits = width * 32;
  let rest = borrow;
  // From the last word up, because the borrow travels that way; the highest difference counts.
  for (let word = width - 1; word >= 0; word -= 1) {
    const start = starts[offset + word] as number;
    const value = (start - rest) >>> 0;
    rest = rest === 1 && start === 0 ? 1 : 0;
    const difference = value ^ wordOf(address, word);
    if (difference !== 0) bits = word * 32 + Math.clz32(difference);
  }
  return bits;
}
