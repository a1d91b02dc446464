/**
 * The streams of one connection (RFC 9113 §5.1): those open, how far their numbers have come, which of the
 * closed ones were reset by us so that frames still on their way are passed over, and the priorities
 * asked for streams that have not opened yet (RFC 9218 §7.1).
 */
import type { Priority } from '#core/http/priority.ts';
import type { Http2Limits } from '../limits.ts';
import type { ServerStream } from './server-stream.ts';

export class StreamTable {
  readonly #limits: Http2Limits;
  readonly #open = new Map<number, ServerStream>();
  /** Oldest first. */
  readonly #reset = new Set<number>();
  readonly #earlyPriorities = new Map<number, Priority>();
  #lastId = 0;
  #hasSkipped = false;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  /** The highest stream that the client has opened. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Whether there are lower ones that it has not: they can never be opened (RFC 9113 §5.1.1). */
  get hasSkipped(): boolean {
    return this.#hasSkipped;
  }

  get size(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#limits.streamsMax;
  }

  get(streamId: number): ServerStream | undefined {
    return this.#open.get(streamId);
  }

  /** The client opens a stream above all others. Returns the priority that it asked for beforehand. */
  open(streamId: number): Priority | null {
    if (streamId > this.#lastId + 2) this.#hasSkipped = true;
    this.#lastId = streamId;
    if (this.#earlyPriorities.size === 0) return null;
    const priority = this.#earlyPriorities.get(streamId) ?? null;
    // Lower ones are for streams that never will be.
    for (const id of this.#earlyPriorities.keys()) if (id <= streamId) this.#earlyPriorities.delete(id);
    return priority;
  }

  add(stream: ServerStream): void {
    this.#open.set(stream.sender.streamId, stream);
  }

  delete(streamId: number): void {
    this.#open.delete(streamId);
  }

  values(): IterableIterator<ServerStream> {
    return this.#open.values();
  }

  /** Takes all out. */
  drain(): ServerStream[] {
    const streams = [...this.#open.values()];
    this.#open.clear();
    return streams;
  }

  /** We have reset the stream, or will never answer it. */
  markReset(streamId: number): void {
    this.#reset.add(streamId);
    if (this.#reset.size <= this.#limits.resetStreamsRemembered) return;
    for (const oldest of this.#reset) {
      this.#reset.delete(oldest);
      break;
    }
  }

  wasReset(streamId: number): boolean {
    return this.#reset.has(streamId);
  }

  /** Keeps the priority of a stream to come; false when there are more than could open (RFC 9218 §7.1). */
  prioritiseEarly(streamId: number, priority: Priority): boolean {
    const isNew = !this.#earlyPriorities.has(streamId);
    if (isNew && this.#earlyPriorities.size + this.#open.size >= this.#limits.streamsMax) return false;
    this.#earlyPriorities.set(streamId, priority);
    return true;
  }
}
