/**
 * Keys that something was found out about lately, each for a while, in bounded memory. Two maps take turns: a new
 * key goes into the younger, and when that has half of what may be kept, it becomes the older and the older
 * is dropped as a whole. So at least the newest half is known.
 *
 *     add ──▶ younger (0 … half) ──full──▶ older (half) ──▶ dropped
 *
 * One map from which the oldest key is deleted for each new one costs more than twice as much: that key has not been
 * looked at for long, and a map with many deletions is made anew again and again.
 */
export class RecentKeys {
  readonly #halfMax: number;
  readonly #keptMs: number;
  /** Key → until when it counts, ms. */
  #younger = new Map<string, number>();
  #older = new Map<string, number>();

  constructor(keysMax: number, keptMs: number) {
    this.#halfMax = Math.max(1, Math.floor(keysMax / 2));
    this.#keptMs = keptMs;
  }

  /** Remembers the key from now on, also one that is known already. */
  add(key: string, now: number): void {
    if (this.#younger.size >= this.#halfMax) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(key, now + this.#keptMs);
  }

  has(key: string, now: number): boolean {
    if (this.#younger.size === 0 && this.#older.size === 0) return false;
    const until = this.#younger.get(key) ?? this.#older.get(key);
    if (until === undefined) return false;
    if (now < until) return true;
    this.delete(key);
    return false;
  }

  delete(key: string): void {
    this.#younger.delete(key);
    this.#older.delete(key);
  }
}
