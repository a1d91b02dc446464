/**
 * A request body on its way from the socket to the road: takes it out of its framing (RFC 9112 §6) into a
 * bounded queue that the road pulls from. Decides nothing about the connection; it tells its owner when it
 * wants bytes.
 *
 *     socket ──feed──▶ [queue ≤ bodyBufferBytesMax] ──read──▶ road        cancelled: bytes are dropped
 */
import type { Fields } from '#core/http/fields.ts';
import { BodyQueue } from '../connection/body-queue.ts';
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

export class RequestBody implements BodySource {
  readonly length: number | null;
  readonly #owner: RequestBodyOwner;
  readonly #limits: ConnectionLimits;
  readonly #decoder: ChunkedDecoder | null;
  readonly #queue = new BodyQueue();
  /** Bytes still to come, for a body of known length. */
  #remaining: number;
  #receivedBytes = 0;
  #broken: RequestBodyFaultName | null = null;
  #isCancelled = false;
  #wasRead = false;
  #droppedBytes = 0;

  /** `length` null: chunked; 'until-end': all that comes until `endInput`, as in a tunnel. */
  constructor(length: number | null | 'until-end', owner: RequestBodyOwner, limits: ConnectionLimits) {
    this.length = typeof length === 'number' ? length : null;
    this.#owner = owner;
    this.#limits = limits;
    this.#remaining = length === 'until-end' ? Number.POSITIVE_INFINITY : (length ?? 0);
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
    return this.#queue.isRead || this.#isCancelled;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  get wasRead(): boolean {
    return this.#wasRead;
  }

  /** Whether the queue has reached its bound, so that the socket has to pause. */
  get isFull(): boolean {
    return this.#queue.bytes >= this.#limits.bodyBufferBytesMax;
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
    if (this.isComplete) this.#queue.complete();
    else this.#queue.settle();
    return at;
  }

  /** The client has sent all it will: the end of a body that goes on until then. */
  endInput(): void {
    this.#remaining = 0;
    this.#queue.complete();
  }

  /** Ends it as incomplete, unless it is whole. */
  fail(fault: RequestBodyFaultName): void {
    if (!this.isComplete) this.#break(fault);
  }

  read(): Promise<Uint8Array | null> {
    this.#wasRead = true;
    if (this.isComplete) this.#queue.complete();
    const part = this.#queue.read();
    if (!this.isComplete && !this.#queue.hasFault) this.#owner.bodyWanted();
    return part;
  }

  trailers(): Fields | null {
    return this.#decoder === null ? null : this.#decoder.trailers;
  }

  cancel(_reason: string): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#droppedBytes += this.#queue.fail(new RequestBodyFault('body-cancelled'));
    this.#owner.bodyCancelled();
  }

  #break(fault: RequestBodyFaultName): void {
    if (this.#broken !== null) return;
    this.#broken = fault;
    this.#droppedBytes += this.#queue.fail(new RequestBodyFault(fault));
  }

  #take(part: Uint8Array): void {
    this.#receivedBytes += part.length;
    if (this.#isCancelled || this.#queue.hasFault) this.#droppedBytes += part.length;
    else this.#queue.add(part);
  }
}
