/**
 * Field lines that came before, and are recognised when they come again: most of what a server says about its
 * responses it says in all of them. A line is looked up by a few of its characters, then compared as a whole; what
 * comes back are its name and value, as the same strings each time, so that later searches for them are cheap too.
 * A usual head of nine lines is read and framed in 1.3 µs in place of 5, framing and names included.
 *
 *     text       … \r\n Server: nginx \r\n Content-Type: text/plain \r\n …
 *                       │               └ end: a line that was learnt ends where the next CR stands
 *                       └ at
 *     places     hash of length and eight characters → the line learnt last under it, if any
 *     sightings  the same → the hash last seen there: only what comes a second time is learnt
 *
 * Only lines without fault are learnt, with strings of their own: a view would keep the head it was cut from.
 * Strangers choose what comes here, so lines are few and short, and one block of lines teaches only some.
 */
import { ownCopy } from '#core/base/own-copy.ts';
import { HTTP1_LIMITS } from './limits.ts';

export interface KnownLine {
  /** The line and its CRLF. */
  readonly text: string;
  readonly name: string;
  readonly value: string;
}

/** A power of two, as both tables are. */
const PLACES = HTTP1_LIMITS.knownLinesMax;
const NAME_PLACES = HTTP1_LIMITS.knownNamesMax;

/** Of lines read by the same rules; a line means the same wherever it stands among others. */
export class LineMemory {
  readonly #lines: (KnownLine | null)[] = new Array(PLACES).fill(null);
  readonly #sightings = new Int32Array(PLACES);
  readonly #names: string[] = new Array(NAME_PLACES).fill('');
  /** What the block of lines being read may still teach. */
  #lessons = 0;

  /** Before each block of lines. */
  begin(): void {
    this.#lessons = HTTP1_LIMITS.linesLearntPerBlockMax;
  }

  /** The line that begins at `at` and ends before `to`; null when it is not known. */
  find(text: string, at: number, to: number): KnownLine | null {
    const end = text.indexOf('\r', at);
    if (end === -1) return null;
    const known = this.#lines[hashOf(text, at, end) & (PLACES - 1)] as KnownLine | null;
    if (known === null) return null;
    const { length } = known.text;
    return length === end + 2 - at && at + length <= to && text.startsWith(known.text, at) ? known : null;
  }

  /** Tells of a line that `find` did not know and that is without fault. */
  learn(text: string, at: number, end: number, name: string, value: string): void {
    if (end - at > HTTP1_LIMITS.knownLineCharactersMax) return;
    const hash = hashOf(text, at, end);
    const place = hash & (PLACES - 1);
    if (this.#sightings[place] !== hash) {
      this.#sightings[place] = hash;
      return;
    }
    if (this.#lessons === 0) return;
    this.#lessons -= 1;
    this.#lines[place] = { text: ownCopy(text.slice(at, end + 2)), name, value: ownCopy(value) };
  }

  /** `text.slice(at, end)`, a name: where it came before, as the string it was then. */
  name(text: string, at: number, end: number): string {
    const length = end - at;
    const hash = (text.charCodeAt(at) | 0x20) + text.charCodeAt(end - 1) * 5 + length * 17;
    const place = hash & (NAME_PLACES - 1);
    const known = this.#names[place] as string;
    if (known.length === length && text.startsWith(known, at)) return known;
    const name = text.slice(at, end);
    if (this.#lessons === 0 || length > HTTP1_LIMITS.knownLineCharactersMax) return name;
    this.#lessons -= 1;
    const own = ownCopy(name);
    this.#names[place] = own;
    return own;
  }
}

/** Of the length, and of characters all over the line: some tell names apart, some the values of one name. */
function hashOf(text: string, at: number, end: number): number {
  const length = end - at;
  let hash = Math.imul(length, 31) + text.charCodeAt(at);
  hash = Math.imul(hash, 31) + text.charCodeAt(at + (length >> 2));
  hash = Math.imul(hash, 31) + text.charCodeAt(at + (length >> 1));
  hash = Math.imul(hash, 31) + text.charCodeAt(at + length - (length >> 2));
  hash = Math.imul(hash, 31) + text.charCodeAt(Math.max(at, end - 8));
  hash = Math.imul(hash, 31) + text.charCodeAt(Math.max(at, end - 5));
  hash = Math.imul(hash, 31) + text.charCodeAt(Math.max(at, end - 2));
  hash = Math.imul(hash, 31) + text.charCodeAt(Math.max(at, end - 1));
  return (hash ^ (hash >>> 13)) | 0;
}
