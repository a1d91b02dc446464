/** A short fuzz of each storage that processes share; `npm run fuzz:storage` is the long one. */
import { expect, test } from 'bun:test';
import { fuzzStorage } from './fuzz.ts';
import { STORAGES } from './storages.ts';

test('disks that fail and are harmed: no wrong octet, and they work when that is over', async () => {
  const report = await fuzzStorage({
    seed: 11,
    operations: 40_000,
    workers: 2,
    killEveryMs: 400,
    bodyBytesMax: 600_000,
    hasFaults: true,
    storage: STORAGES.disk as (typeof STORAGES)[string],
  });
  expect(report.findings).toEqual([]);
  expect(report.operations).toBeGreaterThanOrEqual(40_000);
  expect(report.hits).toBeGreaterThan(2_000);
  expect(report.brokenOff).toBeGreaterThan(0);
});

test.each(Object.entries(STORAGES))(
  '%s: processes that are killed at random, and no wrong octet',
  async (_, storage) => {
    const options = {
      seed: 7,
      operations: 60_000,
      workers: 2,
      killEveryMs: 400,
      bodyBytesMax: 300_000,
      storage,
    };
    const { operations, hits, findings } = await fuzzStorage(options);
    expect(findings).toEqual([]);
    expect(operations).toBeGreaterThanOrEqual(60_000);
    expect(hits).toBeGreaterThan(10_000);
  },
);
