import { afterAll } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStorage } from '../memory/memory-storage.ts';
import { describeStorage } from '../storage.cases.ts';
import { TieredStorage } from '../tiered-storage.ts';
import { openRegion, type Region } from './region.ts';
import { SharedStorage } from './shared-storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'perigee-shared-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

function open(budgetBytes: number, path = join(folder, `m${made++}`)): Region {
  const region = openRegion(path, budgetBytes);
  if ('reason' in region) throw new Error(region.reason);
  return region;
}

describeStorage({
  name: 'shared memory',
  create: ({ budgetBytes, ...bounds }) => new SharedStorage({ region: open(budgetBytes), ...bounds }),
  largeBodyBytes: 200_000,
});

describeStorage({
  name: 'shared memory with more for large bodies',
  create: ({ budgetBytes, ...bounds }) => {
    const region = open(budgetBytes);
    const { invalidations } = region;
    const large = new MemoryStorage({ budgetBytes, objectShareOfBudget: 1 / 2, invalidations, ...bounds });
    return new TieredStorage(
      new SharedStorage({ region }),
      large,
      Math.min(bounds.objectBytesMax ?? 8_192, 8_192),
    );
  },
  largeBodyBytes: 700_000,
});
