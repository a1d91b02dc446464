/**
 * One part of the memory that workers share: an index of buckets over two ring logs, S3-FIFO between them (Yang et
 * al., SOSP 2023). Newcomers enter the small ring; who is used before leaving it moves on to the main ring; whose
 * hash is remembered from an earlier, single use enters the main ring at once.
 *
 * Whoever changes something holds the lock. Readers hold none: a bucket's version is odd while one of its slots, or the
 * record of one, is changing, and another afterwards. What was read between two looks at the same even version is true.
 * No octet of a record is written over before its slot has gone.
 */
import { assert } from '#core/base/assert.ts';
import { combine32 } from '#core/base/mix32.ts';
import { Octets } from '../octets.ts';
import { ShardLock } from '../shard-lock.ts';
import type { ShardLayout } from './layout.ts';
import * as at from './layout.ts';
import * as field from './record.ts';
import { isRecordOf, type NewRecord, unitsOf, writeRecord } from './record.ts';
import { Ring } from './ring.ts';

const HASH = 0;
/** 0: the slot is empty. */
const POSITION = 1;
const USES = 2;
/** Uses count up to here: two bits in S3-FIFO's paper. */
const USES_MAX = 3;
const MAIN_BIT = 0x8000_0000;
/** A ghost: half of a hash, of which the other half, or more, says where it stands, and when it came. */
const GHOST_TAG = 0xffff_0000;
const GHOST_TIME = 0xffff;
const GHOST_TICKS = 1_024;
/** An insertion moves this many units of used records on at most, then takes the used, too: 1 MiB takes 0.1 ms. */
const PATIENCE_UNITS = 16_384;

export interface ShardFigures {
  storedResponses: number;
  bodyBytes: number;
  chargedBytes: number;
  admissions: number;
  evictions: number;
}

export class Shard {
  readonly octets: Octets;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #lock: ShardLock;
  readonly #layout: ShardLayout;
  readonly #small: Ring;
  readonly #main: Ring;
  #patience = 0;

