/** Disks for tests, in a folder of the test's own, and what tests do with them. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { createSilentLogger } from '#platform/log.ts';
import { until } from '../../../../test/support/until.ts';
import { ownInvalidations } from '../own-invalidations.ts';
import { removeSharedFiles } from '../shared-file.ts';
import { makeStoredHead, readAll } from '../storage.cases.ts';
import type { Storage } from '../storage.ts';
import { Disk } from './disk.ts';
import { DiskStorage } from './disk-storage.ts';

export const MIB = 1024 * 1024;
/** The test removes it at its end. */
export const folder = mkdtempSync(join(tmpdir(), 'perigee-disk-'));
let made = 0;

export interface Opened {
  readonly name: string;
  readonly storage: DiskStorage;
  readonly disk: Disk;
  readonly folder: string;
}

interface Wish {
  readonly name?: string;
  readonly byteLength?: number;
  readonly objectBytesMax?: number;
  readonly writeBytesPerSecond?: number;
  readonly invalidations?: Invalidations;
}

export function open({ name = `d${made++}`, byteLength = 64 * MIB, ...wish }: Wish = {}): Opened {
  const { invalidations = ownInvalidations(), objectBytesMax = 16 * MIB, writeBytesPerSecond = null } = wish;
  const own = join(folder, name);
  const indexPath = join(folder, `${name}-index`);
  const disk = Disk.open({ folder: own, byteLength, indexPath, invalidations, log: createSilentLogger() });
  if ('reason' in disk) throw new Error(disk.reason);
  const bounds = { fillBytesMax: 32 * MIB, objectBytesMax, writeBytesPerSecond };
  return { name, storage: new DiskStorage({ disk, invalidations, ...bounds }), disk, folder: own };
}

/** As after a boot of the machine, or an end in order: what was in memory has gone. */
export function forgetIndex(name: string): void {
  removeSharedFiles(join(folder, `${name}-index`));
}

export function bytesOf(length: number, seed: number): Uint8Array {
  const pattern = Uint8Array.from({ length: 251 }, (_, i) => (i * 31 + seed * 7) & 255);
  return new Uint8Array(Buffer.alloc(length, pattern));
}

export function store(storage: Storage, key: string, body: Uint8Array, overrides: Partial<StoredHead> = {}) {
  const { sequence } = storage.invalidations;
  const writer = storage.admit(key, makeStoredHead({ sequence, ...overrides }), body.byteLength);
  if (body.byteLength > 0) writer?.write(body);
  return writer?.finish() ?? null;
}

export async function bodyOf(storage: Storage, key: string): Promise<Uint8Array | null> {
  const [stored] = storage.lookup(key);
  return stored === undefined ? null : await readAll(stored.open(0, stored.bodyLength));
}

/** Whatever waits is on the disk afterwards, and nothing is served from memory any more. */
export const written = ({ disk, storage }: Opened): Promise<void> =>
  until('it has been written', async () => {
    await disk.writer.flush();
    const { storedResponses } = storage.statistics();
    return storedResponses === disk.figures().storedResponses;
  }).then(() => undefined);
