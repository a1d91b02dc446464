/**
 * Which records a worker has read and found sound. What is still in the page cache then need not be checked again before it
 * is sent as it lies; what was read from the disk since does.
 */
import type { Location } from './disk-index.ts';
import { UNIT_BYTES } from './disk-layout.ts';

/** In each of two generations: 32 GiB of chunks. */
const RECORDS_MAX = 32 * 1024;
/** Above every offset within a segment, in units. */
const UNITS = 2 ** 25;

export class CheckedRecords {
  #young = new Set<number>();
  #old = new Set<number>();

  add({ segment, offset }: Location): void {
    if (this.#young.size >= RECORDS_MAX) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(segment * UNITS + offset / UNIT_BYTES);
  }

  has({ segment, offset }: Location): boolean {
    const record = segment * UNITS + offset / UNIT_BYTES;
    return this.#young.has(record) || this.#old.has(record);
  }
}
