/** A file that the system has not in memory: what reads it has to wait for the disk. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { cachedReader, NOT_AT_HAND } from '#platform/cached-read.ts';

/** Whether that could be done, and can be told: not in a file system in memory, and not without `dd`. */
export function makeCold(file: string): boolean {
  putOut(file);
  const descriptor = openSync(file, 'r');
  const isCold = cachedReader(new Uint8Array(1))(descriptor, 1, 0) === NOT_AT_HAND;
  closeSync(descriptor);
  // The system takes a look for a wish, and reads ahead.
  putOut(file);
  return isCold;
}

function putOut(file: string): void {
  spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
}
