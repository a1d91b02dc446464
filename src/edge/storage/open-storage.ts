/** A worker's storage from what it is told: shared with the other workers where that can be had, else of its own. */
import { STORAGE_LIMITS } from './limits.ts';
import { MemoryStorage } from './memory/memory-storage.ts';
import { bodyBytesMaxOf } from './shared/layout.ts';
import { openRegion } from './shared/region.ts';
import { SharedStorage } from './shared/shared-storage.ts';
import type { Storage } from './storage.ts';
import { TieredStorage } from './tiered-storage.ts';

export interface StorageOptions {
  /** Memory of this worker's own, bytes: for everything, or beside shared memory for what is too large for that. */
  readonly ownBytes: number;
  /** Null: everything in memory of its own. */
  readonly shared: SharedMemoryOptions | null;
}

export interface SharedMemoryOptions {
  /** Where the file is made, with a suffix (`shared/region.ts`); the same for all workers of an edge. */
  readonly path: string;
  /** Of all workers together. */
  readonly byteLength: number;
  /** What this worker takes of its own in its place, where it cannot be had. */
  readonly insteadBytes: number;
}

export interface OpenedStorage {
  readonly storage: Storage;
  /** Why it is not as it was asked for; null: it is. */
  readonly problem: string | null;
}

export function openStorage({ ownBytes, shared }: StorageOptions): OpenedStorage {
  if (shared === null) return { storage: new MemoryStorage({ budgetBytes: ownBytes }), problem: null };
  const region = openRegion(shared.path, shared.byteLength);
  if ('reason' in region) {
    const storage = new MemoryStorage({ budgetBytes: ownBytes + shared.insteadBytes });
    return { storage, problem: `no shared memory: ${region.reason}` };
  }
  const large = new MemoryStorage({
    budgetBytes: ownBytes,
    objectShareOfBudget: STORAGE_LIMITS.largeObjectShareOfBudget,
    invalidations: region.invalidations,
  });
  const small = new SharedStorage({ region });
  return { storage: new TieredStorage(small, large, bodyBytesMaxOf(region.layout)), problem: null };
}
