/**
 * SIEVE (Zhang et al., NSDI 2024): one queue in which nothing moves. A hand goes from the oldest to the newest; who was
 * used since it last came by is spared once, who was not leaves.
 */
import { ObjectQueue } from './object-queue.ts';
import type { Objects, Policy } from './policy.ts';

const ABSENT = 0;
const STORED = 1;
const USED = 2;

export class Sieve implements Policy {
  readonly #capacityBytes: number;
  readonly #objects: Objects;
  readonly #queue: ObjectQueue;
  readonly #state: Uint8Array;
  /** Null: it begins at the oldest. */
  #hand: number | null = null;

  constructor(capacityBytes: number, objects: Objects) {
    this.#capacityBytes = capacityBytes;
    this.#objects = objects;
    this.#queue = new ObjectQueue(objects);
    this.#state = new Uint8Array(objects.count);
  }

  request(object: number): boolean {
    if (this.#state[object] !== ABSENT) {
      this.#state[object] = USED;
      return true;
    }
    const bytes = this.#objects.bytes[object] as number;
    if (bytes > this.#capacityBytes) return false;
    while (this.#queue.bytes + bytes > this.#capacityBytes) this.#evict();
    this.#queue.push(object);
    this.#state[object] = STORED;
    return false;
  }

  #evict(): void {
    let object = (this.#hand ?? this.#queue.oldest) as number;
    while (this.#state[object] === USED) {
      this.#state[object] = STORED;
      object = (this.#queue.newerThan(object) ?? this.#queue.oldest) as number;
    }
    this.#hand = this.#queue.newerThan(object);
    this.#queue.remove(object);
    this.#state[object] = ABSENT;
  }
}
