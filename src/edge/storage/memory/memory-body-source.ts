/** Reads a range of a body that lies in memory: views of it, in parts a sink can take. */
import type { BodySource } from '../../exchange.ts';
import { STORAGE_LIMITS } from '../limits.ts';

export class MemoryBodySource implements BodySource {
  readonly length: number;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.byteLength;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#offset >= this.#bytes.byteLength) return Promise.resolve(null);
    const part = this.#bytes.subarray(this.#offset, this.#offset + STORAGE_LIMITS.readPartBytesMax);
    this.#offset += part.byteLength;
    return Promise.resolve(part);
  }

  trailers(): null {
    return null;
  }

  cancel(): void {
    this.#offset = this.#bytes.byteLength;
  }
}
