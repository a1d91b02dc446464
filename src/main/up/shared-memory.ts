/**
 * Where the workers of this machine's edge share memory: in the system's own place for that, under a name that is this
 * data directory's, so that what a former one had stored is never taken for this one's.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '#platform/atomic-file.ts';
import type { UpOptions } from './options.ts';

const SYSTEM_FOLDER = '/dev/shm';
const ID_FILE = 'storage-id';
const ID = /^[0-9a-f]{16}$/;

/** Null: each worker keeps what it stores in memory of its own. */
export function sharedMemoryPath({ dataDirectory, memoryFile }: UpOptions): string | null {
  if (memoryFile === null) return null;
  if (memoryFile === undefined && !existsSync(SYSTEM_FOLDER)) return null;
  return `${memoryFile ?? join(SYSTEM_FOLDER, 'perigee')}-${idOf(dataDirectory)}`;
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
