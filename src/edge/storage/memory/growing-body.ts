/**
 * A body while it arrives: one buffer that grows by doubling, so that at the end it is one contiguous
 * piece and followers can read what is there as views. Growth asks for the bytes first, so that
 * every byte held is a byte accounted for.
 */
import { releaseBytes } from '#platform/release-bytes.ts';
import { STORAGE_LIMITS } from '../limits.ts';

const EMPTY = new Uint8Array(0);
/** A buffer with more than this share unused is copied to its exact size at the end. */
const WASTE_SHARE_MAX = 1 / 8;
/** What may lie before a body that is kept as it came, whatever its size: the head it came with. */
const WASTE_BYTES_MIN = 512;

export class GrowingBody {
  readonly #announced: number | null;
  readonly #bytesMax: number;
  #buffer: Uint8Array = EMPTY;
  /** Bytes of the memory that `#buffer` lies in. */
  #capacity = 0;
  #isKept = false;
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
    return this.#capacity;
  }

  /**
   * Takes bytes, where `hold` grants what they need beyond `capacity`; else false, and nothing has changed. `isGiven`:
   * `bytes` belong to nobody else, and are kept as they are, or freed (`StorageWriter.write`).
   */
  take(bytes: Uint8Array, isGiven: boolean, hold: (bytes: number) => boolean): boolean {
    const isKept = isGiven && this.mayKeep(bytes);
    const capacity = isKept ? bytes.buffer.byteLength : this.capacityFor(bytes.byteLength);
    if (capacity === null || !hold(capacity - this.capacity)) return false;
    if (isKept) {
      this.keep(bytes);
    } else {
      this.append(bytes, capacity);
      if (isGiven) releaseBytes(bytes);
    }
    return true;
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

  /**
   * Whether `bytes` are the whole body and end their buffer, so that they can be kept as they are. `bytes` belong to
   * nobody else, and neither does the buffer.
   */
  mayKeep(bytes: Uint8Array): boolean {
    const { byteLength, byteOffset, buffer } = bytes;
    if (this.#length > 0 || byteLength !== this.#announced || byteLength > this.#bytesMax) return false;
    if (byteOffset + byteLength !== buffer.byteLength) return false;
    return byteOffset <= Math.max(WASTE_BYTES_MIN, byteLength * WASTE_SHARE_MAX);
  }

  /** The body is `bytes`, without a copy; only where `mayKeep` allows it. `capacity` is that of their buffer. */
  keep(bytes: Uint8Array): void {
    this.#buffer = bytes;
    this.#capacity = bytes.buffer.byteLength;
    this.#length = bytes.byteLength;
    this.#isKept = true;
  }

  /** Appends; `capacity` as `capacityFor` said. */
  append(bytes: Uint8Array, capacity: number): void {
    if (capacity > this.capacity) {
      // Only what was written is ever looked at.
      const larger = Buffer.allocUnsafeSlow(capacity);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
      this.#capacity = capacity;
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
    if (!this.#isKept && this.capacity - this.#length > this.capacity * WASTE_SHARE_MAX) {
      this.#buffer = new Uint8Array(this.#buffer.subarray(0, this.#length));
      this.#capacity = this.#length;
    }
    return this.#buffer.subarray(0, this.#length);
  }

  release(): void {
    this.#buffer = EMPTY;
    this.#capacity = 0;
    this.#length = 0;
  }
}
