/**
 * Takes the chunked transfer coding apart (RFC 9112 §7.1) as bytes arrive, for request bodies and for
 * responses of origins. Strict: what one recipient reads as a chunk and another does not is how requests
 * are smuggled, so bare LF, signs, "0x", white space around the size and control bytes are faults.
 *
 * It leaves to its owner: the length of the whole body, deadlines, and what to do with a fault (the
 * connection cannot be used any further, for the end of the message is not known).
 *
 *   size ──";"──▶ extension ──CR──▶ size LF ──▶ data ──▶ data CR ──▶ data LF ──▶ size …
 *                                      └ size 0 ─▶ trailer section ──CRLF──▶ done
 */
import type { Fields } from '#core/http/fields.ts';
import { type FieldLinesRules, parseFieldLines } from './field-lines.ts';

export const CHUNKED_LIMITS = {
  /** Hexadecimal digits of a chunk's size, leading zeros included; 2^53 - 1 has fourteen. */
  sizeDigitsMax: 16,
  /** Bytes of one chunk's extensions. Signed uploads use some 85 in each chunk. */
  extensionBytesMax: 1_024,
  /**
   * Bytes of all extensions of a body: this much, and one more for every eight bytes of content, so that
   * a long body may carry small extensions but a body cannot consist of them.
   */
  extensionBytesTotalMax: 8_192,
  contentBytesPerExtensionByte: 8,
  /** Bytes and lines of the trailer section. */
  trailerBytesMax: 8_192,
  trailerLinesMax: 64,
} as const;

const TRAILER_RULES: FieldLinesRules = {
  bytesMax: CHUNKED_LIMITS.trailerBytesMax,
  linesMax: CHUNKED_LIMITS.trailerLinesMax,
  repairsResponses: false,
};

/** What was wrong; the names go into logs and into Proxy-Status details. */
export type ChunkedFault =
  | 'chunk-size-invalid'
  | 'chunk-size-too-large'
  | 'chunk-extension-invalid'
  | 'chunk-extension-too-long'
  | 'chunk-line-unterminated'
  | 'chunk-data-unterminated'
  | 'trailer-line-unterminated'
  | 'trailer-too-long'
  | 'trailer-invalid';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_START = 6;
const TRAILER_LINE = 7;
const TRAILER_LF = 8;
const END_LF = 9;
const DONE = 10;
const FAULTY = 11;

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;
const DEL = 0x7f;

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  if (lower >= 0x61 && lower <= 0x66) return lower - 0x57;
  return -1;
}

/** Whether a byte may stand inside a line: no control but HTAB. */
function isLineByte(byte: number): boolean {
  return byte === HTAB || (byte >= 0x20 && byte !== DEL);
}

export class ChunkedDecoder {
  readonly #onPart: (part: Uint8Array) => void;
  #state = SIZE;
  #fault: ChunkedFault | null = null;
  #trailers: Fields | null = null;

  /** Of the chunk being read: its size so far, then the content bytes still to come. */
  #chunkBytes = 0;
  #sizeDigits = 0;
  #extensionBytes = 0;
  #extensionBytesTotal = 0;
  #contentBytes = 0;
  /** The trailer section so far, as latin1 text. */
  #trailerText = '';

  /** `onPart` receives the content as it comes: never empty, and a view into the bytes pushed, not a copy. */
  constructor(onPart: (part: Uint8Array) => void) {
    this.#onPart = onPart;
  }

  /** True once the last CRLF of the body has been read. */
  get isDone(): boolean {
    return this.#state === DONE;
  }

  /** Why decoding stopped, or null. */
  get fault(): ChunkedFault | null {
    return this.#fault;
  }

  /** The trailer fields, after the end; null when there were none. */
  get trailers(): Fields | null {
    return this.#trailers;
  }

