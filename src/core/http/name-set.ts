/**
 * A fixed set of field names that is asked about each name of each message: without regard to case, without making
 * a string and without a hash of the whole name. Length, first and last character lead to a place; nearly all
 * names that are not members find theirs empty.
 */

const PLACES = 256;
const CASE_BIT = 0x20;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

export class NameSet {
  readonly #places: (readonly string[] | null)[] = new Array(PLACES).fill(null);
  /** What "_" is read as. */
  readonly #underscore: number;

  /** `names`: lower case. `readsUnderscore`: "_" in a name asked about counts as "-". */
  constructor(names: Iterable<string>, readsUnderscore = false) {
    this.#underscore = readsUnderscore ? HYPHEN : UNDERSCORE;
    for (const name of names) {
      const place = placeOf(name);
      this.#places[place] = [...(this.#places[place] ?? []), name];
    }
  }

  /** Whether `name`, in whatever case, is one of the set. */
  has(name: string): boolean {
    const members = this.#places[placeOf(name)] as readonly string[] | null;
    if (members === null) return false;
    for (const member of members) {
      if (member.length === name.length && startsWithName(name, member, this.#underscore)) return true;
    }
    return false;
  }
}

function placeOf(name: string): number {
  const { length } = name;
  const first = name.charCodeAt(0) | CASE_BIT;
  const last = name.charCodeAt(length - 1) | CASE_BIT;
  return (length * 37 + first * 5 + last) & (PLACES - 1);
}

/** Whether `name` begins with `beginning` (lower case), in whatever case; `underscore`: what "_" is read as. */
export function startsWithName(name: string, beginning: string, underscore: number = UNDERSCORE): boolean {
  if (name.length < beginning.length) return false;
  for (let i = 0; i < beginning.length; i++) {
    let code = name.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) code |= CASE_BIT;
    else if (code === UNDERSCORE) code = underscore;
    if (code !== beginning.charCodeAt(i)) return false;
  }
  return true;
}
