/** A fill on its way to a tier outside of the heap: it grows in its worker's own memory, and goes there at its end. */
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { FillMemory } from './fill-memory.ts';
import { GrowingBody } from './memory/growing-body.ts';
import type { StorageWriter, StoredResponse } from './storage.ts';

/** A worker's fills under way, and what becomes of them. */
export interface OuterFills {
  readonly memory: FillMemory;
  readonly writers: Set<OuterWriter>;
  /** One did not fit. */
  refused(): void;
  publish(cacheKey: string, head: StoredHead, body: Uint8Array): StoredResponse | null;
}

export class OuterWriter implements StorageWriter {
  readonly #fills: OuterFills;
  readonly #cacheKey: string;
  readonly #head: StoredHead;
  readonly #body: GrowingBody;
  #isOpen = true;

  private constructor(fills: OuterFills, cacheKey: string, head: StoredHead, body: GrowingBody) {
    this.#fills = fills;
    this.#cacheKey = cacheKey;
    this.#head = head;
    this.#body = body;
    fills.writers.add(this);
  }

  /** Null when it would never fit. */
  static begin(
    fills: OuterFills,
    cacheKey: string,
    head: StoredHead,
    bodyLength: number | null,
    bytesMax: number,
  ): OuterWriter | null {
    if (bodyLength !== null && bodyLength > bytesMax) return null;
    return new OuterWriter(fills, cacheKey, head, new GrowingBody(bodyLength, bytesMax));
  }

  write(bytes: Uint8Array, isGiven = false): boolean {
    if (!this.#isOpen) return false;
    if (this.#body.take(bytes, isGiven, this.#fills.memory.hold)) return true;
    this.#leave();
    this.#fills.refused();
    return false;
  }

  view(offset: number): Uint8Array {
    return this.#body.view(offset);
  }

  finish(): StoredResponse | null {
    if (!this.#isOpen) return null;
    this.#leave();
    const body = this.#body.complete();
    return body === null ? null : this.#fills.publish(this.#cacheKey, this.#head, body);
  }

  abandon(): void {
    if (this.#isOpen) this.#leave();
  }

  #leave(): void {
    this.#isOpen = false;
    this.#fills.memory.release(this.#body.capacity);
    this.#fills.writers.delete(this);
  }
}
