/**
 * A ring log within a shard: records one behind the other, the oldest at the tail. Head and tail count 64-octet units
 * from the beginning of time, modulo a multiple of the ring's size. Used under the shard's lock only.
 *
 *   ┌────────┬─────────────────────────┬───────────┐
 *   │ newest │          free           │ oldest …  │     a record never lies across the end:
 *   └────────┴─────────────────────────┴───────────┘     what is left there is padding, a record without a head
 *            head                      tail
 */
import { UNIT_BYTES } from './layout.ts';
import { HEAD_LENGTH, UNITS } from './record.ts';

/** Counters stay below this, so that with a bit for the ring, and one added, they fit a word. */
const COUNTER_BOUND = 2 ** 31 - 1;

export class Ring {
  readonly units: number;
  readonly #words: Uint32Array;
  readonly #at: number;
  readonly #headWord: number;
  readonly #tailWord: number;
  readonly #modulus: number;

  /** `at`: the first octet within the shard's `words`, a multiple of 64; `headWord`, `tailWord`: where the counters lie. */
  constructor(words: Uint32Array, at: number, units: number, headWord: number, tailWord: number) {
    this.units = units;
    this.#words = words;
    this.#at = at;
    this.#headWord = headWord;
    this.#tailWord = tailWord;
    this.#modulus = Math.floor(COUNTER_BOUND / units) * units;
  }

  get tail(): number {
    return this.#words[this.#tailWord] as number;
  }

  get isEmpty(): boolean {
    return this.#words[this.#headWord] === this.tail;
  }

  /** Where the record of a counter begins, octets within the shard. */
  offsetOf(counter: number): number {
    return this.#at + (counter % this.units) * UNIT_BYTES;
  }

  /** Whether a record of so many units can be appended now. One unit stays free, so that full is not empty. */
  fits(units: number): boolean {
    const toEnd = this.#toEnd();
    const needed = toEnd < units ? toEnd + units : units;
    return needed < this.units - this.#used();
  }

  /** Takes room for a record that fits; its counter. */
  append(units: number): number {
    const toEnd = this.#toEnd();
    if (toEnd < units) {
      this.#pad(toEnd);
      this.#advance(this.#headWord, toEnd);
    }
    const counter = this.#words[this.#headWord] as number;
    this.#advance(this.#headWord, units);
    return counter;
  }

  /** Frees the oldest record, of so many units. */
  drop(units: number): void {
    this.#advance(this.#tailWord, units);
  }

  /** Frees all. */
  clear(): void {
    Atomics.store(this.#words, this.#tailWord, this.#words[this.#headWord] as number);
  }

  #used(): number {
    const used = (this.#words[this.#headWord] as number) - this.tail;
    return used < 0 ? used + this.#modulus : used;
  }

  #toEnd(): number {
    return this.units - ((this.#words[this.#headWord] as number) % this.units);
  }

  #pad(units: number): void {
    const word = this.offsetOf(this.#words[this.#headWord] as number) / 4;
    this.#words[word + UNITS] = units;
    this.#words[word + HEAD_LENGTH] = 0;
  }

  #advance(counterWord: number, units: number): void {
    Atomics.store(this.#words, counterWord, ((this.#words[counterWord] as number) + units) % this.#modulus);
  }
}
