/**
 * A request body on its way from the socket to the road: a bounded queue that is filled by the connection
 * and emptied by pulling (RFC 9112 §6). Decides nothing about the connection; it tells its owner when it
 * wants bytes.
 *
 *     socket ──feed──▶ [queue ≤ bodyBufferBytesMax] ──read──▶ road        cancelled: bytes are dropped
 */
import { assert } from '#core/base/assert.ts';
import type { Fields } from '#core/http/fields.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { RequestBodyFault, type RequestBodyFaultName } from '../connection/request-refusal.ts';
import type { BodySource } from '../exchange.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';

/** The connection, as the body sees it. */
export interface RequestBodyOwner {
  /** A read waits: the socket must flow, and the client may have to be told to go on. */
  bodyWanted(): void;
  /** The road has given up: from now on bytes are dropped. */
  bodyCancelled(): void;
}

/** Parts below this are gathered, so that a body of one-byte chunks does not become as many objects. */
const SMALL_PART_BYTES = 1024;
const GATHER_BYTES = 4096;

const END = Promise.resolve(null);

function ignore(): void {}

interface PendingRead {
  resolve(part: Uint8Array | null): void;
  reject(fault: RequestBodyFault): void;
}

export class RequestBody implements BodySource {
  readonly length: number | null;
  readonly #owner: RequestBodyOwner;
  readonly #limits: ConnectionLimits;
  readonly #decoder: ChunkedDecoder | null;
  /** Bytes still to come, for a body of known length. */
  #remaining: number;
  #receivedBytes = 0;

  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** The tail of the queue when it gathers small parts, and how much of it is filled. */
  #gathering: Uint8Array | null = null;
  #gatheredBytes = 0;

  #pending: PendingRead | null = null;
  /** What a read is answered with once the queue is empty. */
  #fault: RequestBodyFault | null = null;
  #broken: RequestBodyFaultName | null = null;
  #isCancelled = false;
  #wasRead = false;
  #droppedBytes = 0;

  /** `length` null: chunked. */
  constructor(length: number | null, owner: RequestBodyOwner, limits: ConnectionLimits) {
    this.length = length;
    this.#owner = owner;
    this.#limits = limits;
    this.#remaining = length ?? 0;
    this.#decoder = length === null ? new ChunkedDecoder((part) => this.#take(part)) : null;
  }

  /** Whether its last byte has arrived. */
  get isComplete(): boolean {
    return this.#decoder === null ? this.#remaining === 0 : this.#decoder.isDone;
  }

  /** Why its end will never be known, so that the connection cannot be used again; null while it may. */
  get broken(): RequestBodyFaultName | null {
    return this.#broken;
  }

  /** Whether the client is to send: a read waits, or bytes are being dropped. */
  get isWanted(): boolean {
    return this.#pending !== null || this.#isCancelled;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  get wasRead(): boolean {
    return this.#wasRead;
  }

  /** Whether the queue has reached its bound, so that the socket has to pause. */
  get isFull(): boolean {
    return this.#queuedBytes >= this.#limits.bodyBufferBytesMax;
  }

  /** Bytes received of the body; with chunked coding, of its content. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes thrown away since it was cancelled. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Bytes known to be still to come; 0 when unknown. */
  get remainingBytes(): number {
    return this.#remaining;
  }

  /** Takes `bytes` from `start`; returns the index of the first byte that is not the body's. */
  feed(bytes: Uint8Array, start: number): number {
    let at = start;
    if (this.#decoder !== null) {
      at = this.#decoder.push(bytes, start);
      if (this.#decoder.fault !== null) this.#break(this.#decoder.fault);
      else if (this.#decoder.contentBytes > this.#limits.requestBodyBytesMax) this.#break('body-too-large');
    } else {
      const end = Math.min(bytes.length, start + this.#remaining);
      if (end > start) {
        this.#remaining -= end - start;
        this.#take(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
      }
      at = end;
    }
    this.#settle();
    return at;
  }

  /** Ends it as incomplete, unless it is whole. */
  fail(fault: RequestBodyFaultName): void {
    if (!this.isComplete) this.#break(fault);
  }

  #break(fault: RequestBodyFaultName): void {
    if (this.#broken !== null) return;
    this.#broken = fault;
    this.#fault ??= new RequestBodyFault(fault);
    this.#drop();
    this.#settle();
  }

  read(): Promise<Uint8Array | null> {
    assert(this.#pending === null, 'a body is read by one read at a time');
    this.#wasRead = true;
    if (this.#queue.length > 0) {
      const part = this.#shift();
      if (!this.isComplete) this.#owner.bodyWanted();
      return Promise.resolve(part);
    }
    if (this.#fault === null && this.isComplete) return END;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
    // It may stay unobserved: a road that has lost interest in the body must not end the process.
    promise.catch(ignore);
    if (this.#fault !== null) {
      reject(this.#fault);
      return promise;
    }
    this.#pending = { resolve, reject };
    this.#owner.bodyWanted();
    return promise;
  }

  trailers(): Fields | null {
    return this.#decoder === null ? null : this.#decoder.trailers;
  }

  cancel(_reason: string): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#drop();
    this.#fault ??= new RequestBodyFault('body-cancelled');
    this.#settle();
    this.#owner.bodyCancelled();
  }

  #take(part: Uint8Array): void {
    this.#receivedBytes += part.length;
    if (this.#isCancelled || this.#fault !== null) {
      this.#droppedBytes += part.length;
      return;
    }
    this.#queuedBytes += part.length;
    if (part.length >= SMALL_PART_BYTES) {
      this.#seal();
      this.#queue.push(part);
      return;
    }
    if (this.#gathering === null || this.#gatheredBytes + part.length > GATHER_BYTES) {
      // The first small part goes in as it is; only when more follow, one buffer is made for them.
      if (this.#queue.length === 0) {
        this.#queue.push(part);
        return;
      }
      this.#seal();
      this.#gathering = new Uint8Array(GATHER_BYTES);
      this.#gatheredBytes = 0;
      this.#queue.push(this.#gathering);
    }
    this.#gathering.set(part, this.#gatheredBytes);
    this.#gatheredBytes += part.length;
  }

  /** Gives a waiting read what there is: a part, the end, or the fault. */
  #settle(): void {
    const pending = this.#pending;
    if (pending === null) return;
    if (this.#queue.length > 0) {
      this.#pending = null;
      pending.resolve(this.#shift());
    } else if (this.#fault !== null) {
      this.#pending = null;
      pending.reject(this.#fault);
    } else if (this.isComplete) {
      this.#pending = null;
      pending.resolve(null);
    }
  }

  #shift(): Uint8Array {
    if (this.#queue.length === 1) this.#seal();
    const part = this.#queue.shift() as Uint8Array;
    this.#queuedBytes -= part.length;
    return part;
  }

  /** Cuts the gathering buffer, which is the last of the queue, to what is in it. */
  #seal(): void {
    if (this.#gathering === null) return;
    this.#queue[this.#queue.length - 1] = this.#gathering.subarray(0, this.#gatheredBytes);
    this.#gathering = null;
  }

  #drop(): void {
    this.#droppedBytes += this.#queuedBytes;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#gathering = null;
  }
}
