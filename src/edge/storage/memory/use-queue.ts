/**
 * A first-in-first-out queue of slots, doubly linked so that any slot can leave in O(1), with the sum of
 * their bytes. One of the two queues of S3-FIFO (`s3-fifo.ts`).
 *
 *   #oldest ⇄ … ⇄ #newest      slot.newer points right, slot.older left; both null outside a queue.
 */
import { assert } from '#core/base/assert.ts';

/** What a queue needs of its members; the stored response's slot extends it. */
export interface Queued<Slot extends Queued<Slot>> {
  queue: UseQueue<Slot> | null;
  older: Slot | null;
  newer: Slot | null;
  /** Bytes charged to the budget. Changed only through `UseQueue.recharge` while queued. */
  bytes: number;
  /** Uses since it was queued, saturating at 3 (two bits in S3-FIFO's paper). */
  uses: number;
}

export class UseQueue<Slot extends Queued<Slot>> {
  #oldest: Slot | null = null;
  #newest: Slot | null = null;
  #bytes = 0;
  #size = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#size;
  }

  get oldest(): Slot | null {
    return this.#oldest;
  }

  push(slot: Slot): void {
    assert(slot.queue === null, 'a slot is in one queue at most');
    slot.queue = this;
    slot.older = this.#newest;
    slot.newer = null;
    if (this.#newest !== null) this.#newest.newer = slot;
    else this.#oldest = slot;
    this.#newest = slot;
    this.#bytes += slot.bytes;
    this.#size++;
  }

  remove(slot: Slot): void {
    assert(slot.queue === this, 'a slot leaves the queue it is in');
    if (slot.older !== null) slot.older.newer = slot.newer;
    else this.#oldest = slot.newer;
    if (slot.newer !== null) slot.newer.older = slot.older;
    else this.#newest = slot.older;
    slot.queue = null;
    slot.older = null;
    slot.newer = null;
    this.#bytes -= slot.bytes;
    this.#size--;
  }

  /** Sets what a queued slot costs. */
  recharge(slot: Slot, bytes: number): void {
    assert(slot.queue === this, 'only a queued slot is recharged here');
    this.#bytes += bytes - slot.bytes;
    slot.bytes = bytes;
  }
}
