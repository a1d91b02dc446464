/**
 * Header and trailer fields of one message (RFC 9110 §5): an ordered list of lines, names kept as they
 * were received, looked up without regard to case. One flat array, because a message's fields are read
 * on the hot path and an object per line would cost more than the search.
 *
 * Values are latin1 strings (one character per byte), so that bytes above 127 pass through unchanged.
 */
import { ownCopy } from '#core/base/own-copy.ts';
import { NAME_REMEMBERED_CHARACTERS_MAX, NAMES_REMEMBERED_MAX } from './limits.ts';
import { startsWithName } from './name-set.ts';

/** What judgement needs of a message's fields; the web's `Headers` satisfies it as it is. */
export interface FieldReader {
  /** All values of a field joined by ", " (RFC 9110 §5.2), or null when it is absent. */
  get(name: string): string | null;
}

/** Lower-case forms of the spellings met most, so that a lookup does not lower-case each name again. */
const LOWER_CASE = new Map<string, string>();

/** The lower-case form of a field name; names seen before cost one map lookup. */
export function lowerCaseName(name: string): string {
  const known = LOWER_CASE.get(name);
  if (known !== undefined) return known;
  // Bounded: names come from strangers, who could otherwise fill the map.
  if (LOWER_CASE.size >= NAMES_REMEMBERED_MAX || name.length > NAME_REMEMBERED_CHARACTERS_MAX) {
    return name.toLowerCase();
  }
  const own = ownCopy(name);
  const lower = own.toLowerCase();
  LOWER_CASE.set(own, lower);
  return lower;
}

/** Whether `candidate` is that (lower-case) name. */
function isNamed(candidate: string, name: string): boolean {
  const { length } = name;
  if (candidate.length !== length) return false;
  // Length and last letter tell most names apart without looking up their lower-case form.
  if ((candidate.charCodeAt(length - 1) | 0x20) !== (name.charCodeAt(length - 1) | 0x20)) return false;
  return candidate === name || startsWithName(candidate, name);
}

export class Fields implements FieldReader {
  /** name, value, name, value, … in order of arrival. */
  readonly #flat: string[];

  /** Takes ownership of `flat` (name, value, name, value, …). */
  constructor(flat: string[] = []) {
    this.#flat = flat;
  }

  static of(entries: Iterable<readonly [string, string]>): Fields {
    const flat: string[] = [];
    for (const [name, value] of entries) flat.push(name, value);
    return new Fields(flat);
  }

  /** Number of field lines. */
  get size(): number {
    return this.#flat.length / 2;
  }

  /** The combined value; `name` must be lower case. */
  get(name: string): string | null {
    const flat = this.#flat;
    let found: string | null = null;
    for (let i = 0; i < flat.length; i += 2) {
      if (!isNamed(flat[i] as string, name)) continue;
      found = found === null ? (flat[i + 1] as string) : `${found}, ${flat[i + 1]}`;
    }
    return found;
  }

  /** Each line's value apart, in order; `name` must be lower case. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.#flat.length; i += 2) {
      if (isNamed(this.#flat[i] as string, name)) values.push(this.#flat[i + 1] as string);
    }
    return values;
  }

  /** Whether a line of that (lower-case) name is present. */
  has(name: string): boolean {
    return this.get(name) !== null;
  }

  append(name: string, value: string): void {
    this.#flat.push(name, value);
  }

  /** Replaces all lines of that name by one, at the end. */
  set(name: string, value: string): void {
    this.delete(lowerCaseName(name));
    this.#flat.push(name, value);
  }

  /** Removes all lines of that (lower-case) name. */
  delete(name: string): void {
    const flat = this.#flat;
    let kept = 0;
    for (let i = 0; i < flat.length; i += 2) {
      if (isNamed(flat[i] as string, name)) continue;
      if (kept === i) {
        kept += 2;
        continue;
      }
      flat[kept] = flat[i] as string;
      flat[kept + 1] = flat[i + 1] as string;
      kept += 2;
    }
    if (kept < flat.length) flat.length = kept;
  }

  copy(): Fields {
    return new Fields(this.#flat.slice());
  }

  /** Name (as received) and value of line `index`; used by loops that must not allocate. */
  nameAt(index: number): string {
    return this.#flat[index * 2] as string;
  }

  valueAt(index: number): string {
    return this.#flat[index * 2 + 1] as string;
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let i = 0; i < this.#flat.length; i += 2) {
      yield [this.#flat[i] as string, this.#flat[i + 1] as string];
    }
  }
}
