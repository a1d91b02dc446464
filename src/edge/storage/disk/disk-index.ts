/**
 * Where each record lies: an index in memory that an edge's workers share, like that of shared memory (`../shared/shard.ts`).
 * Keys are not in it: two hashes stand for one until its record has been read.
 */
import { ShardLock } from '../shard-lock.ts';
import type { DiskLayout } from './disk-layout.ts';
import * as at from './disk-layout.ts';

/** What a record is found by. */
export interface RecordName {
  readonly hash: number;
  /** Another hash of the same. */
  readonly check: number;
  readonly variant: number;
}

export interface Location {
  /** Id of the segment. */
  readonly segment: number;
  /** Octets from the segment's beginning. */
  readonly offset: number;
  /** Octets, with padding. */
  readonly byteLength: number;
}

export interface IndexEntry extends RecordName, Location {
  /** Its place in the index, for `countUse`. */
  readonly slot: number;
  readonly uses: number;
}

/** What chunks have for a variant: they are no responses of their own, and not counted. */
export const CHUNK_VARIANT = 0x6368_756e;

const HASH = 0;
const CHECK = 1;
const VARIANT = 2;
/** 0: the slot is empty. */
const SEGMENT = 3;
const OFFSET = 4;
const SIZE = 5;
/** The last two bits of SIZE. */
const USES_MAX = 3;
const READ_ATTEMPTS_MAX = 1_000;
const FENCE = new Int32Array(1);

/** A small number of a slot's own. */
export function slotNumber(slot: number): number {
  return Math.floor(slot / at.SLOT_WORDS);
}

export class DiskIndex {
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #layout: DiskLayout;
  readonly #locks: readonly ShardLock[];

  constructor(memory: ArrayBufferLike, layout: DiskLayout) {
    this.#words = new Uint32Array(memory);
    this.#doubles = new Float64Array(memory);
    this.#layout = layout;
    this.#locks = Array.from(
      { length: at.LOCKS },
      (_, i) => new ShardLock(this.#words, layout.locksAt / 4 + i, () => this.#clear(i)),
    );
  }

  /** All that may be of the hashes' key, as of one moment. */
  find(hash: number, check: number): IndexEntry[] {
    const bucket = this.bucketOf(hash);
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const version = this.versionOf(bucket);
      if (version % 2 === 1) continue;
      const found: IndexEntry[] = [];
      const end = bucket + at.BUCKET_WORDS;
      for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
        if (this.#words[slot + HASH] !== hash || this.#words[slot + SEGMENT] === 0) continue;
        if (this.#words[slot + CHECK] === check) found.push(this.#entryAt(slot));
      }
      Atomics.add(FENCE, 0, 0);
      if (this.versionOf(bucket) === version) return found;
    }
    return [];
  }

  /** Above every slot's number. */
  get slotNumbersMax(): number {
    return slotNumber(this.#words.length) + 1;
  }

  /** The word of its version. */
  bucketOf(hash: number): number {
    const bucket = Math.floor((hash / 2 ** 32) * this.#layout.bucketCount);
    return this.#layout.bucketsAt / 4 + bucket * at.BUCKET_WORDS;
  }

  /** Odd: it is changing. */
  versionOf(bucket: number): number {
    return Atomics.load(this.#words, bucket);
  }

  /** Another number than before: chunks have gone or moved since. */
  get chunkChanges(): number {
    return Atomics.load(this.#words, at.CONTROL_AT / 4 + at.CHUNKS_WORD);
  }

  /** A hint for reclaim. Not counted when the slot changes meanwhile: its size is in the same word. */
  countUse(slot: number): void {
    const size = this.#words[slot + SIZE] as number;
    if (size % 4 < USES_MAX) Atomics.compareExchange(this.#words, slot + SIZE, size, size + 1);
  }

  /** Enters a record in place of the one with the same name; false when it may not be, or the index was busy for too long. */
  put(name: RecordName, location: Location, mayStore: () => boolean = () => true): boolean {
    const isStored = this.#hold(name.hash, (bucket) => {
      if (!mayStore()) return false;
      this.#change(bucket, () => {
        const slot = this.#slotOf(bucket, name) ?? this.#freeSlot(bucket);
        if (this.#words[slot + SEGMENT] !== 0) this.#empty(slot);
        this.#write(slot, name, location);
      });
      this.#countStored(name.variant, location.byteLength, 1);
      if (name.variant !== CHUNK_VARIANT) this.#count(at.ADMISSIONS_DOUBLE, 1);
      return true;
    });
    return isStored ?? false;
  }

  /**
   * Enters a record that was found on the disk, where there is room, and nothing of its name or what it is newer than; its
   * slot, or null.
   */
  putFound(name: RecordName, location: Location, isNewerThan: (known: IndexEntry) => boolean): number | null {
    return this.#hold(name.hash, (bucket) => {
      const known = this.#slotOf(bucket, name);
      if (known !== null && !isNewerThan(this.#entryAt(known))) return null;
      const slot = known ?? this.#emptySlot(bucket);
      if (slot === null) return null;
      this.#change(bucket, () => {
        if (known !== null) this.#empty(known);
        this.#write(slot, name, location);
      });
      this.#countStored(name.variant, location.byteLength, 1);
      return slot;
    });
  }

