/**
 * The sending side of one stream: the part of a body that waits, the stream's window, what ends it (RFC 9113
 * §5.2, §6.9). When it is its turn, and how much the connection's window allows, is the scheduler's and the
 * connection's.
 */
import { assert } from '#core/base/assert.ts';
import type { Priority } from '#core/http/priority.ts';
import { ClientGone, rejectedAsGone } from '../connection/client-gone.ts';
import { DATA, END_STREAM, FRAME_HEADER_BYTES } from './frame.ts';
import type { FrameOutput } from './output.ts';

/** With its header a frame of this size fills one TLS record, and four of them the scratch buffer. */
const SLICE_BYTES_MAX = 16_384 - FRAME_HEADER_BYTES;

const DONE = Promise.resolve();

function ignore(): void {}

/** The connection, as a sender sees it. */
export interface SenderOwner {
  readonly output: FrameOutput;
  /** The sender has something to send and waits for its turn. */
  enqueue(sender: StreamSender): void;
  /** Lets whoever has a turn send, unless that happens soon anyway. */
  advance(): void;
  /** Writes a field block that ends the stream. */
  writeTrailers(streamId: number, block: Buffer): void;
  /** The stream's last frame has been written. */
  senderEnded(sender: StreamSender): void;
}

export class StreamSender {
  readonly streamId: number;
  /** Bytes the peer lets this stream send; below 0 when it has reduced its window (RFC 9113 §6.9.2). */
  window: number;
  priority: Priority;
  /** Kept by the scheduler: whether it waits, and how many frames it has sent in its turn. */
  isQueued = false;
  turnFrames = 0;
  readonly #owner: SenderOwner;
  #part: Uint8Array | null = null;
  #at = 0;
  #isEnding = false;
  #trailers: Buffer | null = null;
  #isOver = false;
  #waiter: PromiseWithResolvers<void> | null = null;
  #sentBytes = 0;
  /** Since which tick windows have kept it from sending, 0: they do not; and what had been sent by then. */
  #blockedTick = 0;
  #blockedMark = 0;

  constructor(streamId: number, window: number, priority: Priority, owner: SenderOwner) {
    this.streamId = streamId;
    this.window = window;
    this.priority = priority;
    this.#owner = owner;
  }

  /** Whether it ended, one way or the other: nothing is sent any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get hasWork(): boolean {
    return !this.#isOver && (this.#part !== null || this.#isEnding);
  }

  /** Whether a frame could be written now; the end of a stream needs no window. */
  maySend(connectionWindow: number): boolean {
    if (this.#isOver) return false;
    if (this.#part === null) return this.#isEnding;
    return this.window > 0 && connectionWindow > 0;
  }

  /**
   * Sends `bytes`, which must not change any more. Resolves when all have been written; rejects with
   * `ClientGone` when the stream is over.
   */
  send(bytes: Uint8Array): Promise<void> {
    if (this.#isOver || this.#isEnding) return rejectedAsGone('the stream has ended');
    if (bytes.length === 0) return DONE;
    assert(this.#part === null, 'a body is written by one write at a time');
    this.#part = bytes;
    this.#at = 0;
    this.#owner.enqueue(this);
    this.#owner.advance();
    if (this.#part === null) return DONE;
    this.#waiter = Promise.withResolvers<void>();
    this.#waiter.promise.catch(ignore);
    return this.#waiter.promise;
  }

  /** Sends `bytes` and ends the stream; nobody waits for it. */
  sendLast(bytes: Uint8Array): void {
    this.#part = bytes;
    this.#at = 0;
    this.finish(null);
  }

  /** Ends the stream after what waits; `trailers` is a field block. */
  finish(trailers: Buffer | null): void {
    if (this.#isOver || this.#isEnding) return;
    this.#isEnding = true;
    this.#trailers = trailers;
    this.#owner.enqueue(this);
    this.#owner.advance();
  }

  /** The stream ended with its head: there is no body. */
  endWithHead(): void {
    if (!this.#isOver) this.#end();
  }

  /** Nothing more is sent. */
  stop(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#part = null;
    this.#waiter?.reject(new ClientGone(reason));
    this.#waiter = null;
  }

  /** Writes one frame; returns the bytes that count against the connection's window. */
  writeSlice(connectionWindow: number, frameBytesMax: number): number {
    const part = this.#part;
    if (part === null) {
      this.#writeEnd();
      return 0;
    }
    const left = part.length - this.#at;
    const count = Math.min(left, this.window, connectionWindow, frameBytesMax, SLICE_BYTES_MAX);
    const isLast = count === left && this.#isEnding && this.#trailers === null;
    const flags = isLast ? END_STREAM : 0;
    this.#owner.output.writeFrame(DATA, flags, this.streamId, part, this.#at, this.#at + count);
    this.window -= count;
    this.#at += count;
    this.#sentBytes += count;
    if (count === left) {
      this.#part = null;
      this.#waiter?.resolve();
      this.#waiter = null;
      if (isLast) this.#end();
    }
    return count;
  }

  /**
   * Whether windows have let it send less than `bytesMin` for `ticksMax` ticks; to be asked every tick. One byte
   * now and then is no progress: a response, and what it holds, would last for ever.
   */
  isStalled(connectionWindow: number, tick: number, ticksMax: number, bytesMin: number): boolean {
    if (!this.hasWork || this.maySend(connectionWindow)) {
      this.#blockedTick = 0;
      return false;
    }
    if (this.#blockedTick === 0 || this.#sentBytes - this.#blockedMark >= bytesMin) {
      this.#blockedTick = tick;
      this.#blockedMark = this.#sentBytes;
    }
    return tick - this.#blockedTick >= ticksMax;
  }

  #writeEnd(): void {
    if (this.#trailers === null) this.#owner.output.writeSmall(DATA, END_STREAM, this.streamId, null);
    else this.#owner.writeTrailers(this.streamId, this.#trailers);
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#owner.senderEnded(this);
  }
}
