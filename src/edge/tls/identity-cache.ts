/** What is made of server identities, in a bounded LRU: by content, so that a swap that changes nothing keeps it. */
import type { ServerIdentity } from './certificate-store.ts';

export class IdentityCache<Made> {
  readonly #max: number;
  readonly #make: (identity: ServerIdentity) => Made | null;
  /** By digest of the identity, least recently used first. Null: it cannot be used. */
  readonly #made = new Map<string, Made | null>();

  constructor(max: number, make: (identity: ServerIdentity) => Made | null) {
    this.#max = max;
    this.#make = make;
  }

  get(identity: ServerIdentity): Made | null {
    const { digest } = identity;
    let made = this.#made.get(digest);
    if (made === undefined) made = this.#make(identity);
    else this.#made.delete(digest);
    this.#made.set(digest, made);
    if (this.#made.size > this.#max) {
      for (const oldest of this.#made.keys()) {
        this.#made.delete(oldest);
        break;
      }
    }
    return made;
  }
}
