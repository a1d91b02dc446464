/**
 * Stored responses in memory that all workers of an edge share (`region.ts`), for bodies up to 256 KiB. What lies there
 * is octets: a million responses cost the garbage collector nothing. A hit copies what it found, or uses the copy that
 * an earlier one made (`../recent-responses.ts`); a fill under way lies in its worker's own memory.
 */
import { urlKeyWithin } from '#core/caching/cache-key.ts';
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { textHash } from '#platform/text-hash.ts';
import { FillMemory } from '../fill-memory.ts';
import { encodeHead } from '../head-codec.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { type OuterFills, OuterWriter } from '../outer-writer.ts';
import { prepareHead } from '../prepared-head.ts';
import { RecentResponses } from '../recent-responses.ts';
import type { Storage, StorageStatistics, StorageWriter, StoredResponse, TierFigures } from '../storage.ts';
import { variantHashOf } from '../variant-hash.ts';
import { bodyBytesMaxOf } from './layout.ts';
import { isRecordOf, type NewRecord, readRecord } from './record.ts';
import type { Region } from './region.ts';
import type { Shard } from './shard.ts';
import { SharedResponse } from './shared-response.ts';

export interface SharedStorageOptions {
  readonly region: Region;
  /** Largest body stored, bytes; never above the region's own bound. */
  readonly objectBytesMax?: number;
}

/** All stored under a key, true while the bucket has that version. */
interface KnownEntry {
  readonly responses: readonly SharedResponse[];
  /** Their slots in the index. */
  readonly slots: readonly number[];
  readonly shard: Shard;
  readonly bucket: number;
  readonly version: number;
  /** Of the invalidations they were judged by. */
  tick: number;
  readonly byteLength: number;
}

const NONE: readonly SharedResponse[] = [];
/** Read on a processor that may look at memory in another order than written; added to, it orders what it stands between. */
const FENCE = new Int32Array(1);
/** Of a decoded response beside body and key, bytes: objects, fields, prepared lines. */
const DECODED_BYTES = 2_048;

export class SharedStorage implements Storage {
  readonly invalidations: Invalidations;
  readonly #region: Region;
  readonly #objectBytesMax: number;
  readonly #recent: RecentResponses<KnownEntry>;
  readonly #fills: OuterFills;
  #refusals = 0;
  #hits = 0;
  #isClosed = false;

