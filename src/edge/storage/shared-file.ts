/**
 * Files that an edge's workers map together: made by the first who comes, attached to by the others, and by those who
 * come after a crash or an upgrade. The name says the layout, the size and the boot of the machine it was made in, so
 * that whoever wants another makes another:
 *
 *   PATH-v1-268435456-7f3c09a1
 *
 * It is given the name when it is whole, and what has that name is never replaced: nobody takes away what another has
 * just made.
 */
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorMessage } from '#core/base/error-message.ts';
import { canMapFiles, mapFile } from '#platform/mapped-file.ts';
import { hasEnded, OWN_MARK } from '#platform/process-mark.ts';
import { textHash } from '#platform/text-hash.ts';
import { STORAGE_LIMITS } from './limits.ts';

/** Of memory, as mapped; the first page of a file says that it is ours, the others are zeros at first. */
export const PAGE_BYTES = 4_096;

export interface SharedFile {
  readonly file: string;
  /** Whether it was there before, with what it holds. */
  readonly isAttached: boolean;
}

/** "Perigee", and that it has been made whole. */
const MAGIC = 0x50_72_67_65;
const MAGIC_WORD = 0;
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';
/** What follows the path in the names of such files. */
const OURS = /^-v\d+-\d+-[0-9a-f]+(?:\.\d+\.new)?$/;
const UNFINISHED = /\.(\d+)\.new$/;
const WRITE_BYTES = 4 * 1024 * 1024;

/** The file of that layout and size (octets, whole pages) at `path`. Where it cannot be had, `reason` says why. */
export function openSharedFile(
  path: string,
  layoutVersion: number,
  byteLength: number,
): SharedFile | { readonly reason: string } {
  if (!canMapFiles) return { reason: 'this runtime cannot map files' };
  const file = `${path}-v${layoutVersion}-${byteLength}-${bootMark()}`;
  try {
    const isAttached = existsSync(file);
    const reason = isAttached ? null : make(path, file, byteLength);
    if (reason !== null) return { reason };
    return isUsable(file, byteLength) ? { file, isAttached } : { reason: `${file} is no storage of ours` };
  } catch (error) {
    return { reason: errorMessage(error) };
  }
}

/** Removes the files at `path`, of whatever layout and size. Who has one open keeps it. */
export function removeSharedFiles(path: string): void {
  for (const file of filesOf(path)) removeFile(file);
}

/** Whether the file is whole. */
function isUsable(file: string, byteLength: number): boolean {
  if (statSync(file).size !== byteLength) return false;
  return new Uint32Array(mapFile(file, 0, PAGE_BYTES))[MAGIC_WORD] === MAGIC;
}

/** Null when the file is there afterwards; else why not. */
function make(path: string, file: string, byteLength: number): string | null {
  for (const other of filesOf(path)) if (other !== file && !isBeingMade(other)) removeFile(other);
  const folder = dirname(file);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const needed = byteLength + STORAGE_LIMITS.sharedMemoryFreeBytesMin;
  if (free < needed) {
    return `${folder} has ${megabytes(free)} free, and ${megabytes(needed)} are needed`;
  }
  const unfinished = `${file}.${OWN_MARK}.new`;
  try {
    writeWhole(unfinished, byteLength);
    try {
      linkSync(unfinished, file);
    } catch (error) {
      // Another worker was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  } finally {
    removeFile(unfinished);
  }
  return null;
}

/** Every octet is written: what a file system in memory has not given out yet, it may refuse when it is touched. */
function writeWhole(file: string, byteLength: number): void {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    const zeros = new Uint8Array(WRITE_BYTES);
    const page = new Uint32Array(PAGE_BYTES / 4);
    page[MAGIC_WORD] = MAGIC;
    for (let at = 0; at < byteLength; ) {
      const part = at === 0 ? new Uint8Array(page.buffer) : zeros;
      at += writeSync(descriptor, part, 0, Math.min(part.byteLength, byteLength - at), at);
    }
  } finally {
    closeSync(descriptor);
  }
}

function filesOf(path: string): string[] {
  const folder = dirname(path);
  const name = basename(path);
  return readdirSync(folder)
    .filter((entry) => entry.startsWith(name) && OURS.test(entry.slice(name.length)))
    .map((entry) => join(folder, entry));
}

/** By a worker that lives. */
function isBeingMade(file: string): boolean {
  const mark = UNFINISHED.exec(file)?.[1];
  return mark !== undefined && !hasEnded(Number(mark));
}

function removeFile(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Somebody else removed it, or it is not ours to remove: then it cannot be made anew either, and that says why.
  }
}

/** Where the boot has no name, all are one. */
function bootMark(): string {
  try {
    return textHash(readFileSync(BOOT_ID_FILE, 'latin1')).toString(16);
  } catch {
    return '0';
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
