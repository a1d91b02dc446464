/**
 * What one HTTP/2 connection sends (RFC 9113 §5.2, §6.5, §6.9): keeps the peer's settings and the connection's
 * window, gives senders their turns, and gathers frames so that few writes carry them.
 */
import type { Priority } from '#core/http/priority.ts';
import type { TurnTaker, WriteTurns } from '../connection/write-turns.ts';
import { writeBlock } from './block-writer.ts';
import { DEFAULT_WINDOW_BYTES, MAX_31, RST_STREAM } from './frame.ts';
import type { FrameOutput } from './output.ts';
import { Scheduler } from './scheduler.ts';
import { PeerSettings } from './settings.ts';
import type { SenderOwner, StreamSender } from './stream-sender.ts';

/** Then others than this connection have their turn: a client that reads as fast as we write blocks nothing. */
const FRAMES_PER_GO = 64;
/** The same while others wait in line. */
const FRAMES_PER_TURN = 16;

export interface SendingOwner {
  /** A stream's last frame has been written. */
  senderEnded(sender: StreamSender): void;
  /** So many DATA frames were written at one go. */
  dataWritten(frames: number): void;
}

export class Sending implements SenderOwner, TurnTaker {
  readonly output: FrameOutput;
  readonly peer = new PeerSettings();
  readonly #owner: SendingOwner;
  readonly #turns: WriteTurns | null;
  readonly #scheduler = new Scheduler();
  /** Bytes the client lets us send on all streams together. */
  #window = DEFAULT_WINDOW_BYTES;
  /** While a chunk is being read, what is written is gathered. */
  #isGathering = false;
  #isAdvancing = false;
  #isFlushAwaited = false;
  #isInLine = false;
  #isOver = false;

  /** `turns`: in which the connections of a worker write to their clients; null: no others are waited for. */
  constructor(output: FrameOutput, owner: SendingOwner, turns: WriteTurns | null) {
    this.output = output;
    this.#owner = owner;
    this.#turns = turns;
  }

  /** Whether nothing more is sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get window(): number {
    return this.#window;
  }

  /** Whether the client takes less than we have. */
  get isBlocked(): boolean {
    return this.output.isBlocked;
  }

  /** What is written until `endGathering` goes out together. */
  beginGathering(): void {
    this.#isGathering = true;
  }

  endGathering(): void {
    this.#isGathering = false;
    this.advance();
  }

  /** Nothing more is sent. */
  end(): void {
    this.#isOver = true;
  }

  /** The client lets us send more; false when that is more than there can be (RFC 9113 §6.9.1). */
  widen(increment: number): boolean {
    this.#window += increment;
    return this.#window <= MAX_31;
  }

  enqueue(sender: StreamSender): void {
    this.#scheduler.add(sender);
  }

  reprioritise(sender: StreamSender, priority: Priority): void {
    this.#scheduler.reprioritise(sender, priority);
  }

  /** The sender has gone: it gets no more turns. */
  forget(sender: StreamSender): void {
    this.#scheduler.remove(sender);
  }

  /** Gives turns while the client takes what comes, and lets it all go. */
  advance(): void {
    // A stream that ends in its turn may free room for others and come here again; they have their turn anyway.
    if (this.#isGathering || this.#isAdvancing || this.#isOver) return;
    this.#isAdvancing = true;
    let frames = 0;
    while (frames < FRAMES_PER_GO && !this.output.isBlocked) {
      if (this.#mustYield(frames)) {
        this.#getInLine();
        break;
      }
      const sender = this.#scheduler.next(this.#window);
      if (sender === null) break;
      const count = sender.writeSlice(this.#window, this.peer.frameBytesMax);
      this.#window -= count;
      this.#turns?.spend(count);
      frames += 1;
      if (!sender.hasWork) this.#scheduler.remove(sender);
    }
    this.#isAdvancing = false;
    if (frames > 0) this.#owner.dataWritten(frames);
    this.output.flush();
    if (frames === FRAMES_PER_GO) this.flushSoon();
  }

  onTurn(): void {
    this.#isInLine = false;
    this.advance();
  }

  /** One frame is always written: what is small and urgent waits for nobody. */
  #mustYield(frames: number): boolean {
    const turns = this.#turns;
    if (turns === null || frames === 0) return false;
    return turns.isOver || (frames >= FRAMES_PER_TURN && turns.hasWaiting);
  }

  #getInLine(): void {
    if (this.#isInLine) return;
    this.#isInLine = true;
    this.#turns?.wait(this);
  }

  writeHead(streamId: number, block: Buffer, endsStream: boolean): void {
    if (this.#isOver) return;
    writeBlock(this.output, this.peer, streamId, block, endsStream);
    this.flushSoon();
  }

  writeTrailers(streamId: number, block: Buffer): void {
    writeBlock(this.output, this.peer, streamId, block, true);
  }

  writeReset(streamId: number, code: number): void {
    if (this.#isOver) return;
    this.output.writeSmall(RST_STREAM, 0, streamId, code);
    this.flushSoon();
  }

  senderEnded(sender: StreamSender): void {
    this.#owner.senderEnded(sender);
  }

  /** Lets go what was written, soon: a head waits for the first bytes of its body, which mostly come in the same turn. */
  flushSoon(): void {
    if (this.#isGathering || this.#isFlushAwaited) return;
    this.#isFlushAwaited = true;
    setImmediate(flushOf, this);
  }

  flushNow(): void {
    this.#isFlushAwaited = false;
    this.advance();
  }
}

function flushOf(sending: Sending): void {
  sending.flushNow();
}
