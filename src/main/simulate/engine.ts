/**
 * The storage engine's shared memory as a policy of a simulation: the same shards, rings, index and locks that edges
 * have (`#edge/storage/shared`), in memory of this process, with records as long as theirs.
 */

import type { Objects, Policy } from '#core/simulation/policy.ts';
import type { EncodedHead } from '#edge/storage/head-codec.ts';
import { bodyBytesMaxOf, type Layout, layoutOf, UNIT_BYTES } from '#edge/storage/shared/layout.ts';
import { isRecordOf, unitsOf } from '#edge/storage/shared/record.ts';
import { Shard } from '#edge/storage/shared/shard.ts';
import { textHash } from '#platform/text-hash.ts';

/** A head and a key as stored responses have them, octets. */
export const USUAL_OVERHEAD = { headBytes: 400, keyBytes: 60 } as const;
/** The least: a head of no octets is padding, and objects must be told apart. */
export const LEAST_OVERHEAD = { headBytes: 1, keyBytes: 7 } as const;

export type Overhead = typeof USUAL_OVERHEAD | typeof LEAST_OVERHEAD;

const yes = (): boolean => true;

export class EnginePolicy implements Policy {
  readonly layout: Layout;
  readonly bodyBytesMax: number;
  readonly #objects: Objects;
  readonly #shards: readonly Shard[];
  readonly #head: EncodedHead;
  readonly #keyBytes: number;
  readonly #body: Uint8Array;

  /** `budgetBytes`: of all its memory, as `--memory` gives it to shared memory. */
  constructor(budgetBytes: number, objects: Objects, overhead: Overhead = USUAL_OVERHEAD) {
    this.layout = layoutOf(budgetBytes);
    this.bodyBytesMax = bodyBytesMaxOf(this.layout);
    this.#objects = objects;
    const { shard, shardCount } = this.layout;
    this.#shards = Array.from(
      { length: shardCount },
      () => new Shard(new ArrayBuffer(shard.byteLength), shard),
    );
    this.#head = { byteLength: overhead.headBytes, write: () => {} };
    this.#keyBytes = overhead.keyBytes;
    this.#body = new Uint8Array(this.bodyBytesMax);
  }

  request(object: number): boolean {
    const key = object.toString(36).padStart(this.#keyBytes, '-');
    const keyHash = textHash(key);
    const shard = this.#shards[keyHash & (this.layout.shardCount - 1)] as Shard;
    const slots = shard.slotsOf(shard.bucketOf(keyHash), keyHash);
    for (const slot of slots) {
      if (!isRecordOf(shard.octets, shard.offsetOf(slot), key)) continue;
      shard.countUse(slot);
      return true;
    }
    const bytes = this.#objects.bytes[object] as number;
    if (bytes > this.bodyBytesMax) return false;
    const body = this.#body.subarray(0, bytes);
    shard.insert({ key, keyHash, variantHash: 0, head: this.#head, body }, yes);
    return false;
  }
}

/** Octets that all rings of the layout have: what is left for records. */
export function ringBytesOf({ shard, shardCount }: Layout): number {
  return shardCount * (shard.smallUnits + shard.mainUnits) * UNIT_BYTES;
}

/** Octets that a record of a body takes. */
export function recordBytesOf(bodyBytes: number, { headBytes, keyBytes }: Overhead): number {
  const head = { byteLength: headBytes };
  const [key, body] = [{ length: keyBytes }, { byteLength: bodyBytes }];
  return unitsOf({ head, key, body }) * UNIT_BYTES;
}
