import { afterAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createSilentLogger } from '#platform/log.ts';
import { fileOnBun } from '../../../../test/support/runtime.ts';
import { until } from '../../../../test/support/until.ts';
import { ownInvalidations } from '../own-invalidations.ts';
import { describeStorage, makeStoredHead, readAll } from '../storage.cases.ts';
import type { StoredResponse } from '../storage.ts';
import {
  bodyOf,
  bytesOf,
  folder,
  forgetIndex,
  MIB,
  type Opened,
  open,
  store,
  written,
} from './disk.cases.ts';
import { Disk } from './disk.ts';
import { verifyDisk } from './verify.ts';

fileOnBun('only Bun maps files');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeStorage({
  name: 'disk',
  create: ({ objectBytesMax = 16 * MIB }) => open({ objectBytesMax }).storage,
  largeBodyBytes: 700_000,
  evictsSingly: false,
});

describe('what is on a disk', () => {
  test('is read from there, small and large, whole and in parts', async () => {
    const opened = open();
    const { storage } = opened;
    const bodies = [0, 1, 5_000, 262_144, 262_145, 1_048_576, 3_500_000].map(bytesOf);
    bodies.forEach((body, i) => void store(storage, `k${i}`, body));
    await written(opened);
    for (const [i, body] of bodies.entries()) {
      expect(await bodyOf(storage, `k${i}`)).toEqual(body);
      const [stored] = storage.lookup(`k${i}`);
      expect(stored?.prepared.lines).toContain('ETag: "one"');
      expect(stored?.body === null).toBe(body.byteLength > 262_144);
    }
    const [large] = storage.lookup('k6') as [StoredResponse];
    for (const [start, end] of [
      [1_048_570, 1_048_590],
      [3_499_999, 3_500_000],
      [0, 2_100_000],
      [7, 7],
    ] as const) {
      expect(await readAll(large.open(start, end))).toEqual((bodies[6] as Uint8Array).subarray(start, end));
    }
    await storage.close();
  });

  test('is a head alone when it is freshened, if it is large', async () => {
    const opened = open();
    const { storage, disk } = opened;
    const body = bytesOf(3_000_000, 1);
    store(storage, 'k', body);
    await written(opened);
    const [old] = storage.lookup('k') as [StoredResponse];
    const before = disk.figures().chargedBytes;
    expect(storage.freshen('k', old, makeStoredHead({ respondedAt: 9 }))).not.toBeNull();
    expect(storage.freshen('k', old, makeStoredHead({ respondedAt: 10 }))).toBeNull();
    await written(opened);
    expect(disk.figures().chargedBytes - before).toBeLessThan(2_000);
    expect(storage.lookup('k').map(({ head }) => head.respondedAt)).toEqual([9]);
    expect(await bodyOf(storage, 'k')).toEqual(body);
    await storage.close();
  });

  test('two workers share', async () => {
    const invalidations = ownInvalidations();
    const [one, two] = [open({ name: 'shared', invalidations }), open({ name: 'shared', invalidations })];
    for (const [i, worker] of [one, two].entries()) store(worker.storage, `k${i}`, bytesOf(300_000, i));
    await written(one);
    await two.disk.writer.flush();
    await until('both are there', () => one.disk.figures().storedResponses === 2);
    for (const { storage } of [one, two]) {
      for (const i of [0, 1]) expect(await bodyOf(storage, `k${i}`)).toEqual(bytesOf(300_000, i));
    }
    one.storage.remove('k1');
    expect(two.storage.lookup('k1')).toEqual([]);
    await one.storage.close();
    await two.storage.close();
  });
});

