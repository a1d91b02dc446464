/** What a worker's fills under way hold of its memory, all together: slow origins must not take all of it. */
export class FillMemory {
  readonly bytesMax: number;
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether there was room; `bytes` below 0 gives some back. */
  readonly hold = (bytes: number): boolean => {
    if (this.#heldBytes + bytes > this.bytesMax) return false;
    this.#heldBytes += bytes;
    return true;
  };

  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
