/**
 * Sinks for streamed response bodies. A body is gathered at first: what is complete within a bound goes out whole,
 * with its length, and what breaks before is a 502. A longer one is streamed, and if it breaks, left without an end:
 * Bun would tell the client that it was complete (Bun 1.4.5), and truncated content would pass for whole.
 */
import { rejectedAsGone } from '../connection/client-gone.ts';
import { type DeadlineSweep, type Guarded, NEVER } from '../connection/deadline-sweep.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import type { BodySink } from '../exchange.ts';
import type { Http3Limits } from './limits.ts';
import type { PartSource } from './response-body.ts';

/** The exchange, as its sink sees it. */
interface SinkOwner {
  isGone(): boolean;
  readonly limits: ConnectionLimits & Http3Limits;
  readonly sweep: DeadlineSweep;
  /** All of the body is there. */
  respondGathered(bytes: Uint8Array): void;
  /** The body follows in parts. */
  respondParts(source: PartSource): void;
  /** The body broke before anything was sent. */
  respondBroken(reason: string): void;
  /** A streamed body was left without an end; called again with false when the client has given it up. */
  unfinished(isUnfinished: boolean, reason: string): void;
}

const DONE = Promise.resolve();

export class Http3Sink implements BodySink, PartSource, Guarded {
  readonly #owner: SinkOwner;
  readonly #hasLength: boolean;
  /** Bytes still to come; Infinity when the length is not known. */
  #remaining: number;
  #gathered: Uint8Array[] | null = [];
  #gatheredBytes = 0;
  #gatherTimer: ReturnType<typeof setTimeout> | null = null;
  /** What waits for the client, oldest first; never more than one write. */
  readonly #offered: Uint8Array[] = [];
  /** Settles the write under way when its last part has been taken. */
  #written: PromiseWithResolvers<void> | null = null;
  /** The client wants more than there is. */
  #wanted: ((part: Uint8Array | null) => void) | null = null;
  #deadline = NEVER;
  #isEnded = false;
  #isBroken = false;
  #isCancelled = false;

  constructor(length: number | null, owner: SinkOwner) {
    this.#owner = owner;
    this.#hasLength = length !== null;
    this.#remaining = length ?? Number.POSITIVE_INFINITY;
    if (length !== null && length > owner.limits.gatheredBytesMax) this.#stream();
    else if (length === null) {
      this.#gatherTimer = setTimeout(() => this.#stream(), owner.limits.gatherMs);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isCancelled || this.#owner.isGone()) return this.#refuse('before the body was whole');
    if (this.#isEnded || this.#isBroken) return rejectedAsGone('the body has ended');
    if (bytes.length > this.#remaining) return this.#refuse('body longer than its Content-Length');
    if (bytes.length === 0) return DONE;
    this.#remaining -= bytes.length;
    if (this.#gathered === null) return this.#offer(bytes);
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
    if (this.#gatheredBytes <= this.#owner.limits.gatheredBytesMax) return DONE;
    return this.#stream();
  }

  /** Bun sends no trailer fields. */
  end(): Promise<void> {
    if (this.#isCancelled || this.#owner.isGone()) return this.#refuse('before the body was whole');
    if (this.#isEnded || this.#isBroken) return DONE;
    if (this.#hasLength && this.#remaining > 0) return this.#refuse('body shorter than its Content-Length');
    this.#isEnded = true;
    if (this.#gathered === null) {
      this.#hand(null);
      return DONE;
    }
    const bytes = joined(this.#gathered, this.#gatheredBytes);
    this.#stopGathering();
    this.#owner.respondGathered(bytes);
    return DONE;
  }

  abort(reason: string): void {
    if (this.#isEnded || this.#isBroken) return;
    this.#isBroken = true;
    this.#forget();
    if (this.#gathered !== null) {
      this.#stopGathering();
      this.#owner.respondBroken(reason);
    } else if (!this.#isCancelled) this.#owner.unfinished(true, reason);
  }

  // What the client's side asks.

  next(): Promise<Uint8Array | null> {
    this.#deadline = NEVER;
    const part = this.#offered.shift();
    if (part !== undefined) {
      if (this.#offered.length === 0) this.#settle();
      else this.#await();
      return Promise.resolve(part);
    }
    if (this.#isEnded) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#forget();
    if (this.#isBroken) this.#owner.unfinished(false, 'given up by the client');
  }

  onTick(tick: number): void {
    if (tick >= this.#deadline) this.abort('response-too-slow');
  }

  /** Begins the response; what was gathered is its first write. */
  #stream(): Promise<void> {
    const parts = this.#gathered ?? [];
    const bytes = this.#gatheredBytes;
    this.#stopGathering();
    this.#owner.respondParts(this);
    return bytes === 0 ? DONE : this.#offer(joined(parts, bytes));
  }

  #stopGathering(): void {
    this.#gathered = null;
    this.#gatheredBytes = 0;
    if (this.#gatherTimer !== null) clearTimeout(this.#gatherTimer);
    this.#gatherTimer = null;
  }

  #offer(bytes: Uint8Array): Promise<void> {
    const { streamPartBytes } = this.#owner.limits;
    for (let at = 0; at < bytes.length; at += streamPartBytes) {
      this.#offered.push(bytes.subarray(at, at + streamPartBytes));
    }
    if (this.#wanted !== null) this.#hand(this.#offered.shift() ?? null);
    if (this.#offered.length === 0) return DONE;
    this.#await();
    this.#written ??= Promise.withResolvers<void>();
    // The road may have lost interest.
    this.#written.promise.catch(ignore);
    return this.#written.promise;
  }

  #hand(part: Uint8Array | null): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    wanted?.(part);
  }

  /** The client must take the next part within the time. */
  #await(): void {
    const { sweep, limits } = this.#owner;
    sweep.add(this);
    this.#deadline = sweep.tick + sweep.ticks(limits.writeProgressMs);
  }

  #settle(): void {
    this.#owner.sweep.delete(this);
    const written = this.#written;
    this.#written = null;
    written?.resolve();
  }

  /** Nothing of it will be sent any more: a write under way fails. */
  #forget(): void {
    this.#offered.length = 0;
    this.#owner.sweep.delete(this);
    const written = this.#written;
    this.#written = null;
    if (written !== null) rejectedAsGone('before the body was whole').catch(written.reject);
  }

  #refuse(reason: string): Promise<never> {
    this.abort(reason);
    return rejectedAsGone(reason);
  }
}

function ignore(): void {}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