describe('after the index has gone', () => {
  test('it is made again from the segments', async () => {
    const first = open({ name: 'again' });
    for (let i = 0; i < 40; i++) store(first.storage, `k${i}`, bytesOf(i * 20_000, i));
    await written(first);
    // Replaced, freshened and removed before: what counts is the last.
    store(first.storage, 'k1', bytesOf(77, 7));
    first.storage.remove('k2');
    await written(first);
    const stored = first.disk.figures().storedResponses;
    await first.storage.close();
    forgetIndex('again');
    const second = open({ name: 'again' });
    await second.disk.recovered;
    expect(second.disk.figures().storedResponses).toBe(stored);
    expect(second.storage.lookup('k2')).toEqual([]);
    expect(await bodyOf(second.storage, 'k1')).toEqual(bytesOf(77, 7));
    for (let i = 3; i < 40; i++)
      expect(await bodyOf(second.storage, `k${i}`)).toEqual(bytesOf(i * 20_000, i));
    await second.storage.close();
  });

  test('also from one that was never sealed, as far as it is whole', async () => {
    const first = open({ name: 'unsealed' });
    for (let i = 0; i < 20; i++) store(first.storage, `k${i}`, bytesOf(5_000, i));
    await written(first);
    // Its worker is killed while it writes the last record.
    const [file = ''] = readdirSync(first.folder).filter((name) => name.endsWith('.seg'));
    truncateSync(join(first.folder, file), 20 * 5_312 - 100);
    forgetIndex('unsealed');
    const second = open({ name: 'unsealed' });
    await second.disk.recovered;
    const found = await Promise.all(Array.from({ length: 20 }, (_, i) => bodyOf(second.storage, `k${i}`)));
    expect(found.filter((body) => body !== null).length).toBeGreaterThanOrEqual(19);
    for (const [i, body] of found.entries()) if (body !== null) expect(body).toEqual(bytesOf(5_000, i));
    await second.storage.close();
  });

  test('of one segment the last of a name counts', async () => {
    const first = open({ name: 'last' });
    for (const length of [10, 20, 30]) {
      store(first.storage, 'k', bytesOf(length, length));
      await written(first);
    }
    await first.storage.close();
    forgetIndex('last');
    const second = open({ name: 'last' });
    await second.disk.recovered;
    expect(await bodyOf(second.storage, 'k')).toEqual(bytesOf(30, 30));
    await second.storage.close();
  });

  test('of two workers’ segments that overlap in time the newer response counts', async () => {
    const name = 'overlap';
    const invalidations = ownInvalidations();
    const [one, two] = [open({ name, invalidations }), open({ name, invalidations })];
    // The first worker's segment is the older one, and gets the newer response.
    store(one.storage, 'first', bytesOf(10, 0));
    await written(one);
    for (const [key, opened, seconds] of [
      ['k', two, 10],
      ['k', one, 20],
      ['other', one, 30],
      ['other', two, 40],
    ] as const) {
      store(opened.storage, key, bytesOf(seconds, seconds), { respondedAt: seconds * 1000 });
      await opened.disk.writer.flush();
    }
    await one.storage.close();
    await two.storage.close();
    forgetIndex(name);
    const later = open({ name });
    await later.disk.recovered;
    expect(await bodyOf(later.storage, 'k')).toEqual(bytesOf(20, 20));
    expect(await bodyOf(later.storage, 'other')).toEqual(bytesOf(40, 40));
    expect(later.disk.figures().storedResponses).toBe(3);
    await later.storage.close();
  });

  test('a removal that came while it was made again is not undone', async () => {
    const first = open({ name: 'meanwhile' });
    for (let i = 0; i < 30; i++) store(first.storage, `k${i}`, bytesOf(10, i));
    await written(first);
    await first.storage.close();
    forgetIndex('meanwhile');
    const second = open({ name: 'meanwhile' });
    second.storage.remove('k5');
    await second.disk.recovered;
    expect(second.storage.lookup('k5')).toEqual([]);
    expect(second.storage.lookup('k6').length).toBe(1);
    await second.storage.close();
  });

  test('nothing older comes back over what was stored meanwhile', async () => {
    const first = open({ name: 'newer' });
    store(first.storage, 'k', bytesOf(10, 1));
    await written(first);
    await first.storage.close();
    forgetIndex('newer');
    const second = open({ name: 'newer' });
    expect(store(second.storage, 'k', bytesOf(20, 2))).not.toBeNull();
    await second.disk.recovered;
    await written(second);
    expect(await bodyOf(second.storage, 'k')).toEqual(bytesOf(20, 2));
    await second.storage.close();
  });

  test('on a disk of another size, what fits is there', async () => {
    const first = open({ name: 'size', byteLength: 4096 * MIB });
    await first.disk.recovered;
    for (let i = 0; i < 30; i++) store(first.storage, `k${i}`, bytesOf(200_000, i));
    await first.storage.close();
    const larger = open({ name: 'size', byteLength: 8192 * MIB });
    await larger.disk.recovered;
    expect(await bodyOf(larger.storage, 'k7')).toEqual(bytesOf(200_000, 7));
    await larger.storage.close();
    // A segment of these has 4 MiB.
    const smaller = open({ name: 'size', byteLength: 64 * MIB });
    await smaller.disk.recovered;
    expect(smaller.storage.lookup('k7')).toEqual([]);
    expect(readdirSync(smaller.folder).filter((name) => name.endsWith('.seg'))).toEqual([]);
    await smaller.storage.close();
  });

  test('a segment that cannot be read is left out, and the others are there', async () => {
    const first = open({ name: 'damaged' });
    store(first.storage, 'k0', bytesOf(10, 0));
    await first.storage.close();
    const second = open({ name: 'damaged' });
    store(second.storage, 'k1', bytesOf(10, 1));
    await second.storage.close();
    forgetIndex('damaged');
    writeSync(openSync(join(second.folder, '1.seg'), 'r+'), new Uint8Array(64).fill(0xff), 0, 64, 0);
    const third = open({ name: 'damaged' });
    await third.disk.recovered;
    expect(third.storage.lookup('k0')).toEqual([]);
    expect(await bodyOf(third.storage, 'k1')).toEqual(bytesOf(10, 1));
    await third.storage.close();
  });
});

