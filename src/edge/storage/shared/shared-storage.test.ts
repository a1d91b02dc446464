import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { fileOnBun } from '../../../../test/support/runtime.ts';
import { MemoryStorage } from '../memory/memory-storage.ts';
import { describeStorage, makeStoredHead, readAll } from '../storage.cases.ts';
import type { Storage, StoredResponse } from '../storage.ts';
import { TieredStorage } from '../tiered-storage.ts';
import { openRegion, type Region } from './region.ts';
import { SharedStorage } from './shared-storage.ts';

fileOnBun('only Bun maps files');

const folder = mkdtempSync(join(tmpdir(), 'perigee-shared-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;
const MIB = 1024 * 1024;

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

/** Two workers of one edge. */
function twoWorkers(): [SharedStorage, SharedStorage] {
  const path = join(folder, `m${made++}`);
  return [new SharedStorage({ region: open(MIB, path) }), new SharedStorage({ region: open(MIB, path) })];
}

function store(storage: Storage, key: string, body: string, overrides: Partial<StoredHead> = {}) {
  const { sequence } = storage.invalidations;
  const writer = storage.admit(key, makeStoredHead({ sequence, ...overrides }), body.length);
  writer?.write(Buffer.from(body));
  return writer?.finish() ?? null;
}

async function bodiesIn(storage: Storage, key: string): Promise<string[]> {
  const found = storage.lookup(key);
  return await Promise.all(
    found.map(async (each) => Buffer.from(await readAll(each.open(0, 99))).toString()),
  );
}

describe('two workers', () => {
  test('find what the other stored, replaced, freshened and removed', async () => {
    const [one, two] = twoWorkers();
    const first = store(one, 'k', 'first') as StoredResponse;
    expect(await bodiesIn(two, 'k')).toEqual(['first']);
    const second = store(two, 'k', 'second') as StoredResponse;
    expect(await bodiesIn(one, 'k')).toEqual(['second']);
    expect(one.freshen('k', first, makeStoredHead())).toBeNull();
    const [known] = one.lookup('k');
    expect(one.freshen('k', known as StoredResponse, makeStoredHead({ respondedAt: 7 }))).not.toBeNull();
    expect(two.lookup('k').map(({ head }) => head.respondedAt)).toEqual([7]);
    expect(two.freshen('k', second, makeStoredHead())).toBeNull();
    expect(two.remove('k')).toBe(1);
    expect(one.lookup('k')).toEqual([]);
    expect(one.statistics().storedResponses).toBe(0);
  });

  test('what is read again is the same object while nothing of its bucket changed, and counts as used', () => {
    const [one, two] = twoWorkers();
    store(one, 'k', 'body');
    const [first] = two.lookup('k');
    expect(two.lookup('k')[0]).toBe(first as StoredResponse);
    store(one, 'k', 'body');
    expect(two.lookup('k')[0]).not.toBe(first as StoredResponse);
    expect(two.statistics().hits).toBe(3);
    expect(one.statistics().hits).toBe(0);
  });

  test('a removal by one keeps a fill of the other from being published, of the URL and of its kinds', () => {
    const [one, two] = twoWorkers();
    const keys = ['http://a/x', 'http://a/x c.kind=1', 'http://a/y'];
    const { sequence } = one.invalidations;
    const writers = keys.map((key) => one.admit(key, makeStoredHead({ sequence }), 0));
    two.remove('http://a/x');
    expect(writers.map((writer) => writer?.finish() !== null)).toEqual([false, false, true]);
  });

  test('a removal of a URL reaches its kinds, those read before, too', () => {
    const [one, two] = twoWorkers();
    for (const kind of ['1', '2']) store(one, `http://a/x c.kind=${kind}`, kind);
    store(one, 'http://a/y c.kind=1', 'other');
    expect(two.lookup('http://a/x c.kind=1').length).toBe(1);
    one.remove('http://a/x');
    for (const worker of [one, two]) {
      expect(['1', '2'].flatMap((kind) => worker.lookup(`http://a/x c.kind=${kind}`))).toEqual([]);
      expect(worker.peek('http://a/y c.kind=1').length).toBe(1);
    }
    store(two, 'http://a/x c.kind=1', 'again');
    expect(one.lookup('http://a/x c.kind=1').length).toBe(1);
  });

  test('what one held before the other removed it can be read to its end', async () => {
    const [one, two] = twoWorkers();
    store(one, 'k', 'held');
    const [held] = one.lookup('k');
    two.remove('k');
    for (let i = 0; i < 1_000; i++) store(two, `other${i}`, 'x'.repeat(5_000));
    expect(Buffer.from(await readAll((held as StoredResponse).open(0, 4))).toString()).toBe('held');
  });

  test('what is stored outlives those who stored it', async () => {
    const path = join(folder, `m${made++}`);
    const former = new SharedStorage({ region: open(MIB, path) });
    store(former, 'k', 'kept');
    former.close();
    const successor = open(MIB, path);
    expect(successor.isAttached).toBe(true);
    expect(await bodiesIn(new SharedStorage({ region: successor }), 'k')).toEqual(['kept']);
  });
});

describe('what does not fit the form', () => {
  test('a head with a text of 64 KiB is refused and counted', () => {
    const [one] = twoWorkers();
    expect(store(one, 'k', 'body', { path: 'x'.repeat(70_000) })).toBeNull();
    expect(one.lookup('k')).toEqual([]);
    expect(one.statistics().refusals).toBe(1);
  });
});

describe('two tiers', () => {
  function tiers() {
    const region = open(MIB);
    const { invalidations } = region;
    const large = new MemoryStorage({ budgetBytes: 8 * MIB, objectShareOfBudget: 1 / 2, invalidations });
    const small = new SharedStorage({ region });
    return { small, large, both: new TieredStorage(small, large, 1_000) };
  }

  test('each body lies where its length belongs, known or not', () => {
    const { small, large, both } = tiers();
    store(both, 'small', 'x'.repeat(1_000));
    store(both, 'large', 'x'.repeat(1_001));
    for (const [key, length] of [
      ['grown', 1_500],
      ['not grown', 700],
    ] as const) {
      const writer = both.admit(key, makeStoredHead({ sequence: both.invalidations.sequence }), null);
      for (let at = 0; at < length; at += 100) writer?.write(new Uint8Array(100).fill(at / 100));
      const view = writer?.view(0);
      expect([view?.length, view?.[0], view?.at(-1)]).toEqual([length, 0, length / 100 - 1]);
      expect(writer?.finish()?.bodyLength).toBe(length);
    }
    expect(['small', 'not grown', 'large', 'grown'].map((key) => small.peek(key).length)).toEqual([
      1, 1, 0, 0,
    ]);
    expect(['small', 'not grown', 'large', 'grown'].map((key) => large.peek(key).length)).toEqual([
      0, 0, 1, 1,
    ]);
    expect(both.tiers().map(({ tier, storedResponses }) => [tier, storedResponses])).toEqual([
      ['shared memory', 2],
      ['memory', 2],
    ]);
    expect(both.statistics().storedResponses).toBe(4);
  });

  test('of a variant only the newest stays, whichever tier it is in', () => {
    const { small, large, both } = tiers();
    for (const length of [10, 2_000, 20, 3_000]) {
      store(both, 'k', 'x'.repeat(length));
      expect(both.lookup('k').map(({ bodyLength }) => bodyLength)).toEqual([length]);
    }
    expect([small.statistics().storedResponses, large.statistics().storedResponses]).toEqual([0, 1]);
  });

  test('variants of both are found, newest first', () => {
    const { both } = tiers();
    const variant = (value: string, respondedAt: number) => ({
      varyNames: ['x'],
      varyValues: [value],
      respondedAt,
    });
    store(both, 'k', 'x'.repeat(2_000), variant('a', 2));
    store(both, 'k', 'x', variant('b', 1));
    store(both, 'k', 'x', variant('c', 3));
    expect(both.lookup('k').map(({ head }) => head.varyValues[0])).toEqual(['c', 'a', 'b']);
    expect(both.remove('k')).toBe(3);
  });

  test('one that outgrows both is given up, and says so', () => {
    const { both } = tiers();
    const writer = both.admit('k', makeStoredHead({ sequence: both.invalidations.sequence }), null);
    expect(writer?.write(new Uint8Array(900))).toBe(true);
    expect(writer?.write(new Uint8Array(8 * MIB))).toBe(false);
    expect(writer?.finish()).toBeNull();
    expect(both.lookup('k')).toEqual([]);
  });
});
