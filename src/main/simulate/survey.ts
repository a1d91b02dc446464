/**
 * What is in a trace: how many keys, of what sizes. Of more keys than are looked at at once, those with the lowest hashes
 * stay: a sample by key, of which a cache smaller in the same measure has the same hit ratio (Waldspurger et al., FAST 2015).
 */
import { hashText } from '#core/base/mix32.ts';
import type { Objects } from '#core/simulation/policy.ts';
import { readTrace, type TraceReading } from './read-trace.ts';

export const KEYS_MAX = 1_000_000;
const HASHES = 2 ** 32;

export interface Survey extends TraceReading {
  /** Of the keys in the trace, the share that is looked at. */
  readonly looked: number;
  readonly numbers: ReadonlyMap<string, number>;
  readonly objects: Objects;
  /** Requests in the trace, and for the keys looked at. */
  readonly requests: number;
  readonly requestsLooked: number;
  /** Of all requests, those that the trace says were hits; null: it does not say. */
  readonly observedHits: number | null;
}

/** `keysMax`: how many keys at the most are looked at. */
export async function surveyTrace(path: string, keysMax = KEYS_MAX): Promise<Survey> {
  const keys = new KeySample(keysMax);
  let requests = 0;
  let hits: number | null = null;
  const reading = await readTrace(path, ({ key, bytes, isHit }) => {
    requests++;
    if (isHit !== null) hits = (hits ?? 0) + (isHit ? 1 : 0);
    keys.add(key, bytes);
  });
  return { ...reading, ...keys.taken(), requests, observedHits: hits };
}

interface Seen {
  readonly hash: number;
  readonly bytes: number;
  requests: number;
}

class KeySample {
  readonly #max: number;
  readonly #seen = new Map<string, Seen>();
  #below = HASHES;

  constructor(max: number) {
    this.#max = max;
  }

  add(key: string, bytes: number): void {
    const known = this.#seen.get(key);
    if (known !== undefined) {
      known.requests++;
      return;
    }
    const hash = hashText(key);
    if (hash >= this.#below) return;
    this.#seen.set(key, { hash, bytes: Math.min(bytes, HASHES - 1), requests: 1 });
    if (this.#seen.size > this.#max) this.#halve();
  }

  taken() {
    const numbers = new Map<string, number>();
    const bytes = new Uint32Array(this.#seen.size);
    let requestsLooked = 0;
    for (const [key, seen] of this.#seen) {
      bytes[numbers.size] = seen.bytes;
      numbers.set(key, numbers.size);
      requestsLooked += seen.requests;
    }
    const objects: Objects = { count: numbers.size, bytes };
    return { numbers, objects, requestsLooked, looked: this.#below / HASHES };
  }

  #halve(): void {
    this.#below /= 2;
    for (const [key, { hash }] of this.#seen) if (hash >= this.#below) this.#seen.delete(key);
  }
}