describe('a full disk', () => {
  /** Segments are of 4 MiB: this is several times what there is room for. */
  async function fillOver(opened: Opened, rounds: number, look: () => void): Promise<number> {
    let taken = 0;
    for (let i = 0; i < rounds; i++) {
      // The second time it is asked for.
      for (const _ of [1, 2]) if (store(opened.storage, `f${i}`, bytesOf(200_000, i)) !== null) taken++;
      look();
      await opened.disk.writer.flush();
    }
    await written(opened);
    return taken;
  }

  test('gives up what is oldest, keeps what is used, and stays within its size', async () => {
    const opened = open();
    const { storage, disk } = opened;
    for (let i = 0; i < 5; i++) store(storage, `hot${i}`, bytesOf(100_000, i));
    store(storage, 'large', bytesOf(1_400_000, 9));
    await written(opened);
    await fillOver(opened, 900, () => {
      for (let i = 0; i < 5; i++) storage.lookup(`hot${i}`);
      // Of what is large, what is read counts as used.
      void bodyOf(storage, 'large');
    });
    const sizes = readdirSync(opened.folder).filter((name) => name.endsWith('.seg')).length * 4;
    expect(sizes).toBeLessThanOrEqual(64);
    expect(disk.figures().chargedBytes).toBeLessThanOrEqual(64 * MIB);
    expect(disk.figures().evictions).toBeGreaterThan(100);
    for (let i = 0; i < 5; i++) expect(await bodyOf(storage, `hot${i}`)).toEqual(bytesOf(100_000, i));
    expect(await bodyOf(storage, 'large')).toEqual(bytesOf(1_400_000, 9));
    expect(storage.lookup('f0')).toEqual([]);
    // What it gave up does not come back, and what it moved does.
    const stored = disk.figures().storedResponses;
    expect(stored).toBeGreaterThan(100);
    await storage.close();
  });

  test('takes what is asked for a second time', async () => {
    const opened = open();
    await fillOver(opened, 400, () => {});
    await until('it is full', () => opened.disk.isFull);
    expect(store(opened.storage, 'once', bytesOf(10, 1))).toBeNull();
    await until('there is room', () => store(opened.storage, 'once', bytesOf(10, 1)) !== null);
    expect(opened.storage.statistics().refusals).toBeGreaterThan(0);
    await opened.storage.close();
  });

  test('who reads what it gives up reads to the end', async () => {
    const opened = open();
    const body = bytesOf(2_500_000, 1);
    store(opened.storage, 'held', body);
    await written(opened);
    const [held] = opened.storage.lookup('held') as [StoredResponse];
    const source = held.open(0, body.byteLength);
    const first = (await source.read()) as Uint8Array;
    opened.storage.remove('held');
    await fillOver(opened, 500, () => {});
    expect(existsSync(join(opened.folder, '1.seg'))).toBe(false);
    expect(Buffer.concat([first, await readAll(source)]).equals(body)).toBe(true);
    await opened.storage.close();
  });

  test('is written within a budget', async () => {
    const opened = open({ writeBytesPerSecond: 100_000 });
    await until('there is some', () => store(opened.storage, 'first', bytesOf(3_000_000, 1)) !== null);
    // It has been spent for a while.
    expect(store(opened.storage, 'second', bytesOf(10, 2))).toBeNull();
    expect(store(opened.storage, 'second', bytesOf(10, 2))).toBeNull();
    await opened.storage.close();
  });
});

