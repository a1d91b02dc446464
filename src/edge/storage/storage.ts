/**
 * Stored responses, seen from the road. One interface for every tier, and for several as one; each runs the same
 * cases (`storage.cases.ts`).
 *
 * Lookup hands out readers, admission hands out a writer, and a writer abandoned before `finish` leaves
 * nothing behind. Lookup is synchronous where what it needs is in memory, which an index always is; reading a body may
 * wait.
 */
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { BodySource } from '../exchange.ts';
import type { StoredPreparedHead } from './prepared-head.ts';

/** A complete stored response. Whoever holds it may go on reading after it was replaced, removed or evicted. */
export interface StoredResponse {
  readonly head: StoredHead;
  /** The head made ready to send, computed once at admission. */
  readonly prepared: StoredPreparedHead;
  readonly bodyLength: number;
  /** The whole body when it lies in memory, for one synchronous write; null: use `open`. */
  readonly body: Uint8Array | null;
  /** Reads bytes [start, end) of the body. */
  open(start: number, end: number): BodySource;
}

/** Receives one response being stored. */
export interface StorageWriter {
  /**
   * Takes a copy of the bytes. `isGiven`: nobody looks at them again, nor at what lies before them in their buffer, so
   * that the store may keep them as they are, or free them. False: the store gave up (budget, size bound) and took
   * nothing; the caller goes on without it.
   */
  write(bytes: Uint8Array, isGiven?: boolean): boolean;
  /**
   * The bytes written so far from `offset` on, empty when there are no more yet. The view stays unchanged
   * as long as somebody holds it, even after the end or after the store gave up: followers of a fill read here.
   */
  view(offset: number): Uint8Array;
  /**
   * Where what was written at `offset` has left memory: reads some of it again, which the caller may keep. Null: `view` has
   * it. Missing: it always does. Also after the end, or after the store gave up. Rejects with what reading says.
   */
  readBack?(offset: number): Promise<Uint8Array> | null;
  /** Null: write on. Else resolves when that makes sense, as where a disk is slower than what arrives; never rejects. */
  ready?(): Promise<void> | null;
  /** Publishes the response; null when the store gave up or it was purged meanwhile. */
  finish(): StoredResponse | null;
  /** Leaves nothing behind. Safe after finish (no effect). */
  abandon(): void;
}

export interface StorageStatistics {
  readonly storedResponses: number;
  readonly bodyBytes: number;
  /** Everything charged to the budget: bodies, heads, keys, and fills under way. */
  readonly chargedBytes: number;
  readonly budgetBytes: number;
  readonly admissions: number;
  readonly evictions: number;
  readonly refusals: number;
  /** Lookups that found something. */
  readonly hits: number;
}

/** One of the places a storage keeps responses in. */
export interface TierFigures extends StorageStatistics {
  readonly tier: 'memory' | 'shared memory' | 'disk';
  /** What is wrong with it, in words; null or missing: nothing. */
  readonly problem?: string | null;
}

export interface Storage {
  /** What origins said has changed: agreed on by all who share what is stored. Whoever looks up judges by it. */
  readonly invalidations: Invalidations;
  /** All stored responses under a cache key (variants), newest first; empty when none. Counts as a use. */
  lookup(cacheKey: string): readonly StoredResponse[];
  /** The same, where nothing has to be waited for; else a promise, after which `lookup` finds at once what is there. */
  lookupAtOnce(cacheKey: string): readonly StoredResponse[] | Promise<void>;
  /** The same for an onlooker: counts as no use. */
  peek(cacheKey: string): readonly StoredResponse[];
  /** Begins storing. `bodyLength` null when unknown. Null when it would never fit. Replaces the variant with equal Vary values at finish. */
  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null;
  /** Replaces the head of a stored response after a 304 (RFC 9111 §4.3.4); null when it is gone by now. */
  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null;
  /**
   * Forgets every variant under a key, and under the keys of its kinds where it is a URL's (`cache-key.ts`), and lets
   * no fill under way for them be published (invalidation RFC 9111 §4.4, or purge by URL). Returns how many stored responses there were. Throws where that could not be done.
   */
  remove(cacheKey: string): number;
  /** Forgets the variant with the same Vary values as `head`, because another tier has a newer one. Throws nothing. */
  forget(cacheKey: string, head: StoredHead): void;
  statistics(): StorageStatistics;
  /** The same apart, by tier, in the order in which they are looked into. */
  tiers(): readonly TierFigures[];
  /** Lets go of everything; what is kept outside of this process stays. Resolves when what was to be written has been. */
  close(): void | Promise<void>;
}
