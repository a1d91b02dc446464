/**
 * Remembers what was evicted lately after a single use: S3-FIFO's ghost queue. A direct-mapped table of
 * 32-bit hashes, in which a newer one takes the place of an older: one typed array, O(1), nothing for the
 * garbage collector. A collision merely lets a response into the main queue at once, never serves anything.
 */
const ENTRIES_MIN = 1024;
const ENTRIES_MAX = 1 << 20;

export class GhostTable {
  readonly #hashes: Uint32Array;
  readonly #mask: number;

  /** `entries`: about how many evictions are remembered; rounded up to a power of two within bounds. */
  constructor(entries: number) {
    let size = ENTRIES_MIN;
    while (size < entries && size < ENTRIES_MAX) size *= 2;
    this.#hashes = new Uint32Array(size);
    this.#mask = size - 1;
  }

  remember(hash: number): void {
    this.#hashes[hash & this.#mask] = hash;
  }

  /** Whether the hash was remembered; forgets it. */
  take(hash: number): boolean {
    const at = hash & this.#mask;
    if (this.#hashes[at] !== hash) return false;
    this.#hashes[at] = 0;
    return true;
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over the text's characters, never 0 (which marks an empty place). Chain by passing `from`. */
export function hashText(text: string, from: number = FNV_OFFSET): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  hash >>>= 0;
  return hash === 0 ? 1 : hash;
}
