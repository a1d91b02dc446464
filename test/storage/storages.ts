/** The storages that are fuzzed, by name. */
import { join } from 'node:path';
import type { StorageOptions } from '#edge/storage/open-storage.ts';

const MIB = 1024 * 1024;

export const STORAGES: Readonly<Record<string, (folder: string) => StorageOptions>> = {
  shared: (folder) => ({
    ownBytes: 2 * MIB,
    shared: { path: join(folder, 'memory'), byteLength: 4 * MIB, insteadBytes: 0 },
  }),
  disk: (folder) => ({
    ownBytes: 16 * MIB,
    shared: { path: join(folder, 'memory'), byteLength: 2 * MIB, insteadBytes: 0 },
    disks: ['one', 'two'].map((name) => ({
      folder: join(folder, name),
      byteLength: 64 * MIB,
      indexPath: join(folder, `index-${name}`),
      writeBytesPerSecond: null,
    })),
  }),
};
