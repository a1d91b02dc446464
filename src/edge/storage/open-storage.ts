/** A worker's storage from what it is told: shared with the other workers where that can be had, else of its own. */
import type { Logger } from '#platform/log.ts';
import { Disk } from './disk/disk.ts';
import type { DiskCalls } from './disk/disk-calls.ts';
import { DiskStorage } from './disk/disk-storage.ts';
import { DiskBackedStorage, type DiskOfStorage } from './disk-backed-storage.ts';
import { STORAGE_LIMITS } from './limits.ts';
import { MemoryStorage } from './memory/memory-storage.ts';
import { bodyBytesMaxOf } from './shared/layout.ts';
import { openRegion, type Region } from './shared/region.ts';
import { SharedStorage } from './shared/shared-storage.ts';
import type { Storage } from './storage.ts';
import { TieredStorage } from './tiered-storage.ts';

export interface StorageOptions {
  /** Memory of this worker's own, bytes: for everything, or beside shared memory for what is too large for that. */
  readonly ownBytes: number;
  /** Null: everything in memory of its own. */
  readonly shared: SharedMemoryOptions | null;
  /** Behind shared memory alone; none unless said. */
  readonly disks?: readonly DiskTierOptions[];
}

export interface SharedMemoryOptions {
  /** Where the file is made, with a suffix (`shared-file.ts`); the same for all workers of an edge. */
  readonly path: string;
  /** Of all workers together. */
  readonly byteLength: number;
  /** What this worker takes of its own in its place, where it cannot be had. */
  readonly insteadBytes: number;
}

export interface DiskTierOptions {
  /** A folder of this edge's own. */
  readonly folder: string;
  readonly byteLength: number;
  /** Where the workers' index of it is made, with a suffix. */
  readonly indexPath: string;
  /** What each worker may write in a second, bytes; null: as much as comes. */
  readonly writeBytesPerSecond: number | null;
  /** As of `DiskOptions`. */
  readonly calls?: DiskCalls;
  readonly retryMs?: number;
}

export interface OpenedStorage {
  readonly storage: Storage;
  /** Why it is not as it was asked for; null: it is. */
  readonly problem: string | null;
}

export function openStorage(options: StorageOptions, log: Logger): OpenedStorage {
  const { ownBytes, shared, disks = [] } = options;
  if (shared === null) return { storage: new MemoryStorage({ budgetBytes: ownBytes }), problem: null };
  const region = openRegion(shared.path, shared.byteLength);
  if ('reason' in region) {
    const storage = new MemoryStorage({ budgetBytes: ownBytes + shared.insteadBytes });
    const without = disks.length === 0 ? '' : ', which disks need, too';
    return { storage, problem: `no shared memory${without}: ${region.reason}` };
  }
  const small = new SharedStorage({ region });
  const smallBytesMax = bodyBytesMaxOf(region.layout);
  const { opened, problems } = openDisks(disks, ownBytes, region, log);
  const problem = problems.length === 0 ? null : problems.join('; ');
  if (opened.length > 0) return { storage: new DiskBackedStorage(small, smallBytesMax, opened), problem };
  const large = new MemoryStorage({
    budgetBytes: ownBytes,
    objectShareOfBudget: STORAGE_LIMITS.largeObjectShareOfBudget,
    invalidations: region.invalidations,
  });
  return { storage: new TieredStorage(small, large, smallBytesMax), problem };
}

function openDisks(
  disks: readonly DiskTierOptions[],
  ownBytes: number,
  { invalidations }: Region,
  log: Logger,
): { opened: DiskOfStorage[]; problems: string[] } {
  const opened: DiskOfStorage[] = [];
  const problems: string[] = [];
  for (const { writeBytesPerSecond, ...options } of disks) {
    const { folder, byteLength } = options;
    const disk = Disk.open({ ...options, invalidations, log });
    if ('reason' in disk) {
      problems.push(`${folder} is not used: ${disk.reason}`);
      continue;
    }
    const objectBytesMax = Math.min(
      byteLength * STORAGE_LIMITS.objectShareOfDisk,
      STORAGE_LIMITS.diskObjectBytesMax,
    );
    const bounds = { fillBytesMax: ownBytes, objectBytesMax, writeBytesPerSecond };
    opened.push({ storage: new DiskStorage({ disk, invalidations, ...bounds }), weight: byteLength });
  }
  return { opened, problems };
}
