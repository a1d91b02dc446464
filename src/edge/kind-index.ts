/** Which keys of a URL's kinds are in use, by the URL's own key: invalidation and purges name URLs (`cache-key.ts`). */
import { urlKeyWithin } from '#core/caching/cache-key.ts';

const NONE: readonly string[] = [];

export class KindIndex {
  readonly #kinds = new Map<string, Set<string>>();

  /** A key is in use from now on. A URL's own key is found without. */
  note(cacheKey: string): void {
    const urlKey = urlKeyWithin(cacheKey);
    if (urlKey === cacheKey) return;
    const kinds = this.#kinds.get(urlKey);
    if (kinds === undefined) this.#kinds.set(urlKey, new Set([cacheKey]));
    else kinds.add(cacheKey);
  }

  forget(cacheKey: string): void {
    const urlKey = urlKeyWithin(cacheKey);
    if (urlKey === cacheKey) return;
    const kinds = this.#kinds.get(urlKey);
    if (kinds?.delete(cacheKey) === true && kinds.size === 0) this.#kinds.delete(urlKey);
  }

  /** The keys noted for a URL's key, beside itself; a copy. */
  of(urlKey: string): readonly string[] {
    const kinds = this.#kinds.get(urlKey);
    return kinds === undefined ? NONE : [...kinds];
  }
}
