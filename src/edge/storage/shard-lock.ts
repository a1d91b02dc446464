/**
 * The lock of a shard: a word that holds the mark of the process that changes the shard. Sections are short and never
 * wait, so others spin, then pause; from one that died in its section the lock is taken over, and what it left is
 * dropped.
 */

import { pause } from '#platform/pause.ts';
import { hasEnded, OWN_MARK } from '#platform/process-mark.ts';
import { STORAGE_LIMITS } from './limits.ts';

const FREE = 0;
const SPINS = 200;
const PAUSE_MS = 0.1;
/** Looking whether the owner lives reads a file. */
const PAUSES_PER_LOOK = 20;

export class ShardLock {
  readonly #words: Uint32Array;
  readonly #word: number;
  readonly #drop: () => void;

  /** `drop`: makes what the lock protects empty, whatever state it is in. */
  constructor(words: Uint32Array, word: number, drop: () => void) {
    this.#words = words;
    this.#word = word;
    this.#drop = drop;
  }

  /** What `section` returns; null when the lock was not to be had for `lockWaitMsMax`. Not to be called within one. */
  hold<T>(section: () => T): T | null {
    if (!this.#acquire()) return null;
    let isWhole = false;
    try {
      const result = section();
      isWhole = true;
      return result;
    } finally {
      if (!isWhole) this.#drop();
      Atomics.store(this.#words, this.#word, FREE);
    }
  }

  #acquire(): boolean {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, this.#word, FREE, OWN_MARK) === FREE) return true;
    }
    const until = performance.now() + STORAGE_LIMITS.lockWaitMsMax;
    for (let pauses = 1; ; pauses++) {
      const owner = Atomics.compareExchange(this.#words, this.#word, FREE, OWN_MARK);
      if (owner === FREE) return true;
      if (pauses % PAUSES_PER_LOOK === 0 && this.#takeOver(owner)) return true;
      if (performance.now() > until) return false;
      pause(PAUSE_MS);
    }
  }

  #takeOver(owner: number): boolean {
    if (!hasEnded(owner)) return false;
    if (Atomics.compareExchange(this.#words, this.#word, owner, OWN_MARK) !== owner) return false;
    this.#drop();
    return true;
  }
}
