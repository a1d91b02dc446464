/** What a disk's segments are reached by: the system, unless a test puts something in between that breaks. */
import {
  close,
  closeSync,
  constants,
  fdatasync,
  openSync,
  type PathLike,
  read,
  readSync,
  unlink,
  write,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type CachedReader, cachedReader } from '#platform/cached-read.ts';

/** An open segment, as whoever takes stock of it needs it. */
export type SegmentHandle = Pick<FileHandle, 'stat' | 'read' | 'write' | 'truncate' | 'datasync' | 'close'>;

/** Each throws, or rejects with, what the system says. */
export interface DiskCalls {
  /** A new file, to be written; what is there already is left alone. */
  createSync(path: string): number;
  /** To be read. */
  openSync(path: string): number;
  closeSync(descriptor: number): void;
  /** To be read and written. */
  open(path: string): Promise<SegmentHandle>;
  close(descriptor: number): Promise<void>;
  /** Into the first octets of `bytes`; how many there were. */
  readSync(descriptor: number, bytes: Uint8Array, byteLength: number, at: number): number;
  /** The same of what was read and checked before, and has been in the system's memory since. */
  readHeldSync(descriptor: number, bytes: Uint8Array, byteLength: number, at: number): number;
  read(descriptor: number, bytes: Uint8Array, byteLength: number, at: number): Promise<number>;
  cachedReader(bytes: Uint8Array): CachedReader;
  /** How many of the octets were written. */
  write(descriptor: number, bytes: Uint8Array, at: number): Promise<number>;
  datasync(descriptor: number): Promise<void>;
  unlink(path: PathLike): Promise<void>;
}

const readAsync = promisify(read);
const writeAsync = promisify(write);
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

export const SYSTEM_CALLS: DiskCalls = {
  createSync: (path) => openSync(path, CREATE, 0o600),
  openSync: (path) => openSync(path, 'r'),
  closeSync,
  open: (path) => open(path, 'r+'),
  close: promisify(close),
  readSync: (descriptor, bytes, byteLength, at) => readSync(descriptor, bytes, 0, byteLength, at),
  readHeldSync: (descriptor, bytes, byteLength, at) => readSync(descriptor, bytes, 0, byteLength, at),
  read: async (descriptor, bytes, byteLength, at) =>
    (await readAsync(descriptor, bytes, 0, byteLength, at)).bytesRead,
  cachedReader,
  write: async (descriptor, bytes, at) =>
    (await writeAsync(descriptor, bytes, 0, bytes.byteLength, at)).bytesWritten,
  datasync: promisify(fdatasync),
  unlink: promisify(unlink),
};
