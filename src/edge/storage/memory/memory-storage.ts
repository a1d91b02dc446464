/**
 * Stored responses in this process's memory, within a byte budget that counts bodies, heads, keys and
 * the fills under way. Eviction is `s3-fifo.ts`; judgement of what to store is the caller's.
 *
 *   key ──▶ Shelf ── responses (newest first, handed out as they are) ── slots (the same order)
 *
 * Invariant after every call: queued slots' bytes + reserved bytes ≤ budget.
 */

import { assert } from '#core/base/assert.ts';
import { urlKeyWithin } from '#core/caching/cache-key.ts';
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { BodySource } from '../../exchange.ts';
import { KindIndex } from '../../kind-index.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { ownInvalidations } from '../own-invalidations.ts';
import { prepareHead, type StoredPreparedHead } from '../prepared-head.ts';
import type { Storage, StorageStatistics, StorageWriter, StoredResponse, TierFigures } from '../storage.ts';
import { compactHead } from './compact-head.ts';
import { hashText } from './ghost-table.ts';
import { GrowingBody } from './growing-body.ts';
import { MemoryBodySource } from './memory-body-source.ts';
import { countUse, S3Fifo } from './s3-fifo.ts';
import type { UseQueue } from './use-queue.ts';

export interface MemoryStorageOptions {
  readonly budgetBytes: number;
  /** Largest body stored, bytes; default: a share of the budget (`STORAGE_LIMITS`). */
  readonly objectBytesMax?: number;
  /** What one response may take of the budget; unless said, `STORAGE_LIMITS.objectShareOfBudget`. */
  readonly objectShareOfBudget?: number;
  /** Those of workers that share another tier: a URL that one of them removes is not found here either. */
  readonly invalidations?: Invalidations;
}

class MemoryResponse implements StoredResponse {
  readonly head: StoredHead;
  readonly prepared: StoredPreparedHead;
  readonly body: Uint8Array;
  readonly bodyLength: number;

  constructor(head: StoredHead, prepared: StoredPreparedHead, body: Uint8Array) {
    this.head = head;
    this.prepared = prepared;
    this.body = body;
    this.bodyLength = body.byteLength;
  }

  open(start: number, end: number): BodySource {
    return new MemoryBodySource(this.body.subarray(start, end));
  }
}

/** A stored response's place in the eviction queues. */
class Slot {
  readonly key: string;
  readonly hash: number;
  /** Bytes of memory the body holds: its buffer may be a little longer than the body. */
  readonly bodyCapacity: number;
  queue: UseQueue<Slot> | null = null;
  older: Slot | null = null;
  newer: Slot | null = null;
  uses = 0;
  bytes: number;
  response: MemoryResponse;

  constructor(key: string, response: MemoryResponse, bodyCapacity: number) {
    this.key = key;
    this.hash = hashVariant(key, response.head);
    this.response = response;
    this.bodyCapacity = bodyCapacity;
    this.bytes = headBytes(key, response.head, response.prepared) + bodyCapacity;
  }
}

/** Everything stored under one cache key. Replaced arrays, never changed ones: lookups hand them out. */
interface Shelf {
  /** Of the invalidations it was judged by. */
  tick: number;
  responses: readonly MemoryResponse[];
  slots: readonly Slot[];
}

/** No tick: another worker may have removed the URL since the fill was asked whether one had. */
const NOT_JUDGED = -1;
const NONE: readonly StoredResponse[] = [];

export class MemoryStorage implements Storage {
  readonly invalidations: Invalidations;
  readonly #budgetBytes: number;
  readonly #objectBytesMax: number;
  readonly #fillBytesMax: number;
  readonly #shelves = new Map<string, Shelf>();
  readonly #queues: S3Fifo<Slot>;
  /** Fills under way by key, so that a removal reaches them. */
  readonly #fills = new Map<string, Set<MemoryWriter>>();
  /** Of what is on a shelf or being filled. */
  readonly #kinds = new KindIndex();
  #reservedBytes = 0;
  #bodyBytes = 0;
  #admissions = 0;
  #evictions = 0;
  #refusals = 0;
  #hits = 0;
  #isClosed = false;

