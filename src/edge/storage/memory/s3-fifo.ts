/**
 * S3-FIFO eviction (Yang et al., SOSP 2023) over byte sizes: which slot leaves when room is needed.
 *
 *            new ──▶ small (10 %) ──used──▶ main (90 %) ──used──▶ back to main's end
 *                       │ unused               │ unused
 *                       ▼                      ▼
 *                     ghost ──seen again──▶  evicted
 *
 * Hits only raise a counter, so the hot path moves nothing. The queues share the budget: `small` is drained
 * first only while it exceeds its share, so a cold cache fills completely before anything is judged.
 */
import { GhostTable } from './ghost-table.ts';
import { type Queued, UseQueue } from './use-queue.ts';

const SMALL_SHARE = 0.1;
const USES_MAX = 3;
/** Slots looked at for one eviction; then the next one goes whatever its uses: bounds the worst case. */
const SCAN_MAX = 128;
/** One remembered eviction per this many bytes of budget: about as many as responses of usual size fit. */
const BYTES_PER_GHOST = 4096;

export interface Evictable<Slot extends Evictable<Slot>> extends Queued<Slot> {
  /** Identity for the ghost table. */
  readonly hash: number;
}

export class S3Fifo<Slot extends Evictable<Slot>> {
  readonly #small = new UseQueue<Slot>();
  readonly #main = new UseQueue<Slot>();
  readonly #ghosts: GhostTable;
  readonly #smallBytesTarget: number;

  constructor(budgetBytes: number) {
    this.#smallBytesTarget = budgetBytes * SMALL_SHARE;
    this.#ghosts = new GhostTable(budgetBytes / BYTES_PER_GHOST);
  }

  get bytes(): number {
    return this.#small.bytes + this.#main.bytes;
  }

  get size(): number {
    return this.#small.size + this.#main.size;
  }

  insert(slot: Slot): void {
    slot.uses = 0;
    if (this.#ghosts.take(slot.hash)) this.#main.push(slot);
    else this.#small.push(slot);
  }

  remove(slot: Slot): void {
    this.#queueOf(slot).remove(slot);
  }

  recharge(slot: Slot, bytes: number): void {
    this.#queueOf(slot).recharge(slot, bytes);
  }

  /** Takes one slot out to make room; null when there is none. Amortised O(1), at most SCAN_MAX steps. */
  evict(): Slot | null {
    for (let scanned = 0; ; scanned++) {
      const isForced = scanned >= SCAN_MAX;
      const slot =
        this.#small.bytes > this.#smallBytesTarget || this.#main.size === 0
          ? this.#fromSmall(isForced)
          : this.#fromMain(isForced);
      if (slot !== null) return slot;
      if (this.size === 0) return null;
    }
  }

  #fromSmall(isForced: boolean): Slot | null {
    const slot = this.#small.oldest;
    if (slot === null) return null;
    this.#small.remove(slot);
    if (slot.uses > 0 && !isForced) {
      slot.uses = 0;
      this.#main.push(slot);
      return null;
    }
    this.#ghosts.remember(slot.hash);
    return slot;
  }

  #fromMain(isForced: boolean): Slot | null {
    const slot = this.#main.oldest;
    if (slot === null) return null;
    this.#main.remove(slot);
    if (slot.uses > 0 && !isForced) {
      slot.uses--;
      this.#main.push(slot);
      return null;
    }
    return slot;
  }

  #queueOf(slot: Slot): UseQueue<Slot> {
    return slot.queue === this.#main ? this.#main : this.#small;
  }
}

/** Counts a use; called for each hit. */
export function countUse(slot: { uses: number }): void {
  if (slot.uses < USES_MAX) slot.uses++;
}