  /** A record lies elsewhere now; false when what is known of it is something else by now. */
  move(name: RecordName, from: Location, to: Location): boolean {
    const isMoved = this.#hold(name.hash, (bucket) => {
      const slot = this.#slotOf(bucket, name);
      if (slot === null || !this.#isAt(slot, from)) return false;
      this.#change(bucket, () => this.#write(slot, name, to));
      this.#noteChunk(name.variant);
      return true;
    });
    return isMoved ?? false;
  }

  /** Forgets a record, unless it lies elsewhere by now. */
  drop(name: RecordName, from: Location): boolean {
    const isDropped = this.#hold(name.hash, (bucket) => {
      const slot = this.#slotOf(bucket, name);
      if (slot === null || !this.#isAt(slot, from)) return false;
      this.#change(bucket, () => this.#empty(slot));
      return true;
    });
    return isDropped ?? false;
  }

  /** Forgets all variants of a key, or the one; how many there were, or null when the index was busy for too long. */
  remove(hash: number, check: number, variant: number | null): number | null {
    return this.#hold(hash, (bucket) => {
      let removed = 0;
      const end = bucket + at.BUCKET_WORDS;
      for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
        if (this.#words[slot + SEGMENT] === 0 || this.#words[slot + HASH] !== hash) continue;
        if (this.#words[slot + CHECK] !== check) continue;
        if (variant !== null && this.#words[slot + VARIANT] !== variant) continue;
        this.#change(bucket, () => this.#empty(slot));
        removed++;
      }
      return removed;
    });
  }

  /** Counts what was taken out to make room. */
  countEvictions(count: number): void {
    this.#count(at.EVICTIONS_DOUBLE, count);
  }

  #hold<T>(hash: number, section: (bucket: number) => T): T | null {
    const bucket = this.bucketOf(hash);
    const number = (bucket - this.#layout.bucketsAt / 4) / at.BUCKET_WORDS;
    return (this.#locks[number % at.LOCKS] as ShardLock).hold(() => section(bucket));
  }

  #entryAt(slot: number): IndexEntry {
    const size = this.#words[slot + SIZE] as number;
    return {
      slot,
      hash: this.#words[slot + HASH] as number,
      check: this.#words[slot + CHECK] as number,
      variant: this.#words[slot + VARIANT] as number,
      segment: this.#words[slot + SEGMENT] as number,
      offset: (this.#words[slot + OFFSET] as number) * at.UNIT_BYTES,
      byteLength: Math.floor(size / 4) * at.UNIT_BYTES,
      uses: size % 4,
    };
  }

  #slotOf(bucket: number, { hash, check, variant }: RecordName): number | null {
    const end = bucket + at.BUCKET_WORDS;
    for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
      if (this.#words[slot + SEGMENT] === 0 || this.#words[slot + HASH] !== hash) continue;
      if (this.#words[slot + CHECK] === check && this.#words[slot + VARIANT] === variant) return slot;
    }
    return null;
  }

  #emptySlot(bucket: number): number | null {
    const end = bucket + at.BUCKET_WORDS;
    for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
      if (this.#words[slot + SEGMENT] === 0) return slot;
    }
    return null;
  }

  /** An empty one, or that of the least used. */
  #freeSlot(bucket: number): number {
    const empty = this.#emptySlot(bucket);
    if (empty !== null) return empty;
    const end = bucket + at.BUCKET_WORDS;
    let least = bucket + 1;
    for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
      if ((this.#words[slot + SIZE] as number) % 4 < (this.#words[least + SIZE] as number) % 4) least = slot;
    }
    this.#count(at.EVICTIONS_DOUBLE, 1);
    return least;
  }

  #isAt(slot: number, { segment, offset }: Location): boolean {
    return this.#words[slot + SEGMENT] === segment && this.#words[slot + OFFSET] === offset / at.UNIT_BYTES;
  }

  #write(
    slot: number,
    { hash, check, variant }: RecordName,
    { segment, offset, byteLength }: Location,
  ): void {
    this.#words[slot + HASH] = hash;
    this.#words[slot + CHECK] = check;
    this.#words[slot + VARIANT] = variant;
    this.#words[slot + OFFSET] = offset / at.UNIT_BYTES;
    this.#words[slot + SIZE] = (byteLength / at.UNIT_BYTES) * 4;
    this.#words[slot + SEGMENT] = segment;
  }

  #empty(slot: number): void {
    this.#words[slot + SEGMENT] = 0;
    this.#noteChunk(this.#words[slot + VARIANT] as number);
    const byteLength = Math.floor((this.#words[slot + SIZE] as number) / 4) * at.UNIT_BYTES;
    this.#countStored(this.#words[slot + VARIANT] as number, byteLength, -1);
  }

  #noteChunk(variant: number): void {
    if (variant === CHUNK_VARIANT) Atomics.add(this.#words, at.CONTROL_AT / 4 + at.CHUNKS_WORD, 1);
  }

  #change(bucket: number, change: () => void): void {
    Atomics.add(this.#words, bucket, 1);
    change();
    Atomics.add(this.#words, bucket, 1);
  }

  /** Empties the buckets of a lock whose owner died: what it left may be anything. */
  #clear(lock: number): void {
    for (let i = lock; i < this.#layout.bucketCount; i += at.LOCKS) {
      const bucket = this.#layout.bucketsAt / 4 + i * at.BUCKET_WORDS;
      const version = Atomics.load(this.#words, bucket) | 1;
      Atomics.store(this.#words, bucket, version);
      const end = bucket + at.BUCKET_WORDS;
      for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
        if (this.#words[slot + SEGMENT] !== 0) this.#empty(slot);
      }
      Atomics.store(this.#words, bucket, version + 1);
    }
  }

  #countStored(variant: number, byteLength: number, sign: 1 | -1): void {
    if (variant !== CHUNK_VARIANT) this.#count(at.STORED_DOUBLE, sign);
    this.#count(at.BYTES_DOUBLE, sign * byteLength);
  }

  /** Figures are counted under different locks: they are for onlookers, and may be a little off. */
  #count(figure: number, amount: number): void {
    const index = at.CONTROL_AT / 8 + figure;
    this.#doubles[index] = (this.#doubles[index] as number) + amount;
  }
}
