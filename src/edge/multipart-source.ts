/** Several ranges of a stored body as a multipart/byteranges message (RFC 9110 §14.6). */
import { type ByteRange, formatContentRange } from '#core/http/ranges.ts';
import type { BodySource } from './exchange.ts';
import type { StoredResponse } from './storage/storage.ts';

/** A line of the message, or a range of the body. */
type Piece = Uint8Array | ByteRange;

export class MultipartSource implements BodySource {
  readonly length: number;
  readonly #stored: StoredResponse;
  readonly #pieces: Piece[];
  #current: BodySource | null = null;

  /** `boundary`: what no body contains by chance. */
  constructor(stored: StoredResponse, ranges: readonly ByteRange[], boundary: string) {
    const contentType = stored.head.fields.get('content-type');
    this.#stored = stored;
    this.#pieces = ranges.flatMap((range, index) => [
      latin1(
        `${index === 0 ? '' : '\r\n'}--${boundary}\r\n` +
          (contentType === null ? '' : `Content-Type: ${contentType}\r\n`) +
          `Content-Range: ${formatContentRange(range, stored.bodyLength)}\r\n\r\n`,
      ),
      range,
    ]);
    this.#pieces.push(latin1(`\r\n--${boundary}--\r\n`));
    this.length = this.#pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const part = (await this.#current?.read()) ?? null;
      if (part !== null) return part;
      this.#current = null;
      const piece = this.#pieces.shift();
      if (piece === undefined) return null;
      if (piece instanceof Uint8Array) return piece;
      this.#current = this.#stored.open(piece.start, piece.end);
    }
  }

  trailers(): null {
    return null;
  }

  cancel(reason: string): void {
    this.#pieces.length = 0;
    this.#current?.cancel(reason);
  }
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function lengthOf(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.byteLength : piece.end - piece.start;
}
