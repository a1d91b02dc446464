import { afterAll, describe, expect, test } from 'bun:test';
import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { makeCold } from '../../../../test/support/cold-file.ts';
import { fileOnBun } from '../../../../test/support/runtime.ts';
import { ownInvalidations } from '../own-invalidations.ts';
import { readAll } from '../storage.cases.ts';
import type { StoredResponse } from '../storage.ts';
import { ColdReads } from './cold-reads.ts';
import { bytesOf, folder, type Opened, open, store, written } from './disk.cases.ts';

fileOnBun('only Bun maps files');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEYS = ['k0', 'k1', 'k2'];
const SIZES = [0, 10_000, 700_000];

/** A worker that has read nothing yet of a disk which nothing is in memory of; null: such cannot be had here. */
async function coldDisk(name: string): Promise<Opened | null> {
  const invalidations = ownInvalidations();
  const first = open({ name, invalidations });
  KEYS.forEach((key, i) => void store(first.storage, key, bytesOf(SIZES[i] as number, i)));
  await written(first);
  await first.storage.close();
  const files = readdirSync(first.folder).filter((file) => file.endsWith('.seg'));
  const areCold = files.map((file) => makeCold(join(first.folder, file))).every(Boolean);
  if (areCold) return open({ name, invalidations });
  process.stdout.write('skipped: no file can be put out of memory here\n');
  return null;
}

describe('what is on a disk and not in memory', () => {
  test('is not waited for, and found once it was read', async () => {
    const opened = await coldDisk('cold');
    if (opened === null) return;
    const { storage } = opened;
    for (const [i, key] of KEYS.entries()) {
      const cold = storage.lookupAtOnce(key);
      // Near the first one's the system may have read ahead.
      if (i === 0) expect(cold).toBeInstanceOf(Promise);
      await cold;
      const [stored] = storage.lookupAtOnce(key) as readonly StoredResponse[];
      expect(stored?.bodyLength).toBe(SIZES[i]);
      const body = await readAll((stored as StoredResponse).open(0, SIZES[i] as number));
      expect(body).toEqual(bytesOf(SIZES[i] as number, i));
    }
    // Counted when they were found, not when they were asked for.
    expect(storage.statistics().hits).toBeGreaterThanOrEqual(KEYS.length);
    expect(storage.lookupAtOnce('nothing')).toEqual([]);
    await storage.close();
  });

  test('is read once for all who ask for it meanwhile', async () => {
    const { storage, disk } = open();
    const reads = new ColdReads();
    const first = reads.bring(disk, 'k', []);
    expect(reads.bring(disk, 'k', [])).toBe(first);
    expect(reads.bring(disk, 'other', [])).not.toBe(first);
    await first;
    expect(reads.bring(disk, 'k', [])).not.toBe(first);
    await storage.close();
  });

  test('is found by a lookup that may wait', async () => {
    const opened = await coldDisk('waiting');
    if (opened === null) return;
    expect(opened.storage.lookup('k1').map(({ bodyLength }) => bodyLength)).toEqual([10_000]);
    expect(opened.storage.statistics().hits).toBe(1);
    await opened.storage.close();
  });

  test('counts for nothing where it has gone meanwhile, or cannot be read', async () => {
    const opened = await coldDisk('gone');
    if (opened === null) return;
    const { storage } = opened;
    const cold = storage.lookupAtOnce('k1');
    expect(cold).toBeInstanceOf(Promise);
    for (const file of readdirSync(opened.folder)) {
      if (file.endsWith('.seg')) truncateSync(join(opened.folder, file), 10);
    }
    await cold;
    expect(storage.lookup('k1')).toEqual([]);
    expect(storage.lookupAtOnce('k1')).toEqual([]);
    expect(storage.lookup('k0')).toEqual([]);
    await storage.close();
  });

  test('is let go of with the storage', async () => {
    const opened = await coldDisk('closed');
    if (opened === null) return;
    const cold = opened.storage.lookupAtOnce('k1');
    await opened.storage.close();
    await cold;
    expect(opened.storage.lookupAtOnce('k1')).toEqual([]);
  });
});