  constructor({ region, objectBytesMax = Number.POSITIVE_INFINITY }: SharedStorageOptions) {
    const { layout, invalidations } = region;
    this.invalidations = invalidations;
    this.#region = region;
    this.#objectBytesMax = Math.min(objectBytesMax, bodyBytesMaxOf(layout));
    this.#recent = new RecentResponses(layout.byteLength * STORAGE_LIMITS.recentShareOfBudget);
    this.#fills = {
      memory: new FillMemory(
        Math.min(layout.byteLength * STORAGE_LIMITS.fillsShareOfBudget, STORAGE_LIMITS.sharedFillBytesMax),
      ),
      writers: new Set(),
      refused: () => {
        this.#refusals++;
      },
      publish: (key, head, body) => this.#publish(key, head, body),
    };
  }

  lookup(cacheKey: string): readonly StoredResponse[] {
    const known = this.#recent.find(cacheKey);
    const entry = known !== null && this.#isTrue(cacheKey, known) ? known : this.#read(cacheKey);
    if (entry === null) {
      if (known !== null) this.#recent.forget(cacheKey);
      return NONE;
    }
    this.#hits++;
    if (entry !== known) this.#recent.remember(cacheKey, entry);
    // Which variant will be selected is not known here: a use of the key counts for each.
    const { slots, shard } = entry;
    for (let i = 0; i < slots.length; i++) shard.countUse(slots[i] as number);
    return entry.responses;
  }

  lookupAtOnce(cacheKey: string): readonly StoredResponse[] {
    return this.lookup(cacheKey);
  }

  peek(cacheKey: string): readonly StoredResponse[] {
    return this.#read(cacheKey)?.responses ?? NONE;
  }

  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null {
    const writer = this.#isClosed
      ? null
      : OuterWriter.begin(this.#fills, cacheKey, head, bodyLength, this.#objectBytesMax);
    if (writer === null) this.#refusals++;
    return writer;
  }

  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null {
    if (this.#isClosed || !(stored instanceof SharedResponse)) return null;
    const record = recordOf(cacheKey, head, stored.body);
    if (record === null) return null;
    const stamp = this.#shardOf(record.keyHash).replace(record, stored.stamp);
    return stamp === null ? null : new SharedResponse(head, prepareHead(head), stored.body, stamp);
  }

  remove(cacheKey: string): number {
    if (this.#isClosed) return 0;
    // First, so that a fill under way, wherever it is, is either forbidden by this or removed below; and the kinds with it.
    this.invalidations.addUrl(cacheKey);
    const removed = this.#remove(cacheKey, null);
    if (removed === null) throw new Error('another worker has held the lock of shared memory for too long');
    return removed;
  }

  forget(cacheKey: string, head: StoredHead): void {
    if (!this.#isClosed) this.#remove(cacheKey, variantHashOf(head));
  }

  statistics(): StorageStatistics {
    const figures = { storedResponses: 0, bodyBytes: 0, chargedBytes: 0, admissions: 0, evictions: 0 };
    if (!this.#isClosed) for (const shard of this.#region.shards) shard.addFigures(figures);
    const budgetBytes = this.#region.layout.byteLength;
    return { ...figures, budgetBytes, refusals: this.#refusals, hits: this.#hits };
  }

  tiers(): readonly TierFigures[] {
    return [{ tier: 'shared memory', ...this.statistics() }];
  }

  /** Leaves what is stored to the others. */
  close(): void {
    this.#isClosed = true;
    for (const writer of [...this.#fills.writers]) writer.abandon();
    this.#recent.clear();
  }

  #shardOf(keyHash: number): Shard {
    // Buckets go by the upper bits.
    return this.#region.shards[keyHash & (this.#region.layout.shardCount - 1)] as Shard;
  }

  /** Whether what was read of a key is still what is there. */
  #isTrue(cacheKey: string, entry: KnownEntry): boolean {
    if (entry.shard.versionOf(entry.bucket) !== entry.version) return false;
    const { tick } = this.invalidations;
    if (entry.tick === tick) return true;
    if (entry.responses.some(({ head }) => this.#isRemovedKind(cacheKey, head))) return false;
    entry.tick = tick;
    return true;
  }

  /** Keys of a URL's kinds are not found by the URL's own key. */
  #isRemovedKind(cacheKey: string, head: StoredHead): boolean {
    const urlKey = urlKeyWithin(cacheKey);
    return urlKey !== cacheKey && this.invalidations.isUrlInvalidated(urlKey, head.sequence);
  }

  #read(cacheKey: string): KnownEntry | null {
    if (this.#isClosed) return null;
    const { tick } = this.invalidations;
    const keyHash = textHash(cacheKey);
    const shard = this.#shardOf(keyHash);
    const bucket = shard.bucketOf(keyHash);
    for (let attempt = 0; attempt < STORAGE_LIMITS.readAttemptsMax; attempt++) {
      const version = shard.versionOf(bucket);
      if (version % 2 === 1) continue;
      const slots = shard.slotsOf(bucket, keyHash);
      if (slots.length === 0) return null;
      const entry = this.#readSlots(cacheKey, shard, slots, bucket, version, tick);
      Atomics.add(FENCE, 0, 0);
      if (shard.versionOf(bucket) === version) return entry.responses.length === 0 ? null : entry;
    }
    return null;
  }

  /** May be nonsense when the bucket has changed meanwhile. */
  #readSlots(
    cacheKey: string,
    shard: Shard,
    candidates: readonly number[],
    bucket: number,
    version: number,
    tick: number,
  ): KnownEntry {
    const found: { readonly slot: number; readonly response: SharedResponse }[] = [];
    let byteLength = cacheKey.length;
    for (const slot of candidates) {
      const offset = shard.offsetOf(slot);
      if (!isRecordOf(shard.octets, offset, cacheKey)) continue;
      const record = readRecord(shard.octets, offset);
      if (record === null || this.#isRemovedKind(cacheKey, record.head)) continue;
      const { head, body, stamp } = record;
      found.push({ slot, response: new SharedResponse(head, prepareHead(head), body, stamp) });
      byteLength += DECODED_BYTES + body.byteLength;
    }
    // Newest first. Stamps wrap around.
    if (found.length > 1) found.sort((a, b) => (b.response.stamp - a.response.stamp) | 0);
    return {
      responses: found.map(({ response }) => response),
      slots: found.map(({ slot }) => slot),
      shard,
      bucket,
      version,
      tick,
      byteLength,
    };
  }

  #publish(cacheKey: string, head: StoredHead, body: Uint8Array): SharedResponse | null {
    const record = recordOf(cacheKey, head, body);
    if (record === null) {
      this.#refusals++;
      return null;
    }
    const urlKey = urlKeyWithin(cacheKey);
    const mayStore = (): boolean => !this.invalidations.isUrlInvalidated(urlKey, head.sequence);
    const stamp = this.#shardOf(record.keyHash).insert(record, mayStore);
    return stamp === null ? null : new SharedResponse(head, prepareHead(head), body, stamp);
  }

  /** Null: another worker has held the lock for too long. */
  #remove(cacheKey: string, variantHash: number | null): number | null {
    const keyHash = textHash(cacheKey);
    return this.#shardOf(keyHash).remove(cacheKey, keyHash, variantHash);
  }
}

/** Null: its head or key does not fit the form. */
function recordOf(key: string, head: StoredHead, body: Uint8Array): NewRecord | null {
  const encoded = encodeHead(head);
  if (encoded === null) return null;
  return { key, keyHash: textHash(key), variantHash: variantHashOf(head), head: encoded, body };
}
