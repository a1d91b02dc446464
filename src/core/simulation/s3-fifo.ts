/**
 * S3-FIFO (Yang et al., SOSP 2023) as the paper has it, over octets: what the engine's rings are measured by. Newcomers
 * enter the small queue, a tenth of the room; who was used there moves on to the main queue, who was not is remembered
 * as a ghost, for as many octets as the main queue has, and enters the main queue when it comes again.
 */
import { ObjectQueue } from './object-queue.ts';
import type { Objects, Policy } from './policy.ts';

const SMALL_SHARE = 0.1;
const USES_MAX = 3;

const ABSENT = 0;
const SMALL = 1;
const MAIN = 2;
const GHOST = 3;

export class S3Fifo implements Policy {
  readonly #capacityBytes: number;
  readonly #mainBytes: number;
  readonly #objects: Objects;
  readonly #small: ObjectQueue;
  readonly #main: ObjectQueue;
  readonly #ghosts: ObjectQueue;
  readonly #place: Uint8Array;
  readonly #uses: Uint8Array;

  constructor(capacityBytes: number, objects: Objects) {
    this.#capacityBytes = capacityBytes;
    this.#mainBytes = capacityBytes * (1 - SMALL_SHARE);
    this.#objects = objects;
    this.#small = new ObjectQueue(objects);
    this.#main = new ObjectQueue(objects);
    this.#ghosts = new ObjectQueue(objects);
    this.#place = new Uint8Array(objects.count);
    this.#uses = new Uint8Array(objects.count);
  }

  request(object: number): boolean {
    const place = this.#place[object] as number;
    if (place === SMALL || place === MAIN) {
      const uses = this.#uses[object] as number;
      if (uses < USES_MAX) this.#uses[object] = uses + 1;
      return true;
    }
    const bytes = this.#objects.bytes[object] as number;
    if (bytes > this.#capacityBytes) return false;
    const isRemembered = place === GHOST;
    if (isRemembered) this.#leave(this.#ghosts, object);
    while (this.#small.bytes + this.#main.bytes + bytes > this.#capacityBytes) this.#evict();
    this.#uses[object] = 0;
    if (isRemembered || bytes > this.#capacityBytes * SMALL_SHARE) this.#enter(this.#main, object, MAIN);
    else this.#enter(this.#small, object, SMALL);
    return false;
  }

  #evict(): void {
    // A cold cache keeps all it can: the small queue gives way first only where the main queue has had its share.
    if (this.#main.bytes > this.#mainBytes || this.#small.oldest === null) this.#evictFromMain();
    else this.#evictFromSmall();
  }

  #evictFromSmall(): void {
    const object = this.#small.oldest as number;
    this.#leave(this.#small, object);
    if ((this.#uses[object] as number) > 0) {
      this.#uses[object] = 0;
      this.#enter(this.#main, object, MAIN);
      return;
    }
    this.#enter(this.#ghosts, object, GHOST);
    while (this.#ghosts.bytes > this.#mainBytes) this.#leave(this.#ghosts, this.#ghosts.oldest as number);
  }

  #evictFromMain(): void {
    const object = this.#main.oldest as number;
    this.#leave(this.#main, object);
    const uses = this.#uses[object] as number;
    if (uses === 0) return;
    this.#uses[object] = uses - 1;
    this.#enter(this.#main, object, MAIN);
  }

  #enter(queue: ObjectQueue, object: number, place: number): void {
    queue.push(object);
    this.#place[object] = place;
  }

  #leave(queue: ObjectQueue, object: number): void {
    queue.remove(object);
    this.#place[object] = ABSENT;
  }
}
