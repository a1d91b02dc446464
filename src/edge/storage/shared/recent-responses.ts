/**
 * What a worker read of shared memory of late, decoded and copied: the popular are read once a change, not once a
 * request. Two maps that take turns, so that at least the newest half of what fits is known; bounded in bytes.
 */

import type { Shard } from './shard.ts';
import type { SharedResponse } from './shared-response.ts';

/** All stored under a key, true while the bucket has that version. */
export interface RecentEntry {
  readonly responses: readonly SharedResponse[];
  /** Their slots in the index. */
  readonly slots: readonly number[];
  readonly shard: Shard;
  readonly bucket: number;
  readonly version: number;
  /** Of the invalidations they were judged by. */
  tick: number;
  /** About what it takes in memory. */
  readonly byteLength: number;
}

export class RecentResponses {
  readonly #bytesMax: number;
  #younger = new Map<string, RecentEntry>();
  #older = new Map<string, RecentEntry>();
  #youngerBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  find(key: string): RecentEntry | null {
    const young = this.#younger.get(key);
    if (young !== undefined) return young;
    const old = this.#older.get(key);
    if (old === undefined) return null;
    this.#older.delete(key);
    this.remember(key, old);
    return old;
  }

  remember(key: string, entry: RecentEntry): void {
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
