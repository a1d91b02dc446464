/** By what the records of a response are found: two hashes of its key, and of what it was selected by; of chunks, their object's. */
import { combine32 } from '#core/base/mix32.ts';
import { urlKeyWithin } from '#core/caching/cache-key.ts';
import { textHash } from '#platform/text-hash.ts';
import { CHUNK_VARIANT, type RecordName } from './disk-index.ts';
import type { ObjectId } from './segment-format.ts';

const CHECK_SEED = 0x5e3d_19c7;

export function keyName(cacheKey: string, variant: number): RecordName {
  return { hash: textHash(cacheKey), check: textHash(cacheKey, CHECK_SEED), variant };
}

export function chunkName({ hash, check }: ObjectId, number: number): RecordName {
  return { hash: combine32(hash, number), check: combine32(check, number), variant: CHUNK_VARIANT };
}

export function newObjectId(): ObjectId {
  const [hash = 0, check = 0] = crypto.getRandomValues(new Uint32Array(2));
  return { hash, check };
}

/** What removals of a URL and of its kinds go by; the hash of `Invalidations`. */
export function urlHashOf(cacheKey: string): number {
  return textHash(urlKeyWithin(cacheKey));
}
