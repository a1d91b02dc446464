/**
 * What a worker read of late of a tier outside of its heap, decoded and copied: the popular are read once a change, not
 * once a request. Two maps that take turns, so that at least the newest half of what fits is known; bounded in bytes.
 */

/** All that is stored under a key, as far as it is remembered. */
export interface RecentEntry {
  /** About what it takes in memory. */
  readonly byteLength: number;
}

export class RecentResponses<Entry extends RecentEntry> {
  readonly #bytesMax: number;
  #younger = new Map<string, Entry>();
  #older = new Map<string, Entry>();
  #youngerBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  find(key: string): Entry | null {
    const young = this.#younger.get(key);
    if (young !== undefined) return young;
    const old = this.#older.get(key);
    if (old === undefined) return null;
    this.#older.delete(key);
    this.remember(key, old);
    return old;
  }

  remember(key: string, entry: Entry): void {
    if (entry.byteLength > this.#bytesMax / 4) return;
    this.forget(key);
    if (this.#youngerBytes + entry.byteLength > this.#bytesMax / 2) {
      this.#older = this.#younger;
      this.#younger = new Map();
      this.#youngerBytes = 0;
    }
    this.#younger.set(key, entry);
    this.#youngerBytes += entry.byteLength;
  }

  forget(key: string): void {
    const young = this.#younger.get(key);
    if (young !== undefined) {
      this.#younger.delete(key);
      this.#youngerBytes -= young.byteLength;
    }
    this.#older.delete(key);
  }

  clear(): void {
    this.#younger.clear();
    this.#older.clear();
    this.#youngerBytes = 0;
  }
}
