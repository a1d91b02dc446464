/**
 * A first-in-first-out queue of objects from which any can leave, as links in two arrays by the object's number: an
 * object costs eight octets, and nothing for the garbage collector. An object is in a queue once at most.
 */
const NONE = -1;

export class ObjectQueue {
  readonly #bytesOf: Uint32Array;
  readonly #older: Int32Array;
  readonly #newer: Int32Array;
  #oldest = NONE;
  #newest = NONE;
  #bytes = 0;

  constructor({ count, bytes }: { readonly count: number; readonly bytes: Uint32Array }) {
    this.#bytesOf = bytes;
    this.#older = new Int32Array(count);
    this.#newer = new Int32Array(count);
  }

  /** Of all objects in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Null: it is empty. */
  get oldest(): number | null {
    return this.#oldest === NONE ? null : this.#oldest;
  }

  /** The one that came after; null: there is none. */
  newerThan(object: number): number | null {
    const newer = this.#newer[object] as number;
    return newer === NONE ? null : newer;
  }

  push(object: number): void {
    this.#older[object] = this.#newest;
    this.#newer[object] = NONE;
    if (this.#newest === NONE) this.#oldest = object;
    else this.#newer[this.#newest] = object;
    this.#newest = object;
    this.#bytes += this.#bytesOf[object] as number;
  }

  /** `object` is in it. */
  remove(object: number): void {
    const older = this.#older[object] as number;
    const newer = this.#newer[object] as number;
    if (older === NONE) this.#oldest = newer;
    else this.#newer[older] = newer;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
    this.#bytes -= this.#bytesOf[object] as number;
  }
}
