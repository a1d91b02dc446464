/**
 * Where this machine's edge keeps responses: the memory that its workers share, in the system's own place for that, and
 * disks. Under names that are this data directory's, so that what a former one had stored is never taken for this one's.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { removeSharedFiles } from '#edge/storage/shared-file.ts';
import { writeFileAtomically } from '#platform/atomic-file.ts';
import { textHash } from '#platform/text-hash.ts';
import type { UpOptions } from './options.ts';

export interface StoragePlaces {
  /** Null: each worker keeps what it stores in memory of its own. */
  readonly sharedMemory: string | null;
  readonly disks: readonly DiskPlace[];
}

export interface DiskPlace {
  readonly folder: string;
  readonly byteLength: number;
  readonly indexPath: string;
}

const SYSTEM_FOLDER = '/dev/shm';
const ID_FILE = 'storage-id';
const ID = /^[0-9a-f]{16}$/;

/** Throws AppError `invalid` when disks have nowhere to keep their index. */
export function storagePlaces({ dataDirectory, memoryFile, disks }: UpOptions): StoragePlaces {
  const isPossible = memoryFile !== null && (memoryFile !== undefined || existsSync(SYSTEM_FOLDER));
  if (!isPossible) {
    if (disks.length === 0) return { sharedMemory: null, disks: [] };
    throw new AppError('invalid', '--disk: there is no /dev/shm here; name another place with --memory-file');
  }
  const id = idOf(dataDirectory);
  const sharedMemory = `${memoryFile ?? join(SYSTEM_FOLDER, 'perigee')}-${id}`;
  return {
    sharedMemory,
    disks: disks.map(({ path, byteLength }) => ({
      folder: join(path, `perigee-${id}`),
      byteLength,
      indexPath: `${sharedMemory}.disk-${textHash(path).toString(16)}`,
    })),
  };
}

/** Memory that nobody uses any more is given back; what is on disks stays, and its index is made again from there. */
export function removeMemory({ sharedMemory, disks }: StoragePlaces): void {
  for (const path of [sharedMemory, ...disks.map(({ indexPath }) => indexPath)]) {
    if (path !== null) removeSharedFiles(path);
  }
}

/** Made by chance at the directory's first start. */
function idOf(dataDirectory: string): string {
  const file = join(dataDirectory, ID_FILE);
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (ID.test(known)) return known;
  const id = randomBytes(8).toString('hex');
  writeFileAtomically(file, `${id}\n`, 0o600);
  return id;
}
