/** A disk that does not answer at all, as a lost network file system does: nobody waits for it beyond a bound. */
import { afterAll, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_AT_HAND } from '#platform/cached-read.ts';
import { createSilentLogger } from '#platform/log.ts';
import { fileOnBun } from '../../../../test/support/runtime.ts';
import { createBarrier } from '../../../../test/support/scripted-origin.ts';
import { ownInvalidations } from '../own-invalidations.ts';
import { makeStoredHead } from '../storage.cases.ts';
import { bytesOf, folder, MIB, store, written } from './disk.cases.ts';
import { Disk } from './disk.ts';
import { type DiskCalls, SYSTEM_CALLS } from './disk-calls.ts';
import { DiskStorage } from './disk-storage.ts';

fileOnBun('only Bun maps files');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openWith(name: string, calls: DiskCalls) {
  const invalidations = ownInvalidations();
  const own = join(folder, name);
  const log = createSilentLogger();
  const options = { byteLength: 256 * MIB, indexPath: `${own}-index`, invalidations, log, calls };
  const disk = Disk.open({ folder: own, ...options });
  if ('reason' in disk) throw new Error(disk.reason);
  const bounds = { fillBytesMax: 64 * MIB, objectBytesMax: 64 * MIB };
  return { name, folder: own, disk, storage: new DiskStorage({ disk, invalidations, ...bounds }) };
}

test('a fill gives up after one wait, and what it has taken is still there for its followers', async () => {
  const hang = createBarrier();
  const { storage } = openWith('hung-writes', {
    ...SYSTEM_CALLS,
    async write(...what) {
      await hang.opened;
      return SYSTEM_CALLS.write(...what);
    },
  });
  const body = bytesOf(40 * MIB, 1);
  const writer = storage.admit('k', makeStoredHead(), body.byteLength);
  let taken = 0;
  let waits = 0;
  while (taken < body.byteLength && writer?.write(body.subarray(taken, taken + 65_536)) === true) {
    taken += 65_536;
    const ready = writer.ready?.() ?? null;
    if (ready !== null) waits++;
    await ready;
  }
  expect(taken).toBeGreaterThan(4 * MIB);
  expect(taken).toBeLessThan(16 * MIB);
  expect(waits).toBe(1);
  const early = writer?.view(3 * MIB + 5);
  expect(early?.subarray(0, 100)).toEqual(body.subarray(3 * MIB + 5, 3 * MIB + 105));
  expect(writer?.finish()).toBeNull();
  expect(storage.tiers()[0]?.problem).toContain('slow');
  hang.open();
  await storage.close();
});

test('a lookup is a miss after one wait, and the disk is left alone for a while', async () => {
  const hang = createBarrier();
  let isHung = false;
  const opened = openWith('hung-reads', {
    ...SYSTEM_CALLS,
    cachedReader: (bytes) => {
      const reader = SYSTEM_CALLS.cachedReader(bytes);
      return (...what) => (isHung ? NOT_AT_HAND : reader(...what));
    },
    async read(...what) {
      if (isHung) await hang.opened;
      return SYSTEM_CALLS.read(...what);
    },
  });
  const { storage } = opened;
  for (const key of ['a', 'b']) store(storage, key, bytesOf(1_000, 1));
  await written(opened);
  isHung = true;
  const cold = storage.lookupAtOnce('a');
  expect(cold).toBeInstanceOf(Promise);
  await cold;
  expect(storage.lookup('a')).toEqual([]);
  // Nobody else waits.
  expect(storage.lookupAtOnce('b')).toEqual([]);
  expect(storage.tiers()[0]?.problem).toContain('cannot be read');
  hang.open();
  await storage.close();
});
