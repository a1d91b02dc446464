/**
 * How lines of HTTP/1.1 begin, by the names of their fields: "Name: ", or nothing where a name is not written,
 * because somebody else writes it or because it is no token (RFC 9110 §5.1). Names come again and again, so each is
 * judged once; and what is joined to a head is a third fewer strings.
 */
import { ownCopy } from '#core/base/own-copy.ts';
import type { NameSet } from '#core/http/name-set.ts';
import { isToken } from '../connection/characters.ts';
import { HTTP1_LIMITS } from './limits.ts';

export class LineBeginnings {
  readonly #leftOut: NameSet;
  readonly #known = new Map<string, string>();

  constructor(leftOut: NameSet) {
    this.#leftOut = leftOut;
  }

  /** '' for a name that is not written. */
  of(name: string): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const beginning = this.#leftOut.has(name) || !isToken(name) ? '' : `${name}: `;
    if (name.length > HTTP1_LIMITS.beginningCharactersMax) return beginning;
    // Begun anew when full: names come from strangers, and what is in use is soon back.
    if (this.#known.size >= HTTP1_LIMITS.beginningsMax) this.#known.clear();
    this.#known.set(ownCopy(name), ownCopy(beginning));
    return beginning;
  }
}
