/**
 * Candidate orders by place, so that a query is a look-up and a short walk: each place is ranked when its
 * first query comes and kept while snapshot and policy last. Bounded: a full cache starts again.
 *
 *   slots[place] → offset in entries, 0 for "not ranked yet"
 *   entries: count, then count × (POP index | 0x8000 where a tier begins)
 */
import { STEERING_LIMITS } from './limits.ts';
import type { SteeringPolicy } from './policy.ts';
import { type ClientPlace, rankPops } from './rank.ts';
import type { SteeringTable } from './steering-table.ts';

export const TIER_START = 0x8000;
export const POP_MASK = 0x7fff;

export class CandidateOrders {
  readonly #table: SteeringTable;
  readonly #policy: SteeringPolicy;
  readonly #placeOf: (place: number) => ClientPlace;
  readonly #slots: Uint32Array;
  #used = 1;
  /** Read by `choosePop`; replaced when it grows. */
  entries = new Uint16Array(4096);

  /** `placeOf` tells where place number 0 … `placeCount` - 1 is. */
  constructor(
    table: SteeringTable,
    policy: SteeringPolicy,
    placeCount: number,
    placeOf: (place: number) => ClientPlace,
  ) {
    this.#table = table;
    this.#policy = policy;
    this.#placeOf = placeOf;
    this.#slots = new Uint32Array(placeCount);
  }

  /** Offset in `entries` of the order for a place. */
  offsetOf(place: number): number {
    const offset = this.#slots[place] as number;
    return offset === 0 ? this.#rank(place) : offset;
  }

  /** The order with every POP, for the rare client whose kept candidates are all out; nothing is kept. */
  fullOrderOf(place: number): Uint16Array {
    return Uint16Array.from(this.#encode(place, this.#table.popCount));
  }

  #rank(place: number): number {
    const order = this.#encode(place, STEERING_LIMITS.orderPopsMax);
    if (this.#used + order.length > STEERING_LIMITS.orderEntriesMax) {
      this.#slots.fill(0);
      this.#used = 1;
    }
    while (this.#used + order.length > this.entries.length) {
      const larger = new Uint16Array(this.entries.length * 2);
      larger.set(this.entries);
      this.entries = larger;
    }
    const offset = this.#used;
    this.entries.set(order, offset);
    this.#used += order.length;
    this.#slots[place] = offset;
    return offset;
  }

  #encode(place: number, popsMax: number): number[] {
    const ranked = rankPops(this.#table, this.#policy, this.#placeOf(place)).slice(0, popsMax);
    const order = [ranked.length];
    for (const [index, candidate] of ranked.entries()) {
      const isTierStart = index === 0 || ranked[index - 1]?.tier !== candidate.tier;
      order.push(candidate.pop | (isTierStart ? TIER_START : 0));
    }
    return order;
  }
}
