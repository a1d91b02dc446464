/**
 * A body while it arrives: one buffer that grows by doubling, so that at the end it is one contiguous
 * piece and followers can read what is there as views. Growth asks for the bytes first, so that
 * every byte held is a byte accounted for.
 */
import { STORAGE_LIMITS } from '../limits.ts';

const EMPTY = new Uint8Array(0);
/** A buffer with more than this share unused is copied to its exact size at the end. */
const WASTE_SHARE_MAX = 1 / 8;

export class GrowingBody {
  readonly #announced: number | null;
  readonly #bytesMax: number;
  #buffer: Uint8Array = EMPTY;
  #length = 0;

  constructor(announced: number | null, bytesMax: number) {
    this.#announced = announced;
    this.#bytesMax = bytesMax;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes held: what is charged to the budget. */
  get capacity(): number {
    return this.#buffer.byteLength;
  }

  /** The capacity needed to take `count` more bytes; null when the bound or the announced length forbids them. */
  capacityFor(count: number): number | null {
    const needed = this.#length + count;
    if (needed > this.#bytesMax) return null;
    if (this.#announced !== null && needed > this.#announced) return null;
    if (needed <= this.capacity) return this.capacity;
    const ceiling = Math.min(this.#announced ?? this.#bytesMax, this.#bytesMax);
    if (this.#announced !== null && this.#announced <= STORAGE_LIMITS.allocateAtOnceBytesMax) return ceiling;
    const doubled = Math.max(needed, this.capacity * 2, STORAGE_LIMITS.firstAllocationBytes);
    return Math.min(doubled, ceiling);
  }

  /** Appends; `capacity` as `capacityFor` said. */
  append(bytes: Uint8Array, capacity: number): void {
    if (capacity > this.capacity) {
      const larger = new Uint8Array(capacity);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  /** What has arrived from `offset` on. Written bytes never change, so the view stays true. */
  view(offset: number): Uint8Array {
    return this.#buffer.subarray(offset, this.#length);
  }

  /** The complete body; null when it is not as long as announced. May shrink `capacity`, never raises it. */
  complete(): Uint8Array | null {
    if (this.#announced !== null && this.#announced !== this.#length) return null;
    if (this.capacity - this.#length > this.capacity * WASTE_SHARE_MAX) {
      this.#buffer = this.#buffer.slice(0, this.#length);
    }
    return this.#buffer.subarray(0, this.#length);
  }

  release(): void {
    this.#buffer = EMPTY;
    this.#length = 0;
  }
}