  constructor(options: MemoryStorageOptions) {
    assert(
      options.budgetBytes >= STORAGE_LIMITS.memoryBytesMin,
      'the memory budget is above its minimum (checked where options are read)',
    );
    this.invalidations = options.invalidations ?? ownInvalidations();
    this.#budgetBytes = Math.floor(options.budgetBytes);
    const { objectShareOfBudget = STORAGE_LIMITS.objectShareOfBudget } = options;
    const share = Math.floor(this.#budgetBytes * objectShareOfBudget);
    this.#objectBytesMax = Math.min(options.objectBytesMax ?? STORAGE_LIMITS.objectBytesMax, share);
    this.#fillBytesMax = Math.floor(this.#budgetBytes * STORAGE_LIMITS.fillsShareOfBudget);
    this.#queues = new S3Fifo<Slot>(this.#budgetBytes);
  }

  lookup(cacheKey: string): readonly StoredResponse[] {
    const shelf = this.#validShelf(cacheKey);
    if (shelf === undefined) return NONE;
    this.#hits++;
    // Which variant will be selected is not known here: a use of the key counts for each.
    const { slots } = shelf;
    for (let i = 0; i < slots.length; i++) countUse(slots[i] as Slot);
    return shelf.responses;
  }

  lookupAtOnce(cacheKey: string): readonly StoredResponse[] | Promise<void> {
    return this.lookup(cacheKey);
  }

  peek(cacheKey: string): readonly StoredResponse[] {
    return this.#validShelf(cacheKey)?.responses ?? NONE;
  }

  /** Without what another worker has removed. */
  #validShelf(cacheKey: string): Shelf | undefined {
    const shelf = this.#shelves.get(cacheKey);
    const { tick } = this.invalidations;
    if (shelf === undefined || shelf.tick === tick) return shelf;
    shelf.tick = tick;
    const urlKey = urlKeyWithin(cacheKey);
    for (const slot of shelf.slots) {
      if (!this.invalidations.isUrlInvalidated(urlKey, slot.response.head.sequence)) continue;
      this.#forget(slot);
      this.#takeOffShelf(slot);
    }
    return this.#shelves.get(cacheKey);
  }

  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null {
    const prepared = prepareHead(head);
    const fixedBytes = headBytes(cacheKey, head, prepared);
    const isTooLarge = bodyLength !== null && bodyLength > this.#objectBytesMax;
    if (this.#isClosed || isTooLarge || !this.#reserve(fixedBytes)) {
      this.#refusals++;
      return null;
    }
    const body = new GrowingBody(bodyLength, this.#objectBytesMax);
    const writer = new MemoryWriter(this.#fillStore, cacheKey, compactHead(head), prepared, body, fixedBytes);
    const fills = this.#fills.get(cacheKey);
    if (fills === undefined) this.#fills.set(cacheKey, new Set([writer]));
    else fills.add(writer);
    this.#kinds.note(cacheKey);
    return writer;
  }

  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null {
    const shelf = this.#shelves.get(cacheKey);
    const slot = shelf?.slots.find((candidate) => candidate.response === stored);
    if (shelf === undefined || slot === undefined) return null;
    const prepared = prepareHead(head);
    const bytes = headBytes(cacheKey, head, prepared) + slot.bodyCapacity;
    // Readers of the former response keep it; the body is shared, only the head is new.
    slot.response = new MemoryResponse(compactHead(head), prepared, slot.response.body);
    shelf.responses = shelf.slots.map(({ response }) => response);
    this.#queues.recharge(slot, bytes);
    const freshened = slot.response;
    this.#makeRoom(0);
    return freshened;
  }

  remove(cacheKey: string): number {
    let removed = this.#removeKey(cacheKey);
    for (const kind of this.#kinds.of(cacheKey)) removed += this.#removeKey(kind);
    return removed;
  }

  forget(cacheKey: string, head: StoredHead): void {
    for (const slot of this.#shelves.get(cacheKey)?.slots ?? []) {
      if (!isSameVariant(slot.response.head, head)) continue;
      this.#forget(slot);
      this.#takeOffShelf(slot);
    }
  }

  #removeKey(cacheKey: string): number {
    for (const writer of this.#fills.get(cacheKey) ?? []) writer.forbidPublishing();
    const shelf = this.#shelves.get(cacheKey);
    if (shelf === undefined) return 0;
    this.#shelves.delete(cacheKey);
    for (const slot of shelf.slots) this.#forget(slot);
    this.#forgetKind(cacheKey);
    return shelf.slots.length;
  }

  /** Unless something is still stored, or being filled, under the key. */
  #forgetKind(cacheKey: string): void {
    if (!this.#shelves.has(cacheKey) && !this.#fills.has(cacheKey)) this.#kinds.forget(cacheKey);
  }

  statistics(): StorageStatistics {
    return {
      storedResponses: this.#queues.size,
      bodyBytes: this.#bodyBytes,
      chargedBytes: this.#queues.bytes + this.#reservedBytes,
      budgetBytes: this.#budgetBytes,
      admissions: this.#admissions,
      evictions: this.#evictions,
      refusals: this.#refusals,
      hits: this.#hits,
    };
  }

  tiers(): readonly TierFigures[] {
    return [{ tier: 'memory', ...this.statistics() }];
  }

  close(): void {
    this.#isClosed = true;
    for (const writers of [...this.#fills.values()]) for (const writer of [...writers]) writer.abandon();
    for (const key of [...this.#shelves.keys()]) this.remove(key);
  }

  /** What a writer needs of its store. */
  readonly #fillStore: FillStore = {
    reserve: (bytes) => this.#reserve(bytes),
    release: (bytes) => {
      this.#reservedBytes -= bytes;
    },
    left: (writer, outcome) => {
      if (outcome === 'refused') this.#refusals++;
      const fills = this.#fills.get(writer.cacheKey);
      fills?.delete(writer);
      if (fills?.size !== 0) return;
      this.#fills.delete(writer.cacheKey);
      // What is published takes its place on the shelf within this turn, and stays noted.
      if (outcome !== 'published') this.#forgetKind(writer.cacheKey);
    },
    isRemoved: (cacheKey, { sequence }) =>
      this.invalidations.isUrlInvalidated(urlKeyWithin(cacheKey), sequence),
    publish: (cacheKey, head, prepared, body, capacity) => {
      this.#admissions++;
      const response = new MemoryResponse(head, prepared, body);
      this.#place(new Slot(cacheKey, response, capacity));
      return response;
    },
  };

  /** Holds `bytes` for a fill, evicting for them; false when fills hold their share or no room can be made. */
  #reserve(bytes: number): boolean {
    if (this.#reservedBytes + bytes > this.#fillBytesMax) return false;
    if (!this.#makeRoom(bytes)) return false;
    this.#reservedBytes += bytes;
    return true;
  }

  /** Evicts until `bytes` more fit. */
  #makeRoom(bytes: number): boolean {
    while (this.#queues.bytes + this.#reservedBytes + bytes > this.#budgetBytes) {
      const slot = this.#queues.evict();
      if (slot === null) return false;
      this.#evictions++;
      this.#bodyBytes -= slot.response.bodyLength;
      this.#takeOffShelf(slot);
    }
    return true;
  }

  /** Puts a slot on its shelf in front, in place of the one with equal Vary values; the oldest give way. */
  #place(slot: Slot): void {
    const shelf = this.#shelves.get(slot.key);
    if (shelf === undefined) {
      this.#shelves.set(slot.key, { tick: NOT_JUDGED, responses: [slot.response], slots: [slot] });
    } else {
      const slots = [slot];
      for (const other of shelf.slots) {
        const isReplaced = isSameVariant(other.response.head, slot.response.head);
        if (isReplaced || slots.length >= STORAGE_LIMITS.variantsPerKeyMax) this.#forget(other);
        else slots.push(other);
      }
      shelf.tick = NOT_JUDGED;
      shelf.slots = slots;
      shelf.responses = slots.map(({ response }) => response);
    }
    this.#queues.insert(slot);
    this.#bodyBytes += slot.response.bodyLength;
  }

  #takeOffShelf(slot: Slot): void {
    const shelf = this.#shelves.get(slot.key);
    assert(shelf !== undefined, 'a queued slot has a shelf');
    const slots = shelf.slots.filter((other) => other !== slot);
    if (slots.length === 0) {
      this.#shelves.delete(slot.key);
      this.#forgetKind(slot.key);
      return;
    }
    shelf.slots = slots;
    shelf.responses = slots.map(({ response }) => response);
  }

  #forget(slot: Slot): void {
    this.#queues.remove(slot);
    this.#bodyBytes -= slot.response.bodyLength;
  }
}

interface FillStore {
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  /** Whether another worker removed the URL since the fetch began. */
  isRemoved(cacheKey: string, head: StoredHead): boolean;
  left(writer: MemoryWriter, outcome: 'published' | 'abandoned' | 'refused'): void;
  publish(
    cacheKey: string,
    head: StoredHead,
    prepared: StoredPreparedHead,
    body: Uint8Array,
    capacity: number,
  ): StoredResponse;
}

class MemoryWriter implements StorageWriter {
  readonly cacheKey: string;
  readonly #store: FillStore;
  readonly #head: StoredHead;
  readonly #prepared: StoredPreparedHead;
  readonly #body: GrowingBody;
  readonly #fixedBytes: number;
  #isOpen = true;
  #mayPublish = true;

  constructor(
    store: FillStore,
    cacheKey: string,
    head: StoredHead,
    prepared: StoredPreparedHead,
    body: GrowingBody,
    fixedBytes: number,
  ) {
    this.#store = store;
    this.cacheKey = cacheKey;
    this.#head = head;
    this.#prepared = prepared;
    this.#body = body;
    this.#fixedBytes = fixedBytes;
  }

  write(bytes: Uint8Array, isGiven = false): boolean {
    if (!this.#isOpen) return false;
    if (this.#body.take(bytes, isGiven, this.#store.reserve)) return true;
    this.#leave('refused');
    return false;
  }

  view(offset: number): Uint8Array {
    return this.#body.view(offset);
  }

  finish(): StoredResponse | null {
    if (!this.#isOpen) return null;
    const held = this.#body.capacity;
    const mayPublish = this.#mayPublish && !this.#store.isRemoved(this.cacheKey, this.#head);
    const body = mayPublish ? this.#body.complete() : null;
    if (body === null) {
      this.#leave('abandoned');
      return null;
    }
    // The reservation becomes the slot's charge within one turn, so the budget is never exceeded.
    this.#isOpen = false;
    this.#store.release(held + this.#fixedBytes);
    this.#store.left(this, 'published');
    return this.#store.publish(this.cacheKey, this.#head, this.#prepared, body, this.#body.capacity);
  }

  abandon(): void {
    if (this.#isOpen) this.#leave('abandoned');
  }

  /** After a purge or invalidation: what is being filled is served to those who wait, and not kept. */
  forbidPublishing(): void {
    this.#mayPublish = false;
  }

  #leave(outcome: 'abandoned' | 'refused'): void {
    this.#isOpen = false;
    this.#store.release(this.#body.capacity + this.#fixedBytes);
    this.#store.left(this, outcome);
  }
}

/** Bytes charged for everything but the body. Text is latin1: a byte per character; fields are held twice, and once more for HTTP/2. */
function headBytes(key: string, head: StoredHead, prepared: StoredPreparedHead): number {
  let characters = key.length + 3 * prepared.lines.length + head.path.length + head.reason.length;
  for (const name of head.varyNames) characters += name.length;
  for (const value of head.varyValues) characters += value?.length ?? 0;
  for (const tag of head.tags) characters += tag.length;
  return STORAGE_LIMITS.overheadBytes + characters;
}

function isSameVariant(one: StoredHead, other: StoredHead): boolean {
  if (one.varyNames.length !== other.varyNames.length) return false;
  return (
    one.varyNames.every((name, i) => name === other.varyNames[i]) &&
    one.varyValues.every((value, i) => value === other.varyValues[i])
  );
}

function hashVariant(key: string, head: StoredHead): number {
  let hash = hashText(key);
  for (const value of head.varyValues) hash = hashText(value ?? '', hash);
  return hash;
}
