/**
 * Writes down what was looked up, for simulations (`core/simulation/trace-line.ts`): of a sample of all keys, every
 * request that what is stored may answer. Keys stand there as hashes under a secret of this run that is written nowhere;
 * no URL and no client does. How long a body is, is known of a miss when it is stored: a request for what is never
 * stored leaves no line, and neither do ranges that are answered in slices.
 *
 * All workers of an edge append to one file, whole lines at a time. A file that cannot be written, or has reached its
 * bound, ends the writing and nothing else.
 */
import { createHash, createHmac } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { errorMessage } from '#core/base/error-message.ts';
import type { Decision } from '#core/caching/decision.ts';
import { currentAgeSeconds } from '#core/caching/freshness.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { formatTraceRecord } from '#core/simulation/trace-line.ts';
import type { Logger } from '#platform/log.ts';
import { textHash } from '#platform/text-hash.ts';
import { TRACE_LIMITS } from './limits.ts';
import type { StoredResponse } from './storage/storage.ts';

export interface TraceOptions {
  /** The file, which is there already. */
  readonly path: string;
  /** Of all keys, above 0. */
  readonly share: number;
  /** The same for all workers of an edge. */
  readonly secret: string;
  /** For tests: another bound than `TRACE_LIMITS.fileBytesMax`. */
  readonly fileBytesMax?: number;
}

export class TraceLog {
  readonly #options: TraceOptions;
  readonly #log: Logger;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Which keys are in the sample is for each request to find out: a cheap hash does, for it is written nowhere. */
  readonly #sampleSeed: number;
  /** Misses whose bodies are under way: when they were asked for, by key. */
  readonly #pending = new Map<string, number[]>();
  #buffer = '';
  #file: FileHandle | null = null;
  #flushing: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(options: TraceOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#sampleSeed = createHash('sha256').update(options.secret).digest().readUInt32LE();
    this.#timer = setInterval(() => void this.flush(), TRACE_LIMITS.flushMs);
    this.#timer.unref();
  }

  /** A lookup: `stored` is what it selected, and `decision` what came of it. */
  looked(cacheKey: string, stored: StoredResponse | null, decision: Decision, now: number): void {
    const { action } = decision;
    if (this.#isOver || action === 'refuse' || !this.#isSampled(cacheKey)) return;
    if (stored !== null && action !== 'forward') {
      this.#write(cacheKey, stored.head, stored.bodyLength, now, action !== 'validate');
    } else if (action === 'forward' && decision.mayStore) this.#await(cacheKey, now);
  }

  /** A response is being stored whose length is known: those who wait for it had a miss. */
  stored(cacheKey: string, head: StoredHead, bodyLength: number): void {
    const waiting = this.#pending.get(cacheKey);
    if (waiting === undefined) return;
    this.#pending.delete(cacheKey);
    for (const at of waiting) this.#write(cacheKey, head, bodyLength, at, false);
  }

  /** Resolves when what was gathered has been written, or never will be. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#append());
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
    this.#end();
    await this.#file?.close().catch(() => undefined);
  }

  #await(cacheKey: string, now: number): void {
    const waiting = this.#pending.get(cacheKey);
    if (waiting === undefined) {
      // What was never stored makes room: the oldest first.
      if (this.#pending.size >= TRACE_LIMITS.pendingKeysMax) {
        this.#pending.delete(this.#pending.keys().next().value as string);
      }
      this.#pending.set(cacheKey, [now]);
    } else if (waiting.length < TRACE_LIMITS.pendingPerKeyMax) waiting.push(now);
  }

  #write(cacheKey: string, head: StoredHead, bytes: number, at: number, isHit: boolean): void {
    if (this.#isOver || this.#buffer.length > TRACE_LIMITS.bufferCharactersMax) return;
    const key = this.#hash(`${cacheKey}\n${JSON.stringify([head.varyNames, head.varyValues])}`);
    const freshSeconds = Math.floor(head.freshnessLifetimeSeconds - currentAgeSeconds(head, at));
    this.#buffer += formatTraceRecord({ at, key, bytes, freshSeconds, isHit });
    if (this.#buffer.length > TRACE_LIMITS.flushCharacters) void this.flush();
  }

  #isSampled(cacheKey: string): boolean {
    return textHash(cacheKey, this.#sampleSeed) < this.#options.share * 2 ** 32;
  }

  #hash(text: string): string {
    return createHmac('sha256', this.#options.secret).update(text).digest('hex').slice(0, 16);
  }

  async #append(): Promise<void> {
    if (this.#buffer === '' || this.#isOver) return;
    const { path, fileBytesMax = TRACE_LIMITS.fileBytesMax } = this.#options;
    const lines = this.#buffer;
    this.#buffer = '';
    try {
      this.#file ??= await open(path, 'a', 0o600);
      const { size } = await this.#file.stat();
      if (size + lines.length > fileBytesMax) {
        this.#end();
        this.#log.warn({ path, size }, 'the trace has reached its bound and ends here');
        return;
      }
      const { bytesWritten } = await this.#file.write(lines);
      if (bytesWritten < lines.length) throw new Error('no room was left for a whole line');
    } catch (error) {
      this.#end();
      this.#log.warn({ path, cause: errorMessage(error) }, 'the trace cannot be written and ends here');
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#pending.clear();
    this.#buffer = '';
  }
}
