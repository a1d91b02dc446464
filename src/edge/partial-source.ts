/** Some of a body that is read from its beginning: what comes before is dropped, and what comes after not waited for. */
import type { ByteRange } from '#core/http/ranges.ts';
import type { BodySource } from './exchange.ts';

export class PartialSource implements BodySource {
  readonly length: number;
  readonly #source: BodySource;
  readonly #range: ByteRange;
  /** Bytes of the body that the source has given. */
  #position = 0;

  constructor(source: BodySource, range: ByteRange) {
    this.#source = source;
    this.#range = range;
    this.length = range.end - range.start;
  }

  async read(): Promise<Uint8Array | null> {
    const { start, end } = this.#range;
    while (this.#position < end) {
      const part = await this.#source.read();
      if (part === null) throw new Error('the body ended before the range that was asked for');
      const at = this.#position;
      this.#position += part.byteLength;
      if (this.#position <= start) continue;
      return part.subarray(Math.max(0, start - at), Math.min(part.byteLength, end - at));
    }
    this.#source.cancel('the range has been read');
    return null;
  }

  trailers(): null {
    return null;
  }

  cancel(reason: string): void {
    this.#source.cancel(reason);
  }
}
