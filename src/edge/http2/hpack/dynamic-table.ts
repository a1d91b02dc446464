/**
 * The dynamic table of one direction of a connection (RFC 7541 §2.3.2, §4): a ring of the lines last added,
 * newest first, that drops its oldest ones so that it never is larger than its current maximum.
 *
 *   names   │ … │ oldest │ … │ … │ newest │ … │      positions are counted modulo the ring's size,
 *   values  │ … │ oldest │ … │ … │ newest │ … │      a power of two; what is dropped is let go at once
 */
import { HPACK_LIMITS } from './limits.ts';

/** What a line counts beside its name and value (RFC 7541 §4.1, RFC 9113 §6.5.2). */
export const LINE_OVERHEAD_BYTES = 32;

export class DynamicTable {
  #names: string[] = new Array(HPACK_LIMITS.ringLinesMin).fill('');
  #values: string[] = new Array(HPACK_LIMITS.ringLinesMin).fill('');
  #mask = HPACK_LIMITS.ringLinesMin - 1;
  #newest = 0;
  #lines = 0;
  #bytes = 0;
  #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get lines(): number {
    return this.#lines;
  }

  /** The name `age` lines before the newest; `age` is less than `lines`. */
  name(age: number): string {
    return this.#names[(this.#newest - age) & this.#mask] as string;
  }

  value(age: number): string {
    return this.#values[(this.#newest - age) & this.#mask] as string;
  }

  /** §4.4: drops the oldest until the line fits, and adds it; one that is larger than the table empties it. */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + LINE_OVERHEAD_BYTES;
    this.#dropUntil(this.#bytesMax - bytes);
    if (bytes > this.#bytesMax) return;
    if (this.#lines > this.#mask) this.#grow();
    this.#newest = (this.#newest + 1) & this.#mask;
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.#lines += 1;
    this.#bytes += bytes;
  }

  /** §4.3: a new maximum, which the caller has found allowed. */
  resize(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#dropUntil(bytesMax);
  }

  #dropUntil(bytesMax: number): void {
    while (this.#bytes > bytesMax && this.#lines > 0) {
      this.#lines -= 1;
      const place = (this.#newest - this.#lines) & this.#mask;
      const name = this.#names[place] as string;
      const value = this.#values[place] as string;
      this.#bytes -= name.length + value.length + LINE_OVERHEAD_BYTES;
      this.#names[place] = '';
      this.#values[place] = '';
    }
  }

  #grow(): void {
    const size = 2 * (this.#mask + 1);
    const names = new Array<string>(size).fill('');
    const values = new Array<string>(size).fill('');
    for (let age = 0; age < this.#lines; age += 1) {
      names[this.#lines - 1 - age] = this.name(age);
      values[this.#lines - 1 - age] = this.value(age);
    }
    this.#names = names;
    this.#values = values;
    this.#newest = this.#lines - 1;
    this.#mask = size - 1;
  }
}
