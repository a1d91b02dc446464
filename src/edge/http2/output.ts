/**
 * The sending side of one HTTP/2 connection: frames are put together in a scratch buffer that all connections
 * of a worker share, and go to the socket in as few writes as possible. Which frames, and whether flow
 * control allows them, is left to its callers.
 */

import { TLSSocket } from 'node:tls';
import type { ByteSocket } from '#platform/byte-socket.ts';
import { FRAME_HEADER_BYTES, writeFrameHeader, writeUint32 } from './frame.ts';

/** Four TLS records: larger writes save no more, and keep urgent frames waiting longer. */
const SCRATCH_BYTES = 64 * 1024;

/** One per worker. Whoever writes to it takes it over, after what the one before left has been sent. */
export class FrameScratch {
  bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #user: FrameOutput | null = null;

  take(user: FrameOutput): void {
    if (this.#user === user) return;
    const before = this.#user;
    this.#user = user;
    before?.flush();
  }

  release(user: FrameOutput): void {
    if (this.#user === user) this.#user = null;
  }

  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }
}

export class FrameOutput {
  readonly #socket: ByteSocket;
  readonly #scratch: FrameScratch;
  /** Whether the socket may still refer to a buffer after `write` has returned (see `http1/output.ts`). */
  readonly #mayKeepBytes: boolean;
  #filled = 0;
  #writtenBytes = 0;
  #isGone = false;
  #takenBytes = 0;
  #takenTick = 0;

  constructor(socket: ByteSocket, scratch: FrameScratch) {
    this.#socket = socket;
    this.#scratch = scratch;
    this.#mayKeepBytes = !(socket instanceof TLSSocket);
  }

  /** Whether the peer takes less than we have: no more DATA should be written. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain && this.#socket.writableLength > 0;
  }

  /** Bytes that neither the kernel nor the peer has taken. */
  get unsentBytes(): number {
    return this.#filled + this.#socket.writableLength;
  }

  /** The largest piece that `reserve` gives. */
  get pieceBytesMax(): number {
    return SCRATCH_BYTES;
  }

  /** What `reserve` and `fill` speak of. */
  get bytes(): Buffer {
    return this.#scratch.bytes;
  }

  /** Makes room for `count` bytes, at most `pieceBytesMax`; returns where they go. `fill` then says how many came. */
  reserve(count: number): number {
    if (this.#filled + count > SCRATCH_BYTES) this.flush();
    this.#scratch.take(this);
    return this.#filled;
  }

  /** The scratch buffer is filled up to `end`. */
  fill(end: number): void {
    this.#filled = end;
  }

  /** A frame whose payload is one number, or none when `value` is null. */
  writeSmall(type: number, flags: number, streamId: number, value: number | null): void {
    const at = this.reserve(FRAME_HEADER_BYTES + 4);
    const end = writeFrameHeader(this.bytes, at, value === null ? 0 : 4, type, flags, streamId);
    this.fill(value === null ? end : writeUint32(this.bytes, end, value));
  }

  /** A frame with payload[from, to). */
  writeFrame(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    from: number,
    to: number,
  ): void {
    const length = to - from;
    const isAll = FRAME_HEADER_BYTES + length <= SCRATCH_BYTES;
    const at = this.reserve(isAll ? FRAME_HEADER_BYTES + length : FRAME_HEADER_BYTES);
    const end = writeFrameHeader(this.bytes, at, length, type, flags, streamId);
    const part = from === 0 && to === payload.length ? payload : payload.subarray(from, to);
    if (isAll) {
      this.bytes.set(part, end);
      this.fill(end + length);
    } else {
      this.fill(end);
      this.flush();
      this.#put(part);
    }
  }

  /** Bytes that are frames already. */
  writeRaw(frames: Uint8Array): void {
    const at = this.reserve(frames.length);
    this.bytes.set(frames, at);
    this.fill(at + frames.length);
  }

  /** Gives the socket what was put together. */
  flush(): void {
    if (this.#filled === 0) {
      this.#scratch.release(this);
      return;
    }
    const bytes = this.#scratch.bytes.subarray(0, this.#filled);
    this.#filled = 0;
    if (this.#socket.writableLength > 0) {
      // Behind bytes that wait, ours would wait too, by reference, also in a TLS socket.
      this.#put(Buffer.from(bytes));
    } else {
      this.#put(bytes);
      if (this.#mayKeepBytes && this.#socket.writableLength > 0) this.#scratch.renew();
    }
    this.#scratch.release(this);
  }

  /** What is written from now on is dropped. */
  gone(): void {
    this.#isGone = true;
    this.#filled = 0;
    this.#scratch.release(this);
  }

  /** Whether the peer has taken nothing of what is pending for `ticksMax` ticks; to be asked every tick. */
  isStalled(tick: number, ticksMax: number): boolean {
    const pending = this.#socket.writableLength;
    const taken = this.#writtenBytes - pending;
    if (pending === 0 || taken !== this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenTick = tick;
      return false;
    }
    return tick - this.#takenTick >= ticksMax;
  }

  #put(bytes: Uint8Array): void {
    if (this.#isGone) return;
    this.#writtenBytes += bytes.length;
    this.#socket.write(bytes);
  }
}
