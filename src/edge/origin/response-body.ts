/**
 * The body of an origin's response, between the connection that fills it and the reader that pulls. Holds
 * a bounded number of bytes; beyond that the connection is told to stop receiving until the reader has
 * caught up. Ends as complete or as failed, never in doubt.
 */
import type { Fields } from '#core/http/fields.ts';
import type { BodySource } from '../exchange.ts';
import { OriginFailure } from './origin-client.ts';

/** What the body asks of its connection. */
export interface BodyFlow {
  pauseReceiving(): void;
  resumeReceiving(): void;
  /** The reader wants no more. */
  abandon(reason: string): void;
}

/** Memory a part costs beside its bytes: many tiny chunks must not pass for little. */
const PART_OVERHEAD_BYTES = 256;
/** Parts smaller than this are joined, so that tiny chunks do not become tiny writes. */
const JOIN_BELOW_BYTES = 4_096;
const JOIN_TO_BYTES = 16_384;
const NOTHING = new Uint8Array(0);

export class ResponseBody implements BodySource {
  readonly length: number | null;
  readonly isSole: boolean;
  readonly #flow: BodyFlow;
  readonly #bufferBytesMax: number;
  #parts: Uint8Array[] = [];
  /** Index of the first part not yet read. */
  #first = 0;
  #bufferedBytes = 0;
  #isPaused = false;
  #isComplete = false;
  #wasRead = false;
  #failure: OriginFailure | null = null;
  #trailers: Fields | null = null;
  #resolve: ((part: Uint8Array | null) => void) | null = null;
  #reject: ((failure: OriginFailure) => void) | null = null;

  /** `isSole`: what is added lies in buffers of this body alone (`BodySource`). */
  constructor(length: number | null, bufferBytesMax: number, flow: BodyFlow, isSole = false) {
    this.length = length;
    this.isSole = isSole;
    this.#bufferBytesMax = bufferBytesMax;
    this.#flow = flow;
  }

  read(): Promise<Uint8Array | null> {
    this.#wasRead = true;
    if (this.#first < this.#parts.length) return Promise.resolve(this.#take());
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#isComplete) return Promise.resolve(null);
    if (this.#resolve !== null)
      return Promise.reject(new Error('assertion failed: a read is pending already'));
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  takeWhole(bytesMax: number): Uint8Array | null {
    if (!this.#isComplete || this.#wasRead || this.#failure !== null || this.#trailers !== null) return null;
    const whole = this.#parts[0] ?? NOTHING;
    if (this.#parts.length > 1 || whole.length > bytesMax) return null;
    this.#wasRead = true;
    this.#drop();
    return whole;
  }

  trailers(): Fields | null {
    return this.#trailers;
  }

  cancel(reason: string): void {
    if (this.#failure !== null) return;
    const wasComplete = this.#isComplete;
    this.#drop();
    this.fail(new OriginFailure('http_response_incomplete', `the body was given up: ${reason}`, true));
    if (!wasComplete) this.#flow.abandon(reason);
  }

  /** From the connection: the next bytes. */
  add(part: Uint8Array): void {
    if (this.#failure !== null) return;
    const resolve = this.#resolve;
    if (resolve !== null) {
      this.#resolve = null;
      this.#reject = null;
      resolve(part);
      return;
    }
    this.#parts.push(part);
    this.#bufferedBytes += part.length + PART_OVERHEAD_BYTES;
    if (!this.#isPaused && this.#bufferedBytes >= this.#bufferBytesMax) {
      this.#isPaused = true;
      this.#flow.pauseReceiving();
    }
  }

  /** From the connection: the body has ended where it should. */
  complete(trailers: Fields | null): void {
    if (this.#failure !== null) return;
    this.#isComplete = true;
    this.#trailers = trailers;
    this.#isPaused = false;
    const resolve = this.#resolve;
    this.#resolve = null;
    this.#reject = null;
    resolve?.(null);
  }

  /** From the connection: no more will come. What is buffered can still be read, then reads reject. */
  fail(failure: OriginFailure): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#isPaused = false;
    const reject = this.#reject;
    this.#resolve = null;
    this.#reject = null;
    reject?.(failure);
  }

  #drop(): void {
    this.#parts = [];
    this.#first = 0;
    this.#bufferedBytes = 0;
  }

  #take(): Uint8Array {
    let part = this.#shift();
    const isTiny = part.length < JOIN_BELOW_BYTES && this.#first < this.#parts.length;
    if (isTiny) part = this.#join(part);
    if (this.#first === this.#parts.length) this.#drop();
    if (this.#isPaused && this.#bufferedBytes <= this.#bufferBytesMax / 2) {
      this.#isPaused = false;
      this.#flow.resumeReceiving();
    }
    return part;
  }

  #shift(): Uint8Array {
    const part = this.#parts[this.#first] as Uint8Array;
    this.#first += 1;
    this.#bufferedBytes -= part.length + PART_OVERHEAD_BYTES;
    return part;
  }

  /** `part` and as many of the parts after it as make one of decent size. */
  #join(part: Uint8Array): Uint8Array {
    const joined = new Uint8Array(JOIN_TO_BYTES);
    joined.set(part);
    let length = part.length;
    while (this.#first < this.#parts.length) {
      const next = this.#parts[this.#first] as Uint8Array;
      if (length + next.length > JOIN_TO_BYTES) break;
      joined.set(next, length);
      length += next.length;
      this.#shift();
    }
    return joined.subarray(0, length);
  }
}
