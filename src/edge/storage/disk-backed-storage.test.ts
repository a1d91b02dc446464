import { afterAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileOnBun } from '../../../test/support/runtime.ts';
import { until } from '../../../test/support/until.ts';
import { bodyOf, bytesOf, folder, forgetIndex, MIB, open, store, written } from './disk/disk.cases.ts';
import { DiskBackedStorage } from './disk-backed-storage.ts';
import { openRegion } from './shared/region.ts';
import { SharedStorage } from './shared/shared-storage.ts';
import { makeStoredHead } from './storage.cases.ts';

fileOnBun('only Bun maps files');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

describe('memory in front of disks', () => {
  function stacked() {
    const region = openRegion(join(folder, `m${made++}`), MIB);
    if ('reason' in region) throw new Error(region.reason);
    const { invalidations } = region;
    const disks = [open({ invalidations }), open({ invalidations })];
    const memory = new SharedStorage({ region });
    const weighted = disks.map(({ storage }) => ({ storage, weight: 1 }));
    return { memory, disks, both: new DiskBackedStorage(memory, 20_000, weighted) };
  }

  test('what was pushed out of memory comes from a disk, and back to memory', async () => {
    const { memory, disks, both } = stacked();
    for (let i = 0; i < 500; i++) {
      store(both, `k${i}`, bytesOf(10_000, i));
      if (i % 20 === 0) await Promise.all(disks.map(written));
    }
    await Promise.all(disks.map(written));
    for (const { disk } of disks) expect(disk.figures().storedResponses).toBeGreaterThan(150);
    const gone = Array.from({ length: 500 }, (_, i) => i).filter((i) => memory.peek(`k${i}`).length === 0);
    expect(gone.length).toBeGreaterThan(300);
    for (const i of gone) expect(await bodyOf(both, `k${i}`)).toEqual(bytesOf(10_000, i));
    // Of several lookups one brings it back.
    const last = `k${gone.at(-1)}`;
    await until('it is in memory', () => both.lookup(last).length === 1 && memory.peek(last).length === 1);
    await both.close();
  });

  test('of a variant only the newest stays, wherever it is, also after memory has gone', async () => {
    const { memory, disks, both } = stacked();
    for (const length of [10, 50_000, 20, 60_000, 30]) {
      store(both, 'k', bytesOf(length, length));
      expect(both.lookup('k').map(({ bodyLength }) => bodyLength)).toEqual([length]);
      await Promise.all(disks.map(written));
      memory.forget('k', makeStoredHead());
      expect(both.lookup('k').map(({ bodyLength }) => bodyLength)).toEqual([length]);
    }
    expect(both.remove('k')).toBe(1);
    expect(both.lookup('k')).toEqual([]);
    await both.close();
  });

  test('a removal of a URL reaches its kinds on every disk, also after the index has gone', async () => {
    const { disks, both } = stacked();
    const kinds = Array.from({ length: 20 }, (_, i) => `http://a/x c.kind=${i}`);
    for (const key of kinds) store(both, key, bytesOf(50_000, 1));
    await Promise.all(disks.map(written));
    both.remove('http://a/x');
    for (const key of kinds) expect(both.lookup(key)).toEqual([]);
    store(both, kinds[0] as string, bytesOf(40_000, 2));
    await both.close();
    for (const { name } of disks) {
      forgetIndex(name);
      const again = open({ name });
      await again.disk.recovered;
      for (const key of kinds.slice(1)) expect(again.storage.lookup(key)).toEqual([]);
      await again.storage.close();
    }
  });
});
