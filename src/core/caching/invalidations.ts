/**
 * What origins said of late has changed (RFC 9111 §4.4, RFC 9875 §3), for all workers that share a storage. An
 * invalidation raises a sequence number and writes it beside the hash of what it names; a stored response remembers
 * the number as its fetch began, and is invalid iff one that names it is higher. Nothing is scanned.
 *
 *   sequence (8 octets) │ urls: a number per slot │ names: a number per slot
 *
 * URLs have slots of their own, because there are many of them and they matter only to what no lookup by the URL's key
 * can remove: fills under way, and the kinds of a URL (`cache-key.ts`). Two names with one slot invalidate too much,
 * never too little. The numbers begin at a time, so that a later run's are higher than those of all before it.
 */
import type { StoredHead } from './stored-head.ts';

/** What the judgement needs of a head; none of it changes when the response is validated. */
export type InvalidatedHead = Pick<StoredHead, 'siteId' | 'host' | 'searchPath' | 'tags' | 'sequence'>;

export interface InvalidationsOptions {
  /** At least `invalidationBytes(slots)` octets of it from `byteOffset` on, zeros at first; shared by those that are to agree. */
  readonly memory: ArrayBufferLike;
  /** A multiple of 8. */
  readonly byteOffset?: number;
  /** Slots of either kind, a power of two. */
  readonly slots: number;
  /** 32 bits of a text, the same for all that share the memory. */
  readonly hash: (text: string) => number;
  /** ms since the epoch. */
  readonly startedAt: number;
}

/** Room for this many numbers between two milliseconds, at least: invalidations come more slowly. */
const NUMBERS_PER_MS = 1_000;

export function invalidationBytes(slots: number): number {
  return 8 * (1 + 2 * slots);
}

export class Invalidations {
  readonly #hash: (text: string) => number;
  readonly #mask: number;
  readonly #numbers: BigInt64Array;
  /** The same octets in halves: reading them makes no objects. */
  readonly #halves: Uint32Array;

  constructor({ memory, byteOffset = 0, slots, hash, startedAt }: InvalidationsOptions) {
    this.#hash = hash;
    this.#mask = slots - 1;
    this.#numbers = new BigInt64Array(memory, byteOffset, 1 + 2 * slots);
    this.#halves = new Uint32Array(memory, byteOffset, 2 * (1 + 2 * slots));
    Atomics.compareExchange(this.#numbers, 0, 0n, BigInt(startedAt * NUMBERS_PER_MS));
  }

  /** How far they are; a fetch that begins now remembers it. */
  get sequence(): number {
    return Number(Atomics.load(this.#numbers, 0));
  }

  /** What was judged at this tick, read before, is true as long as it is the same. */
  get tick(): number {
    return Atomics.load(this.#halves, 0);
  }

  /** `urlKey`: a key without additions (`cache-key.ts`). */
  addUrl(urlKey: string): void {
    this.#add(1 + (this.#hash(urlKey) & this.#mask));
  }

  /** All that an origin gave out for a host in a group. */
  addGroup(siteId: string, host: string, group: string): void {
    this.#add(this.#nameSlot(groupText(siteId, host, group)));
  }

  /** All that answers queries of a path beside its own. `path` may have a query. */
  addSearches(siteId: string, path: string): void {
    this.#add(this.#nameSlot(searchesText(siteId, path)));
  }

  isUrlInvalidated(urlKey: string, sequence: number): boolean {
    return this.isHashInvalidated(this.#hash(urlKey), sequence);
  }

  /** The same for who has kept no more than the URL's hash. */
  isHashInvalidated(urlHash: number, sequence: number): boolean {
    return this.#numberAt(1 + (urlHash & this.#mask)) > sequence;
  }

  /** By its group or path. */
  isInvalidated({ siteId, host, searchPath, tags, sequence }: InvalidatedHead): boolean {
    if (searchPath !== null && this.#isNamed(searchesText(siteId, searchPath), sequence)) return true;
    for (let i = 0; i < tags.length; i++) {
      if (this.#isNamed(groupText(siteId, host, tags[i] as string), sequence)) return true;
    }
    return false;
  }

  #isNamed(text: string, sequence: number): boolean {
    return this.#numberAt(this.#nameSlot(text)) > sequence;
  }

  #nameSlot(text: string): number {
    return 2 + this.#mask + (this.#hash(text) & this.#mask);
  }

  #numberAt(slot: number): number {
    return (this.#halves[2 * slot + 1] as number) * 2 ** 32 + (this.#halves[2 * slot] as number);
  }

  #add(slot: number): void {
    const number = Atomics.add(this.#numbers, 0, 1n) + 1n;
    // Another worker may have a later one for the same slot written by now, or write one meanwhile.
    let known: bigint;
    do known = Atomics.load(this.#numbers, slot);
    while (known < number && Atomics.compareExchange(this.#numbers, slot, known, number) !== known);
    // Once more: who saw the first number may have looked at the slot before it was written.
    Atomics.add(this.#numbers, 0, 1n);
  }
}

/** Neither a site's id nor a host has a space. */
function groupText(siteId: string, host: string, group: string): string {
  return `${siteId} ${host} ${group}`;
}

/** No host is empty, and no path has a space. */
function searchesText(siteId: string, path: string): string {
  const question = path.indexOf('?');
  return `${siteId}  ${question === -1 ? path : path.slice(0, question)}`;
}
