/** Invalidations in a process's own memory: for a storage that it shares with nobody. */
import { Invalidations, invalidationBytes } from '#core/caching/invalidations.ts';
import { textHash } from '#platform/text-hash.ts';
import { STORAGE_LIMITS } from './limits.ts';

export function ownInvalidations(): Invalidations {
  const slots = STORAGE_LIMITS.ownInvalidationSlots;
  const memory = new ArrayBuffer(invalidationBytes(slots));
  return new Invalidations({ memory, slots, hash: (text) => textHash(text), startedAt: Date.now() });
}
