/**
 * Which segments there are, for all workers: a segment is open (one worker appends to it), then sealed, then reclaimed.
 * Each step is one compare-and-exchange; of a worker that died its segments are taken over.
 *
 *   free ──▶ open ──▶ sealed ──▶ reclaiming ──▶ free
 */
import { hasEnded, OWN_MARK } from '#platform/process-mark.ts';
import type { DiskLayout } from './disk-layout.ts';
import * as at from './disk-layout.ts';

export const FREE = 0;
export const OPEN = 1;
export const SEALED = 2;
export const RECLAIMING = 3;
export type SegmentState = typeof FREE | typeof OPEN | typeof SEALED | typeof RECLAIMING;

const STATE = 0;
const OWNER = 1;
const ID = 2;
const UNITS = 3;

const RECOVERED = 0xffff_ffff;

/** A segment this worker has taken; its place in the table, and its id, which is never given again. */
export interface TakenSegment {
  readonly place: number;
  readonly id: number;
}

export class SegmentTable {
  readonly #words: Uint32Array;
  readonly #first: number;
  readonly #count: number;
  readonly #control = at.CONTROL_AT / 4;

  constructor(memory: ArrayBufferLike, { segmentsAt, segmentCount }: DiskLayout) {
    this.#words = new Uint32Array(memory);
    this.#first = segmentsAt / 4;
    this.#count = segmentCount;
  }

  /** Whether all that is on the disk is in the index. */
  get isRecovered(): boolean {
    return Atomics.load(this.#words, this.#control + at.RECOVERY_WORD) === RECOVERED;
  }

  /** Whether this worker is to recover: nobody does, or who did has died. */
  beginRecovery(): boolean {
    const word = this.#control + at.RECOVERY_WORD;
    const owner = Atomics.load(this.#words, word);
    if (owner === RECOVERED || (owner !== 0 && !hasEnded(owner))) return false;
    return Atomics.compareExchange(this.#words, word, owner, OWN_MARK) === owner;
  }

  /** Something failed before the end: whoever looks next begins anew. */
  giveUpRecovery(): void {
    Atomics.store(this.#words, this.#control + at.RECOVERY_WORD, 0);
  }

  /** Whether all segments on the disk have their places, so that new ones can be given theirs. */
  get isRegistered(): boolean {
    return Atomics.load(this.#words, this.#control + at.REGISTERED_WORD) === 1;
  }

  endRegistration(): void {
    Atomics.store(this.#words, this.#control + at.REGISTERED_WORD, 1);
  }

  endRecovery(): void {
    Atomics.store(this.#words, this.#control + at.RECOVERY_WORD, RECOVERED);
  }

  /** A free place for a new segment, taken in `state`; null when there is none. */
  take(state: SegmentState, id: number = this.#nextId()): TakenSegment | null {
    for (let place = 0; place < this.#count; place++) {
      const word = this.#wordOf(place);
      if (Atomics.compareExchange(this.#words, word + STATE, FREE, state) !== FREE) continue;
      Atomics.store(this.#words, word + OWNER, OWN_MARK);
      Atomics.store(this.#words, word + UNITS, 0);
      Atomics.store(this.#words, word + ID, id);
      return { place, id };
    }
    return null;
  }

  /** Ids that are on the disk are never given again. */
  raiseLastId(id: number): void {
    const word = this.#control + at.LAST_ID_WORD;
    for (;;) {
      const last = Atomics.load(this.#words, word);
      if (last >= id || Atomics.compareExchange(this.#words, word, last, id) === last) return;
    }
  }

  seal(place: number): void {
    const word = this.#wordOf(place);
    // Nobody's, so that who takes it to reclaim it is not taken for its former owner.
    Atomics.store(this.#words, word + OWNER, 0);
    Atomics.store(this.#words, word + STATE, SEALED);
  }

  free(place: number): void {
    const word = this.#wordOf(place);
    Atomics.store(this.#words, word + ID, 0);
    Atomics.store(this.#words, word + OWNER, 0);
    Atomics.store(this.#words, word + STATE, FREE);
  }

  /** The oldest sealed segment, to be reclaimed by this worker; null when there is none. */
  takeOldest(): TakenSegment | null {
    for (;;) {
      let oldest: TakenSegment | null = null;
      for (let place = 0; place < this.#count; place++) {
        const id = this.#idOf(place);
        if (this.stateOf(place) === SEALED && (oldest === null || id < oldest.id)) oldest = { place, id };
      }
      if (oldest === null) return null;
      const word = this.#wordOf(oldest.place);
      if (Atomics.compareExchange(this.#words, word + STATE, SEALED, RECLAIMING) !== SEALED) continue;
      Atomics.store(this.#words, word + OWNER, OWN_MARK);
      return oldest;
    }
  }

  /** Segments that a worker which died had open, or was reclaiming: this worker's from now on. */
  takeAbandoned(): (TakenSegment & { readonly state: SegmentState })[] {
    const taken: (TakenSegment & { readonly state: SegmentState })[] = [];
    for (let place = 0; place < this.#count; place++) {
      const state = this.stateOf(place);
      if (state !== OPEN && state !== RECLAIMING) continue;
      const word = this.#wordOf(place) + OWNER;
      const owner = Atomics.load(this.#words, word);
      // 0: it is being taken just now, or its worker died in between; then it holds nothing.
      if (owner === OWN_MARK || owner === 0 || !hasEnded(owner)) continue;
      if (Atomics.compareExchange(this.#words, word, owner, OWN_MARK) !== owner) continue;
      taken.push({ place, id: this.#idOf(place), state });
    }
    return taken;
  }

  stateOf(place: number): SegmentState {
    return Atomics.load(this.#words, this.#wordOf(place) + STATE) as SegmentState;
  }

  /** Whether a segment of that id is on the disk, in any state. */
  has(id: number): boolean {
    for (let place = 0; place < this.#count; place++) {
      if (this.#idOf(place) === id && this.stateOf(place) !== FREE) return true;
    }
    return false;
  }

  /** Whether something had to go for something else before. */
  get wasFull(): boolean {
    return Atomics.load(this.#words, this.#control + at.FULL_WORD) === 1;
  }

  noteFull(): void {
    Atomics.store(this.#words, this.#control + at.FULL_WORD, 1);
  }

  /** How many places are free. */
  get freeCount(): number {
    let free = 0;
    for (let place = 0; place < this.#count; place++) if (this.stateOf(place) === FREE) free++;
    return free;
  }

  /** The id that was given last. */
  get lastId(): number {
    return Atomics.load(this.#words, this.#control + at.LAST_ID_WORD);
  }

  /** Of the segments there are; infinite when there is none. */
  get oldestId(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (let place = 0; place < this.#count; place++) {
      if (this.stateOf(place) !== FREE) oldest = Math.min(oldest, this.#idOf(place));
    }
    return oldest;
  }

  #idOf(place: number): number {
    return Atomics.load(this.#words, this.#wordOf(place) + ID);
  }

  #nextId(): number {
    return Atomics.add(this.#words, this.#control + at.LAST_ID_WORD, 1) + 1;
  }

  #wordOf(place: number): number {
    return this.#first + place * at.SEGMENT_WORDS;
  }
}