  constructor(memory: ArrayBufferLike, layout: ShardLayout) {
    this.octets = new Octets(memory, 0, layout.byteLength);
    this.#words = this.octets.words;
    this.#doubles = this.octets.doubles;
    this.#layout = layout;
    this.#small = new Ring(
      this.#words,
      layout.smallAt,
      layout.smallUnits,
      at.SMALL_HEAD_WORD,
      at.SMALL_TAIL_WORD,
    );
    this.#main = new Ring(this.#words, layout.mainAt, layout.mainUnits, at.MAIN_HEAD_WORD, at.MAIN_TAIL_WORD);
    // Who died while holding the lock may have left anything behind.
    this.#lock = new ShardLock(this.#words, at.LOCK_WORD, () => this.#clear());
  }

  /** The bucket of a key's hash: the word of its version. */
  bucketOf(keyHash: number): number {
    const bucket = Math.floor((keyHash / 2 ** 32) * this.#layout.bucketCount);
    return at.CONTROL_BYTES / 4 + bucket * at.BUCKET_WORDS;
  }

  /** Odd: something in the bucket is changing. */
  versionOf(bucket: number): number {
    return Atomics.load(this.#words, bucket);
  }

  /** Slots in use with that hash, whatever their keys. */
  slotsOf(bucket: number, keyHash: number): number[] {
    const slots: number[] = [];
    const end = bucket + at.BUCKET_WORDS;
    for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
      if (this.#words[slot + HASH] === keyHash && this.#words[slot + POSITION] !== 0) slots.push(slot);
    }
    return slots;
  }

  /** Where the record of a slot begins, octets; somewhere within the shard, whatever the slot says by now. */
  offsetOf(slot: number): number {
    const position = (this.#words[slot + POSITION] as number) - 1;
    const ring = position >= MAIN_BIT ? this.#main : this.#small;
    return ring.offsetOf(position >= MAIN_BIT ? position - MAIN_BIT : Math.max(position, 0));
  }

  /** A hint for eviction: nothing is lost when it comes at the wrong moment. */
  countUse(slot: number): void {
    const uses = this.#words[slot + USES] as number;
    if (uses < USES_MAX) this.#words[slot + USES] = uses + 1;
  }

  /**
   * Stores a record in place of the one with the same key and variant. `mayStore` is asked under the lock. The record's
   * stamp; null when it may not be stored, or the shard was busy for too long.
   */
  insert(record: NewRecord, mayStore: () => boolean): number | null {
    return this.#lock.hold(() => (mayStore() ? this.#insert(record, 0) : null));
  }

  /** Stores `record` in place of that with `stamp`, as much used as that was; null when that is gone. */
  replace(record: NewRecord, stamp: number): number | null {
    return this.#lock.hold(() => {
      const slot = this.#find(record.key, record.keyHash, field.STAMP, stamp);
      return slot === null ? null : this.#insert(record, this.#words[slot + USES] as number);
    });
  }

  /** Forgets all variants of a key, or the one; how many there were, or null when the shard was busy for too long. */
  remove(key: string, keyHash: number, variantHash: number | null): number | null {
    return this.#lock.hold(() => {
      const bucket = this.bucketOf(keyHash);
      let removed = 0;
      for (const slot of this.slotsOf(bucket, keyHash)) {
        const offset = this.offsetOf(slot);
        if (!isRecordOf(this.octets, offset, key)) continue;
        if (variantHash !== null && this.#wordAt(offset, field.VARIANT_HASH) !== variantHash) continue;
        this.#change(bucket, () => this.#empty(slot));
        removed++;
      }
      return removed;
    });
  }

  /** Keys' hashes and uses of what is stored, for onlookers; no moment's truth. */
  addFigures(to: ShardFigures): void {
    to.storedResponses += this.#doubles[at.STORED_DOUBLE] as number;
    to.bodyBytes += this.#doubles[at.BODY_BYTES_DOUBLE] as number;
    to.chargedBytes += (this.#doubles[at.CHARGED_UNITS_DOUBLE] as number) * at.UNIT_BYTES;
    to.admissions += this.#doubles[at.ADMISSIONS_DOUBLE] as number;
    to.evictions += this.#doubles[at.EVICTIONS_DOUBLE] as number;
  }

  #insert(record: NewRecord, uses: number): number | null {
    const units = unitsOf(record);
    const ring = this.#ringFor(record, units);
    this.#patience = PATIENCE_UNITS;
    if (!this.#makeRoom(ring, units)) return null;
    const stamp = Atomics.add(this.#words, at.STAMP_WORD, 1) + 1;
    const counter = ring.append(units);
    writeRecord(this.octets, ring.offsetOf(counter), record, units, stamp);
    const bucket = this.bucketOf(record.keyHash);
    const replaced = this.#find(record.key, record.keyHash, field.VARIANT_HASH, record.variantHash);
    this.#change(bucket, () => {
      const slot = replaced ?? this.#freeSlot(bucket);
      if (replaced !== null) this.#empty(replaced);
      this.#words[slot + HASH] = record.keyHash;
      this.#words[slot + USES] = uses;
      this.#words[slot + POSITION] = this.#positionOf(ring, counter);
    });
    this.#count(at.STORED_DOUBLE, 1);
    this.#count(at.BODY_BYTES_DOUBLE, record.body.byteLength);
    this.#count(at.CHARGED_UNITS_DOUBLE, units);
    this.#count(at.ADMISSIONS_DOUBLE, 1);
    return stamp;
  }

  #ringFor(record: NewRecord, units: number): Ring {
    const isRemembered = this.#takeGhost(combine32(record.keyHash, record.variantHash));
    return isRemembered || units > this.#small.units / 2 ? this.#main : this.#small;
  }

  /** False: it would never fit. */
  #makeRoom(ring: Ring, units: number): boolean {
    while (!ring.fits(units)) {
      if (ring.isEmpty) return false;
      if (ring === this.#small) this.#evictFromSmall();
      else this.#evictFromMain();
    }
    return true;
  }

  #evictFromSmall(): void {
    const offset = this.#small.offsetOf(this.#small.tail);
    const units = this.#wordAt(offset, field.UNITS);
    const slot = this.#slotOfRecord(offset, this.#positionOf(this.#small, this.#small.tail));
    if (slot !== null) {
      // A cold cache keeps all it can: nothing is sifted before the main ring has been full. From then on the unused must
      // not slip into what room an eviction there has left over: that costs a point of hit ratio.
      const isUsed = (this.#words[slot + USES] as number) > 0;
      const isKept = isUsed || (!this.#isFilled() && this.#main.fits(units));
      if (isKept && this.#makeRoom(this.#main, units)) {
        this.#moveToMain(slot, offset, units);
      } else {
        this.#rememberGhost(
          combine32(this.#wordAt(offset, field.KEY_HASH), this.#wordAt(offset, field.VARIANT_HASH)),
          units,
        );
        this.#evict(slot, offset);
      }
    }
    this.#small.drop(units);
  }

  #evictFromMain(): void {
    const { tail } = this.#main;
    const offset = this.#main.offsetOf(tail);
    const units = this.#wordAt(offset, field.UNITS);
    const slot = this.#slotOfRecord(offset, this.#positionOf(this.#main, tail));
    if (slot === null) {
      this.#main.drop(units);
      return;
    }
    this.#words[at.FILLED_WORD] = 1;
    const uses = this.#words[slot + USES] as number;
    if (uses === 0 || this.#patience <= 0) {
      this.#evict(slot, offset);
      this.#main.drop(units);
      return;
    }
    this.#patience -= units;
    const bucket = this.bucketOf(this.#words[slot + HASH] as number);
    // Its own room is free for its new place, which may lie over the old one: nobody may believe it meanwhile.
    this.#change(bucket, () => {
      this.#main.drop(units);
      if (!this.#main.fits(units)) {
        // It would have to lie across the end.
        this.#empty(slot);
        this.#count(at.EVICTIONS_DOUBLE, 1);
        return;
      }
      this.#copyToMain(slot, offset, units);
      this.#words[slot + USES] = uses - 1;
    });
  }

  /** Whether the main ring has been full; where more than half of all was removed since, it is to be filled again. */
  #isFilled(): boolean {
    const inUse = this.#doubles[at.CHARGED_UNITS_DOUBLE] as number;
    if (inUse < (this.#small.units + this.#main.units) / 2) this.#words[at.FILLED_WORD] = 0;
    return this.#words[at.FILLED_WORD] === 1;
  }

  #moveToMain(slot: number, offset: number, units: number): void {
    const bucket = this.bucketOf(this.#words[slot + HASH] as number);
    this.#change(bucket, () => {
      this.#copyToMain(slot, offset, units);
      this.#words[slot + USES] = 0;
    });
  }

  #copyToMain(slot: number, offset: number, units: number): void {
    const counter = this.#main.append(units);
    this.octets.bytes.copyWithin(this.#main.offsetOf(counter), offset, offset + units * at.UNIT_BYTES);
    this.#words[slot + POSITION] = this.#positionOf(this.#main, counter);
  }

  #evict(slot: number, offset: number): void {
    this.#change(this.bucketOf(this.#wordAt(offset, field.KEY_HASH)), () => this.#empty(slot));
    this.#count(at.EVICTIONS_DOUBLE, 1);
  }

  /** A slot of the bucket to put something in: an empty one, or that of the least used. */
  #freeSlot(bucket: number): number {
    const end = bucket + at.BUCKET_WORDS;
    let least = bucket + 1;
    for (let slot = bucket + 1; slot < end; slot += at.SLOT_WORDS) {
      if (this.#words[slot + POSITION] === 0) return slot;
      if ((this.#words[slot + USES] as number) < (this.#words[least + USES] as number)) least = slot;
    }
    this.#empty(least);
    this.#count(at.EVICTIONS_DOUBLE, 1);
    return least;
  }

  /** Within `#change`. */
  #empty(slot: number): void {
    const offset = this.offsetOf(slot);
    this.#words[slot + POSITION] = 0;
    this.#count(at.STORED_DOUBLE, -1);
    this.#count(at.BODY_BYTES_DOUBLE, -this.#wordAt(offset, field.BODY_LENGTH));
    this.#count(at.CHARGED_UNITS_DOUBLE, -this.#wordAt(offset, field.UNITS));
  }

  /** The slot of the key whose record has that word in its header. */
  #find(key: string, keyHash: number, word: number, value: number): number | null {
    for (const slot of this.slotsOf(this.bucketOf(keyHash), keyHash)) {
      const offset = this.offsetOf(slot);
      if (this.#wordAt(offset, word) === value && isRecordOf(this.octets, offset, key)) return slot;
    }
    return null;
  }

  /** The slot that points at a record; null: none any more, or it is padding. */
  #slotOfRecord(offset: number, position: number): number | null {
    if (this.#wordAt(offset, field.HEAD_LENGTH) === 0) return null;
    const keyHash = this.#wordAt(offset, field.KEY_HASH);
    const slots = this.slotsOf(this.bucketOf(keyHash), keyHash);
    return slots.find((slot) => this.#words[slot + POSITION] === position) ?? null;
  }

  #positionOf(ring: Ring, counter: number): number {
    return (ring === this.#main ? counter + MAIN_BIT : counter) + 1;
  }

  /** Changes slots of one bucket, or their records; readers wait, or look again. */
  #change(bucket: number, change: () => void): void {
    const before = Atomics.add(this.#words, bucket, 1);
    assert(before % 2 === 0, 'a bucket is changed by one at a time');
    change();
    Atomics.add(this.#words, bucket, 1);
  }

  /** Forgets everything, whatever state it is in. */
  #clear(): void {
    const { bucketCount } = this.#layout;
    for (let i = 0; i < bucketCount; i++) {
      const bucket = at.CONTROL_BYTES / 4 + i * at.BUCKET_WORDS;
      const version = Atomics.load(this.#words, bucket) | 1;
      Atomics.store(this.#words, bucket, version);
      this.#words.fill(0, bucket + 1, bucket + at.BUCKET_WORDS);
      Atomics.store(this.#words, bucket, version + 1);
    }
    this.#small.clear();
    this.#main.clear();
    this.#words[at.FILLED_WORD] = 0;
    for (const figure of [at.STORED_DOUBLE, at.BODY_BYTES_DOUBLE, at.CHARGED_UNITS_DOUBLE]) {
      this.#doubles[figure] = 0;
    }
  }

  #rememberGhost(hash: number, units: number): void {
    const clock = (this.#words[at.GHOST_CLOCK_WORD] as number) + units;
    this.#words[at.GHOST_CLOCK_WORD] = clock;
    this.#words[this.#ghostWord(hash)] = (hash & GHOST_TAG) | this.#ghostTime();
  }

  /** Whether the hash is remembered, and no more has gone the same way since than the main ring holds; forgets it. */
  #takeGhost(hash: number): boolean {
    const word = this.#ghostWord(hash);
    const ghost = this.#words[word] as number;
    if (((ghost ^ hash) & GHOST_TAG) !== 0 || ghost === 0) return false;
    this.#words[word] = 0;
    return ((this.#ghostTime() - ghost) & GHOST_TIME) <= GHOST_TICKS;
  }

  /** Ticks of the clock, `GHOST_TICKS` for as much as the main ring holds. */
  #ghostTime(): number {
    const unitsPerTick = Math.ceil(this.#main.units / GHOST_TICKS);
    return Math.floor((this.#words[at.GHOST_CLOCK_WORD] as number) / unitsPerTick) & GHOST_TIME;
  }

  /** Direct-mapped: a newer one takes the place of an older. */
  #ghostWord(hash: number): number {
    return this.#layout.ghostsAt / 4 + (hash & (this.#layout.ghostCount - 1));
  }

  #wordAt(offset: number, word: number): number {
    return this.#words[offset / 4 + word] as number;
  }

  #count(figure: number, amount: number): void {
    this.#doubles[figure] = (this.#doubles[figure] as number) + amount;
  }
}
