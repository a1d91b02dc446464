/**
 * A request body that comes in DATA frames (RFC 9113 §6.1, §6.9): a queue that the stream's window bounds. What
 * the road has read is given back to the client as window.
 */
import type { Fields } from '#core/http/fields.ts';
import { BodyQueue } from '../../connection/body-queue.ts';
import { RequestBodyFault, type RequestBodyFaultName } from '../../connection/request-refusal.ts';
import type { BodySource } from '../../exchange.ts';

/** The stream, as its body sees it. */
export interface StreamBodyOwner {
  /** A read waits: the client may have to be told to go on. */
  bodyWanted(): void;
  /** So many bytes were read, or will not be. */
  bodyConsumed(bytes: number): void;
}

export class StreamRequestBody implements BodySource {
  readonly length: number | null;
  readonly #owner: StreamBodyOwner;
  readonly #queue = new BodyQueue();
  #heldBytes = 0;
  #receivedBytes = 0;
  #trailers: Fields | null = null;
  #isComplete = false;
  #isCancelled = false;

  constructor(length: number | null, owner: StreamBodyOwner) {
    this.length = length;
    this.#owner = owner;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Whether a read waits for the client. */
  get isWanted(): boolean {
    return this.#queue.isRead;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Takes the content of a DATA frame; true when it is kept, as a view of the memory it came in, for `deliver`. */
  take(part: Uint8Array): boolean {
    if (part.length === 0) return false;
    this.#receivedBytes += part.length;
    if (this.#isCancelled || this.#queue.hasFault) {
      this.#owner.bodyConsumed(part.length);
      return false;
    }
    this.#heldBytes += part.length;
    this.#queue.add(part);
    return true;
  }

  /**
   * All of a chunk has been read: a waiting read gets what was in it, or the end. `memory`: what views of it are
   * copied, because little of it is content, and whoever reads may hold that for long; null: they stay.
   */
  deliver(memory: ArrayBufferLike | null): void {
    if (memory !== null) this.#queue.compact(memory);
    if (this.#isComplete) this.#queue.complete();
    else this.#queue.settle();
    this.#giveBack();
  }

  /** Whether the fault that ends it has come already. */
  get hasFailed(): boolean {
    return this.#queue.hasFault;
  }

  /** The client's END_STREAM, for `deliver`; whether the body has the length it announced. */
  complete(trailers: Fields | null): boolean {
    if (this.length !== null && this.length !== this.#receivedBytes) return false;
    this.#isComplete = true;
    this.#trailers = trailers;
    return true;
  }

  /** Ends it as incomplete, unless it is whole. */
  fail(fault: RequestBodyFaultName): void {
    if (this.#isComplete) return;
    this.#queue.fail(new RequestBodyFault(fault));
    this.#giveBack();
  }

  read(): Promise<Uint8Array | null> {
    const part = this.#queue.read();
    this.#giveBack();
    if (this.#queue.isRead) this.#owner.bodyWanted();
    return part;
  }

  trailers(): Fields | null {
    return this.#trailers;
  }

  cancel(_reason: string): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#queue.fail(new RequestBodyFault('body-cancelled'));
    this.#giveBack();
  }

  /** Tells the owner of what has left the queue. */
  #giveBack(): void {
    const released = this.#heldBytes - this.#queue.bytes;
    this.#heldBytes = this.#queue.bytes;
    if (released > 0) this.#owner.bodyConsumed(released);
  }
}
