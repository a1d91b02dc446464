/**
 * The parts of a request body between a connection that feeds them and a road that pulls them: a queue whose
 * filling the connection bounds (by pausing its socket, or by flow control), and the one read that may wait.
 * Framing is the connection's; here is only what comes out of it.
 */
import { assert } from '#core/base/assert.ts';
import type { RequestBodyFault } from './request-refusal.ts';

/** Parts below this are gathered, so that a body of one-byte chunks does not become as many objects. */
const SMALL_PART_BYTES = 1024;
const GATHER_BYTES = 4096;

const END = Promise.resolve(null);

function ignore(): void {}

interface PendingRead {
  resolve(part: Uint8Array | null): void;
  reject(fault: RequestBodyFault): void;
}

export class BodyQueue {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  /** The tail of the queue when it gathers small parts, and how much of it is filled. */
  #gathering: Uint8Array | null = null;
  #gatheredBytes = 0;
  #pending: PendingRead | null = null;
  /** What a read is answered with once the queue is empty. */
  #fault: RequestBodyFault | null = null;
  #isComplete = false;

  /** Bytes that wait to be read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a read waits. */
  get isRead(): boolean {
    return this.#pending !== null;
  }

  get hasFault(): boolean {
    return this.#fault !== null;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (part.length >= SMALL_PART_BYTES) {
      this.#seal();
      this.#parts.push(part);
      return;
    }
    if (this.#gathering === null || this.#gatheredBytes + part.length > GATHER_BYTES) {
      // The first small part goes in as it is; only when more follow, one buffer is made for them.
      if (this.#parts.length === 0) {
        this.#parts.push(part);
        return;
      }
      this.#seal();
      this.#gathering = new Uint8Array(GATHER_BYTES);
      this.#gatheredBytes = 0;
      this.#parts.push(this.#gathering);
    }
    this.#gathering.set(part, this.#gatheredBytes);
    this.#gatheredBytes += part.length;
  }

  /** Copies the parts that are views of `memory`, so that they do not keep all of it alive. */
  compact(memory: ArrayBufferLike): void {
    for (const [i, part] of this.#parts.entries()) {
      if (part.buffer === memory) this.#parts[i] = new Uint8Array(part);
    }
  }

  /** The body is whole: what follows the queued parts is its end. */
  complete(): void {
    this.#isComplete = true;
    this.settle();
  }

  /** Ends it with a fault, unless one came before; what is queued is dropped. Returns the bytes dropped. */
  fail(fault: RequestBodyFault): number {
    const dropped = this.#bytes;
    this.#fault ??= fault;
    this.#parts.length = 0;
    this.#bytes = 0;
    this.#gathering = null;
    this.settle();
    return dropped;
  }

  /** The next part, the end, or the fault; waits when there is none of these yet. */
  read(): Promise<Uint8Array | null> {
    assert(this.#pending === null, 'a body is read by one read at a time');
    if (this.#parts.length > 0) return Promise.resolve(this.#shift());
    if (this.#fault === null && this.#isComplete) return END;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
    // It may stay unobserved: a road that has lost interest in the body must not end the process.
    promise.catch(ignore);
    if (this.#fault === null) this.#pending = { resolve, reject };
    else reject(this.#fault);
    return promise;
  }

  /** Gives a waiting read what there is; to be called when parts were added. */
  settle(): void {
    const pending = this.#pending;
    if (pending === null) return;
    if (this.#parts.length > 0) {
      this.#pending = null;
      pending.resolve(this.#shift());
    } else if (this.#fault !== null) {
      this.#pending = null;
      pending.reject(this.#fault);
    } else if (this.#isComplete) {
      this.#pending = null;
      pending.resolve(null);
    }
  }

  #shift(): Uint8Array {
    if (this.#parts.length === 1) this.#seal();
    const part = this.#parts.shift() as Uint8Array;
    this.#bytes -= part.length;
    return part;
  }

  /** Cuts the gathering buffer, which is the last of the queue, to what is in it. */
  #seal(): void {
    if (this.#gathering === null) return;
    this.#parts[this.#parts.length - 1] = this.#gathering.subarray(0, this.#gatheredBytes);
    this.#gathering = null;
  }
}
