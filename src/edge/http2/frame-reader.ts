/**
 * Cuts what a connection receives into whole frames (RFC 9113 §4.1). Frames that lie whole in a chunk are
 * handed out as views of it; one that is cut is put together in memory that grows with what has come, not
 * with what its header announces. What a frame means is its listener's.
 */
import { FRAME_HEADER_BYTES, readUint24, readUint31 } from './frame.ts';

export interface FrameListener {
  /**
   * One frame, its payload in bytes[from, to); the bytes are never written again. False: nothing more is read.
   */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, to: number): boolean;
  /** A frame longer than allowed; nothing more is read. */
  onFrameTooLarge(): void;
}

const PARTIAL_BYTES_MIN = 256;

export class FrameReader {
  readonly #listener: FrameListener;
  readonly #payloadBytesMax: number;
  #partial: Buffer | null = null;
  #partialBytes = 0;
  #frames = 0;
  /** What `pause` has left unread. */
  #held: Buffer | null = null;
  #isPaused = false;
  #isStopped = false;

  constructor(payloadBytesMax: number, listener: FrameListener) {
    this.#payloadBytesMax = payloadBytesMax;
    this.#listener = listener;
  }

  /** Bytes of a frame that has not come whole; 0: none has begun. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /** Frames handed out so far. */
  get frames(): number {
    return this.#frames;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Reads `chunk` from `start`; it must not change afterwards. */
  push(chunk: Buffer, start: number): void {
    if (this.#isPaused) {
      const rest = chunk.subarray(start);
      this.#held = this.#held === null ? rest : Buffer.concat([this.#held, rest]);
      return;
    }
    let at = this.#partialBytes === 0 ? start : this.#completePartial(chunk, start);
    while (!this.#isStopped && !this.#isPaused && chunk.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + readUint24(chunk, at);
      if (end - at - FRAME_HEADER_BYTES > this.#payloadBytesMax) {
        this.#tooLarge();
        return;
      }
      if (end > chunk.length) break;
      this.#deliver(chunk, at, end);
      at = end;
    }
    if (this.#isStopped || at >= chunk.length) return;
    if (this.#isPaused) this.#held = chunk.subarray(at);
    else this.#keep(chunk, at, chunk.length);
  }

  /** Hands out no further frame: the rest of what has come, and what comes, is kept as it is. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Goes on with what was kept; returns it. */
  resume(): Buffer | null {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.push(held, 0);
    return held;
  }

  stop(): void {
    this.#isStopped = true;
    this.#partial = null;
    this.#partialBytes = 0;
    this.#held = null;
  }

  /** Adds to the cut frame what belongs to it; returns where the rest of the chunk begins. */
  #completePartial(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#partialBytes < FRAME_HEADER_BYTES) {
      const end = Math.min(chunk.length, at + FRAME_HEADER_BYTES - this.#partialBytes);
      this.#keep(chunk, at, end);
      at = end;
      if (this.#partialBytes < FRAME_HEADER_BYTES) return at;
    }
    const length = readUint24(this.#partial as Buffer, 0);
    if (length > this.#payloadBytesMax) {
      this.#tooLarge();
      return chunk.length;
    }
    const end = Math.min(chunk.length, at + FRAME_HEADER_BYTES + length - this.#partialBytes);
    if (end > at) this.#keep(chunk, at, end);
    if (this.#partialBytes < FRAME_HEADER_BYTES + length) return end;
    const frame = this.#partial as Buffer;
    // Given away: a body may keep its bytes.
    this.#partial = null;
    this.#partialBytes = 0;
    this.#deliver(frame, 0, FRAME_HEADER_BYTES + length);
    return end;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    const bytes = this.#partialBytes + to - from;
    let partial = this.#partial;
    if (partial === null || partial.length < bytes) {
      partial = Buffer.allocUnsafeSlow(Math.max(PARTIAL_BYTES_MIN, 2 * bytes));
      if (this.#partial !== null) partial.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = partial;
    }
    partial.set(chunk.subarray(from, to), this.#partialBytes);
    this.#partialBytes = bytes;
  }

  #deliver(bytes: Buffer, at: number, end: number): void {
    this.#frames += 1;
    const goesOn = this.#listener.onFrame(
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      readUint31(bytes, at + 5),
      bytes,
      at + FRAME_HEADER_BYTES,
      end,
    );
    if (!goesOn) this.stop();
  }

  #tooLarge(): void {
    this.stop();
    this.#listener.onFrameTooLarge();
  }
}