  /** Content bytes handed out so far. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /**
   * Decodes the bytes of `bytes` from index `start` on. Returns the index of the first byte that was not consumed:
   * `bytes.length` while the body goes on; after its end what is left belongs to the next message; after
   * a fault it is the index of the offending byte.
   */
  push(bytes: Uint8Array, start = 0): number {
    let at = start;
    const end = bytes.length;
    while (at < end && this.#state < DONE) {
      if (this.#state === DATA) {
        at = this.#takeContent(bytes, at);
      } else {
        this.#state = this.#next(bytes[at] as number);
        if (this.#state !== FAULTY) at += 1;
      }
    }
    return at;
  }

  #takeContent(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#chunkBytes);
    this.#chunkBytes -= end - at;
    this.#contentBytes += end - at;
    if (this.#chunkBytes === 0) this.#state = DATA_CR;
    this.#onPart(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  /** The state after one byte of anything but content. */
  #next(byte: number): number {
    switch (this.#state) {
      case SIZE:
        return this.#readSize(byte);
      case EXTENSION:
        return this.#readExtension(byte);
      case SIZE_LF:
        return byte === LF ? this.#endSizeLine() : this.#fail('chunk-line-unterminated');
      case DATA_CR:
        return byte === CR ? DATA_LF : this.#fail('chunk-data-unterminated');
      case DATA_LF:
        return byte === LF ? SIZE : this.#fail('chunk-data-unterminated');
      case END_LF:
        return byte === LF ? this.#endTrailers() : this.#fail('trailer-line-unterminated');
      default:
        return this.#readTrailer(byte);
    }
  }

  #fail(fault: ChunkedFault): number {
    this.#fault = fault;
    this.#trailerText = '';
    return FAULTY;
  }

  #readSize(byte: number): number {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#sizeDigits += 1;
      this.#chunkBytes = this.#chunkBytes * 16 + digit;
      const isTooLarge =
        this.#sizeDigits > CHUNKED_LIMITS.sizeDigitsMax || this.#chunkBytes > Number.MAX_SAFE_INTEGER;
      return isTooLarge ? this.#fail('chunk-size-too-large') : SIZE;
    }
    if (this.#sizeDigits === 0) return this.#fail('chunk-size-invalid');
    if (byte === CR) return SIZE_LF;
    return byte === SEMICOLON ? this.#countExtensionByte() : this.#fail('chunk-size-invalid');
  }

  #readExtension(byte: number): number {
    if (byte === CR) return SIZE_LF;
    return isLineByte(byte) ? this.#countExtensionByte() : this.#fail('chunk-extension-invalid');
  }

  #countExtensionByte(): number {
    this.#extensionBytes += 1;
    this.#extensionBytesTotal += 1;
    const { extensionBytesMax, extensionBytesTotalMax, contentBytesPerExtensionByte } = CHUNKED_LIMITS;
    const totalMax = extensionBytesTotalMax + this.#contentBytes / contentBytesPerExtensionByte;
    const isTooLong = this.#extensionBytes > extensionBytesMax || this.#extensionBytesTotal > totalMax;
    return isTooLong ? this.#fail('chunk-extension-too-long') : EXTENSION;
  }

  #endSizeLine(): number {
    this.#sizeDigits = 0;
    this.#extensionBytes = 0;
    return this.#chunkBytes === 0 ? TRAILER_START : DATA;
  }

  /** A byte of the trailer section; trailers are rare and short, so they are gathered byte by byte. */
  #readTrailer(byte: number): number {
    let next = TRAILER_LINE;
    if (this.#state === TRAILER_LF) {
      if (byte !== LF) return this.#fail('trailer-line-unterminated');
      next = TRAILER_START;
    } else if (byte === CR) {
      if (this.#state === TRAILER_START) return END_LF;
      next = TRAILER_LF;
    } else if (!isLineByte(byte)) {
      return this.#fail(byte === LF ? 'trailer-line-unterminated' : 'trailer-invalid');
    }
    if (this.#trailerText.length >= CHUNKED_LIMITS.trailerBytesMax) return this.#fail('trailer-too-long');
    this.#trailerText += String.fromCharCode(byte);
    return next;
  }

  #endTrailers(): number {
    if (this.#trailerText === '') return DONE;
    const fields = parseFieldLines(this.#trailerText, 0, this.#trailerText.length, TRAILER_RULES);
    if (typeof fields === 'string') {
      return this.#fail(fields === 'fields-too-many' ? 'trailer-too-long' : 'trailer-invalid');
    }
    this.#trailerText = '';
    this.#trailers = fields;
    return DONE;
  }
}