describe('a disk that is damaged or fails', () => {
  test('octets that were changed are never served: small ones are not found, a large body breaks off', async () => {
    const opened = open();
    const { storage } = opened;
    store(storage, 'small', bytesOf(10_000, 1));
    await written(opened);
    const largeAt = 10_000 + 1_000;
    store(storage, 'large', bytesOf(3_000_000, 2));
    await written(opened);
    const descriptor = openSync(join(opened.folder, '1.seg'), 'r+');
    writeSync(descriptor, new Uint8Array([1, 2, 3]), 0, 3, 5_000);
    writeSync(descriptor, new Uint8Array([1, 2, 3]), 0, 3, largeAt + 1_500_000);
    expect(storage.lookup('small')).toEqual([]);
    const [large] = storage.lookup('large') as [StoredResponse];
    expect(large.bodyLength).toBe(3_000_000);
    expect(readAll(large.open(0, 3_000_000))).rejects.toThrow('damaged');
    await storage.close();
  });

  test('reading everything finds what was changed, and nothing else', async () => {
    const opened = open();
    for (let i = 0; i < 12; i++) store(opened.storage, `k${i}`, bytesOf(i * 100_000, i));
    await written(opened);
    expect(await verifyDisk(opened.folder)).toMatchObject({
      segments: 2,
      openSegments: 1,
      damagedRecords: 0,
    });
    await opened.storage.close();
    const whole = await verifyDisk(opened.folder);
    // Three whole ones, nine heads, and their ten chunks.
    expect(whole).toMatchObject({ openSegments: 0, damagedRecords: 0, records: 22 });
    const file = join(opened.folder, '1.seg');
    writeSync(openSync(file, 'r+'), new Uint8Array([1, 2, 3]), 0, 3, 50_000);
    const { damagedRecords, damaged } = await verifyDisk(opened.folder);
    expect(damagedRecords).toBe(1);
    expect(damaged[0]?.file).toBe(file);
  });

  test('segments that have gone are misses', async () => {
    const opened = open({ name: 'gone' });
    store(opened.storage, 'k', bytesOf(10, 1));
    await written(opened);
    await opened.storage.close();
    rmSync(opened.folder, { recursive: true });
    mkdirSync(opened.folder);
    const second = open({ name: 'gone' });
    expect(second.storage.lookup('k')).toEqual([]);
    expect(second.disk.state.problem).toBeNull();
    await second.storage.close();
  });

  test('one that vanishes keeps nothing, says so, and throws nothing', async () => {
    const opened = open();
    store(opened.storage, 'k', bytesOf(10, 1));
    await written(opened);
    await opened.disk.writer.close();
    rmSync(opened.folder, { recursive: true });
    store(opened.storage, 'other', bytesOf(10, 1));
    expect(opened.storage.lookup('other')).toEqual([]);
    expect(opened.storage.tiers()[0]?.problem).toContain('cannot be written: ENOENT');
    expect(store(opened.storage, 'other', bytesOf(10, 1))).toBeNull();
    opened.storage.remove('k');
    await opened.storage.close();
  });

  test('one that has no room left keeps what it has, and says so', async () => {
    const place = join(folder, 'small');
    mkdirSync(place);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', place]);
    if (mounted.status !== 0) {
      process.stdout.write('skipped: file systems cannot be mounted here\n');
      return;
    }
    try {
      const opened = open({ name: 'small/disk' });
      for (let i = 0; i < 100; i++) {
        store(opened.storage, `k${i}`, bytesOf(200_000, i));
        // Several writes are under way when the first one fails.
        if (i % 20 === 19) await opened.disk.writer.flush();
      }
      await opened.disk.writer.flush();
      expect(opened.storage.tiers()[0]?.problem).toContain('cannot be written: ENOSPC');
      expect(opened.disk.writer.pendingBytes).toBe(0);
      expect(await bodyOf(opened.storage, 'k0')).toEqual(bytesOf(200_000, 0));
      expect(opened.storage.lookup('k99')).toEqual([]);
      await opened.storage.close();
    } finally {
      spawnSync('umount', ['-l', place]);
    }
  });

  test('one that cannot be had says why', () => {
    const invalidations = ownInvalidations();
    const log = createSilentLogger();
    const common = { byteLength: 64 * MIB, invalidations, log };
    const folderless = { ...common, folder: '/proc/nothing', indexPath: join(folder, 'x') };
    expect(Disk.open(folderless)).toMatchObject({ reason: expect.stringMatching(/ENOENT|EACCES/) });
    const indexless = { ...common, folder: join(folder, 'indexless'), indexPath: '/nonexistent/x' };
    expect(Disk.open(indexless)).toMatchObject({ reason: expect.stringContaining('ENOENT') });
  });
});
