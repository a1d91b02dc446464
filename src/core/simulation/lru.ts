/** Least recently used: the yardstick that everybody knows. */
import { ObjectQueue } from './object-queue.ts';
import type { Objects, Policy } from './policy.ts';

export class Lru implements Policy {
  readonly #capacityBytes: number;
  readonly #objects: Objects;
  readonly #queue: ObjectQueue;
  readonly #isStored: Uint8Array;

  constructor(capacityBytes: number, objects: Objects) {
    this.#capacityBytes = capacityBytes;
    this.#objects = objects;
    this.#queue = new ObjectQueue(objects);
    this.#isStored = new Uint8Array(objects.count);
  }

  request(object: number): boolean {
    if (this.#isStored[object] === 1) {
      this.#queue.remove(object);
      this.#queue.push(object);
      return true;
    }
    const bytes = this.#objects.bytes[object] as number;
    if (bytes > this.#capacityBytes) return false;
    while (this.#queue.bytes + bytes > this.#capacityBytes) this.#evict();
    this.#queue.push(object);
    this.#isStored[object] = 1;
    return false;
  }

  #evict(): void {
    const oldest = this.#queue.oldest as number;
    this.#queue.remove(oldest);
    this.#isStored[oldest] = 0;
  }
}
