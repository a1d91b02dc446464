/** A storage that says how long what is stored is, as soon as that is known; for the trace alone (`../trace-log.ts`). */
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { Storage, StorageWriter, StoredResponse } from './storage.ts';
import { TierWriter } from './tiered-storage.ts';

type Told = (cacheKey: string, head: StoredHead, bodyLength: number) => void;

export class TracedStorage implements Storage {
  readonly invalidations: Invalidations;
  readonly #inner: Storage;
  readonly #told: Told;

  constructor(inner: Storage, told: Told) {
    this.invalidations = inner.invalidations;
    this.#inner = inner;
    this.#told = told;
  }

  lookup(cacheKey: string): readonly StoredResponse[] {
    return this.#inner.lookup(cacheKey);
  }

  lookupAtOnce(cacheKey: string): readonly StoredResponse[] | Promise<void> {
    return this.#inner.lookupAtOnce(cacheKey);
  }

  peek(cacheKey: string): readonly StoredResponse[] {
    return this.#inner.peek(cacheKey);
  }

  /** Told also of what does not fit: a larger cache might have kept it. */
  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null {
    if (bodyLength !== null) this.#told(cacheKey, head, bodyLength);
    const writer = this.#inner.admit(cacheKey, head, bodyLength);
    if (writer === null) return null;
    // Those that came while it was under way are told of at its end.
    return new TierWriter(writer, (stored) => this.#told(cacheKey, head, stored.bodyLength));
  }

  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null {
    return this.#inner.freshen(cacheKey, stored, head);
  }

  remove(cacheKey: string): number {
    return this.#inner.remove(cacheKey);
  }

  forget(cacheKey: string, head: StoredHead): void {
    this.#inner.forget(cacheKey, head);
  }

  statistics() {
    return this.#inner.statistics();
  }

  tiers() {
    return this.#inner.tiers();
  }

  close(): void | Promise<void> {
    return this.#inner.close();
  }
}
