/**
 * A request body as it comes out of Bun's stream: one read at a time, within the bounds of every version. Not
 * reading is backpressure, because Bun gives the client no further window.
 */
import { assert } from '#core/base/assert.ts';
import { type DeadlineSweep, type Guarded, NEVER } from '../connection/deadline-sweep.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { RequestBodyFault, type RequestBodyFaultName } from '../connection/request-refusal.ts';
import type { BodySource } from '../exchange.ts';

export interface RequestBodyContext {
  readonly limits: ConnectionLimits;
  readonly sweep: DeadlineSweep;
  countRefusal(reason: string): void;
}

interface Reader {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(reason: string): Promise<void>;
}

interface PendingRead {
  resolve(part: Uint8Array | null): void;
  reject(fault: RequestBodyFault): void;
}

function ignore(): void {}

export class Http3RequestBody implements BodySource, Guarded {
  readonly length: number | null;
  readonly #reader: Reader;
  readonly #context: RequestBodyContext;
  #received = 0;
  /** Bytes received when the running interval began. */
  #mark = 0;
  #deadline = NEVER;
  /** What `hasContent` read ahead. */
  #first: Uint8Array | null = null;
  #pending: PendingRead | null = null;
  #fault: RequestBodyFault | null = null;
  #isComplete = false;

  constructor(stream: ReadableStream<Uint8Array>, length: number | null, context: RequestBodyContext) {
    this.length = length;
    this.#reader = stream.getReader();
    this.#context = context;
  }

  /**
   * Whether there is anything in it. Bun gives a body to every request that is not GET or HEAD; whether it is empty
   * shows only at its end. Rejects like `read`.
   */
  async hasContent(): Promise<boolean> {
    this.#first = await this.read();
    return this.#first !== null;
  }

  read(): Promise<Uint8Array | null> {
    assert(this.#pending === null, 'a body is read by one read at a time');
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
    // It may stay unobserved: a road that has lost interest in the body must not end the process.
    promise.catch(ignore);
    const first = this.#first;
    if (this.#fault !== null) reject(this.#fault);
    else if (first !== null) {
      this.#first = null;
      resolve(first);
    } else if (this.#isComplete) resolve(null);
    else {
      this.#pending = { resolve, reject };
      this.#await();
      this.#reader.read().then(
        ({ value }) => this.#take(value ?? null),
        () => this.#fail('body-incomplete'),
      );
    }
    return promise;
  }

  /** Bun passes no trailer fields on. */
  trailers(): null {
    return null;
  }

  cancel(_reason: string): void {
    if (this.#fault !== null || this.#isComplete) return;
    this.#end('body-cancelled');
  }

  onTick(tick: number): void {
    if (tick < this.#deadline) return;
    if (this.#received - this.#mark >= this.#context.limits.bodyProgressBytesMin) this.#await();
    else this.#fail('body-too-slow');
  }

  #take(part: Uint8Array | null): void {
    if (this.#fault !== null) return;
    this.#received += part?.byteLength ?? 0;
    if (part === null && this.length !== null && this.length !== this.#received) {
      this.#fail('body-incomplete');
      return;
    }
    if (this.#received > this.#context.limits.requestBodyBytesMax) {
      this.#fail('body-too-large');
      return;
    }
    this.#isComplete = part === null;
    const pending = this.#pending;
    this.#pending = null;
    this.#context.sweep.delete(this);
    pending?.resolve(part);
  }

  /** Begins an interval in which body bytes must come, unless one is running; one that ended unwatched is none. */
  #await(): void {
    const { sweep, limits } = this.#context;
    sweep.add(this);
    if (this.#deadline !== NEVER && sweep.tick < this.#deadline) return;
    this.#deadline = sweep.tick + sweep.ticks(limits.bodyProgressMs);
    this.#mark = this.#received;
  }

  #fail(fault: RequestBodyFaultName): void {
    if (this.#fault !== null) return;
    this.#context.countRefusal(fault);
    this.#end(fault);
  }

  #end(fault: RequestBodyFaultName): void {
    this.#fault = new RequestBodyFault(fault);
    this.#first = null;
    this.#context.sweep.delete(this);
    this.#pending?.reject(this.#fault);
    this.#pending = null;
    this.#reader.cancel(fault).catch(ignore);
  }
}
