/**
 * What the processes of a storage fuzz know of each other, in a mapped file: how many fetches began, and up to which
 * each key was removed. A fetch takes its number after reading how far invalidations are; a removal notes the number
 * reached before it began. So what is found must be of a later fetch than what was noted before looking.
 */
import { writeFileSync } from 'node:fs';
import { mapFile } from '#platform/mapped-file.ts';

export const KEYS = 400;
const LEDGER_BYTES = 4_096;
/** Words: how many fetches began; operations done, findings; then what was removed, by key. */
const FETCHES = 0;
const OPERATIONS = 1;
const HITS = 2;
const BROKEN_OFF = 3;
const FIRST_FLOOR = 8;

export function createLedger(file: string): void {
  writeFileSync(file, new Uint8Array(LEDGER_BYTES));
}

export class Ledger {
  readonly #words: Uint32Array;

  constructor(file: string) {
    this.#words = new Uint32Array(mapFile(file, 0, LEDGER_BYTES));
  }

  get operations(): number {
    return Atomics.load(this.#words, OPERATIONS);
  }

  get hits(): number {
    return Atomics.load(this.#words, HITS);
  }

  get fetches(): number {
    return Atomics.load(this.#words, FETCHES);
  }

  beginFetch(): number {
    return Atomics.add(this.#words, FETCHES, 1) + 1;
  }

  countOperation(): void {
    Atomics.add(this.#words, OPERATIONS, 1);
  }

  countHit(): void {
    Atomics.add(this.#words, HITS, 1);
  }

  get brokenOff(): number {
    return Atomics.load(this.#words, BROKEN_OFF);
  }

  countBrokenOff(): void {
    Atomics.add(this.#words, BROKEN_OFF, 1);
  }

  floorOf(key: number): number {
    return Atomics.load(this.#words, FIRST_FLOOR + key);
  }

  /** Everything of the key fetched up to that number is gone. */
  raiseFloor(key: number, fetch: number): void {
    for (;;) {
      const floor = this.floorOf(key);
      if (floor >= fetch) return;
      if (Atomics.compareExchange(this.#words, FIRST_FLOOR + key, floor, fetch) === floor) return;
    }
  }
}
