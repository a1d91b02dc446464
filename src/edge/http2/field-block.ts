/**
 * A field block that comes in HEADERS and CONTINUATION frames (RFC 9113 §4.3, §6.2, §6.10): strips padding and
 * the priority fields of RFC 7540, gathers the fragments within bounds. One that comes in one frame, as
 * nearly all do, is not copied.
 */
import { END_HEADERS, END_STREAM, HAS_PRIORITY, PADDED, PRIORITY_BYTES } from './frame.ts';
import type { Http2Limits } from './limits.ts';

export type BlockFault = 'padding-too-long' | 'block-too-large' | 'continuations-too-many';

/**
 * The part of a frame's payload that padding leaves; `to` below `from`: the padding is too long (RFC 9113 §6.1).
 * That Pad Length is there is for `frame-rules.ts` to see.
 */
export function unpadded(
  flags: number,
  bytes: Buffer,
  from: number,
  to: number,
): { from: number; to: number } {
  if ((flags & PADDED) === 0) return { from, to };
  return { from: from + 1, to: to - (bytes[from] as number) };
}

export class FieldBlock {
  readonly streamId: number;
  readonly endsStream: boolean;
  bytes: Buffer;
  from: number;
  to: number;
  fault: BlockFault | null = null;
  #continuations = 0;

  /** Of a HEADERS frame's payload. */
  constructor(streamId: number, flags: number, bytes: Buffer, from: number, to: number) {
    this.streamId = streamId;
    this.endsStream = (flags & END_STREAM) !== 0;
    this.bytes = bytes;
    const part = unpadded(flags, bytes, from, to);
    this.from = part.from + ((flags & HAS_PRIORITY) === 0 ? 0 : PRIORITY_BYTES);
    this.to = part.to;
    if (this.from > this.to) this.fault = 'padding-too-long';
    // More follows: what waits for it must not keep alive all that came with it.
    else if ((flags & END_HEADERS) === 0) this.#grow(this.to - this.from);
  }

  /** Adds a CONTINUATION frame's payload. */
  add(bytes: Buffer, from: number, to: number, limits: Http2Limits): void {
    this.#continuations += 1;
    const length = this.to - this.from + to - from;
    if (length > limits.blockBytesMax) this.fault = 'block-too-large';
    else if (this.#continuations > limits.continuationsMax) this.fault = 'continuations-too-many';
    if (this.fault !== null) return;
    if (this.bytes.length - this.to < to - from) this.#grow(2 * length);
    this.bytes.set(bytes.subarray(from, to), this.to);
    this.to += to - from;
  }

  /** Moves it to memory of its own, of `size` bytes. */
  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size);
    grown.set(this.bytes.subarray(this.from, this.to));
    this.to -= this.from;
    this.from = 0;
    this.bytes = grown;
  }
}
