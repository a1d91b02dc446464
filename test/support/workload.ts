/**
 * Requests made from a seed, for what no trace is at hand: popularity by Zipf's law over a set of objects with sizes as the
 * web has them, and what makes caches differ: objects asked for once, scans, and popularity that moves on.
 */
import { mix32 } from '#core/base/mix32.ts';

export interface WorkloadOptions {
  readonly seed: number;
  readonly requests: number;
  /** Objects that are asked for again and again. */
  readonly objects: number;
  /** Zipf's exponent. */
  readonly alpha: number;
  /** Middle of the sizes, octets; they are spread log-normally. */
  readonly medianBytes: number;
  /** Standard deviation of the sizes' logarithm; 0: all have the same. */
  readonly spread: number;
  /** Share of requests for objects that nobody asks for again. */
  readonly onceShare?: number;
  /** After so many requests, so many objects that were never asked for are, one after the other. */
  readonly scan?: { readonly every: number; readonly length: number };
  /** Share of the objects that have become others by the end. */
  readonly drift?: number;
}

export interface Request {
  /** A number of its own. */
  readonly object: number;
  readonly bytes: number;
}

const BYTES_MIN = 64;
const BYTES_MAX = 16 * 1024 * 1024;

/** Numbers in [0, 1) from a seed. */
export class SeededChance {
  #state: number;

  constructor(seed: number) {
    this.#state = mix32(seed);
  }

  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0;
    return mix32(this.#state) / 2 ** 32;
  }
}

export function* makeWorkload(options: WorkloadOptions): Generator<Request> {
  const { seed, requests, objects, alpha, onceShare = 0, scan = null, drift = 0 } = options;
  const chance = new SeededChance(seed);
  const sums = zipfSums(objects, alpha);
  let fresh = 2 * objects;
  let toScan = 0;
  for (let i = 0; i < requests; i++) {
    if (scan !== null && i > 0 && i % scan.every === 0) toScan = scan.length;
    let object: number;
    if (toScan > 0) {
      toScan--;
      object = fresh++;
    } else if (chance.next() < onceShare) {
      object = fresh++;
    } else {
      const rank = firstAtLeast(sums, chance.next() * (sums[objects - 1] as number));
      // An object has its rank by chance, and becomes another at a moment of its own.
      const place = mix32(rank ^ seed) / 2 ** 32;
      object = rank + (place * requests < i * drift ? objects : 0);
    }
    yield { object, bytes: bytesOf(object, options) };
  }
}

function bytesOf(object: number, { seed, medianBytes, spread }: WorkloadOptions): number {
  const first = (mix32(mix32(object) ^ seed) + 1) / (2 ** 32 + 1);
  const second = mix32(mix32(object + 0x5bd1_e995) ^ seed) / 2 ** 32;
  const normal = Math.sqrt(-2 * Math.log(first)) * Math.cos(2 * Math.PI * second);
  const bytes = Math.round(medianBytes * Math.exp(spread * normal));
  return Math.min(Math.max(bytes, BYTES_MIN), BYTES_MAX);
}

/** Of each rank, the weights up to it. */
function zipfSums(count: number, alpha: number): Float64Array {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** alpha;
    sums[rank] = sum;
  }
  return sums;
}

function firstAtLeast(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
