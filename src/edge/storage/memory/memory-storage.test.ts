import { describe, expect, test } from 'bun:test';
import { Invalidations, invalidationBytes } from '#core/caching/invalidations.ts';
import { describeStorage, makeStoredHead } from '../storage.cases.ts';
import { hashText } from './ghost-table.ts';
import { MemoryStorage } from './memory-storage.ts';
import { S3Fifo } from './s3-fifo.ts';
import type { UseQueue } from './use-queue.ts';

describeStorage({
  name: 'memory storage',
  create: (options) => new MemoryStorage(options),
  largeBodyBytes: 700_000,
});

/** Invalidations of which another worker makes one just when this worker has been told that there is none. */
class Untimely extends Invalidations {
  isArmed = false;

  override isUrlInvalidated(urlKey: string, sequence: number): boolean {
    const isInvalidated = super.isUrlInvalidated(urlKey, sequence);
    if (this.isArmed) this.addUrl(urlKey);
    this.isArmed = false;
    return isInvalidated;
  }
}

describe('memory storage beside shared memory', () => {
  test.each(['k', 'k c.kind=1'])(
    'a removal by another worker as it is published is not missed: %s',
    (key) => {
      const slots = 64;
      const memory = new ArrayBuffer(invalidationBytes(slots));
      const invalidations = new Untimely({ memory, slots, hash: hashText, startedAt: 1 });
      const storage = new MemoryStorage({ budgetBytes: 1024 * 1024, invalidations });
      for (const isFirst of [true, false]) {
        const { sequence } = invalidations;
        const writer = storage.admit(key, makeStoredHead({ sequence, varyValues: [String(isFirst)] }), 0);
        invalidations.isArmed = true;
        writer?.finish();
        expect(invalidations.isArmed).toBe(false);
        expect(storage.lookup(key)).toEqual([]);
      }
      storage.close();
    },
  );
});

describe('memory storage alone', () => {
  test('a completed body is one contiguous piece with little waste', () => {
    const storage = new MemoryStorage({ budgetBytes: 32 * 1024 * 1024 });
    const writer = storage.admit('k', makeStoredHead(), null);
    for (let i = 0; i < 33; i++) writer?.write(new Uint8Array(50_000).fill(i));
    const body = writer?.finish()?.body;
    expect(body?.byteLength).toBe(1_650_000);
    expect(body?.buffer.byteLength).toBeLessThan(1_650_000 * 1.2);
    expect(body?.[1_649_999]).toBe(32);
    storage.close();
  });
});

class Item {
  readonly hash: number;
  queue: UseQueue<Item> | null = null;
  older: Item | null = null;
  newer: Item | null = null;
  uses = 0;
  bytes = 1;

  constructor(name: string) {
    this.hash = hashText(name);
  }
}

describe('S3-FIFO', () => {
  test('the unused leave in order of arrival, and the queues empty', () => {
    const queues = new S3Fifo<Item>(100);
    const items = Array.from({ length: 20 }, (_, i) => new Item(`n${i}`));
    for (const item of items) queues.insert(item);
    expect(items.map(() => queues.evict())).toEqual(items);
    expect(queues.evict()).toBeNull();
    expect([queues.bytes, queues.size]).toEqual([0, 0]);
  });

  test('one seen again after its eviction goes to the main queue, where newcomers do not displace it', () => {
    const queues = new S3Fifo<Item>(100);
    queues.insert(new Item('returning'));
    queues.evict();
    const returning = new Item('returning');
    queues.insert(returning);
    for (let i = 0; i < 100; i++) {
      queues.insert(new Item(`new${i}`));
      if (i >= 15) expect(queues.evict()).not.toBe(returning);
    }
    expect(returning.queue).not.toBeNull();
  });

  test('an eviction comes to an end however much everything is used', () => {
    const queues = new S3Fifo<Item>(10_000);
    const items = Array.from({ length: 10_000 }, (_, i) => new Item(`n${i}`));
    for (const item of items) queues.insert(item);
    for (const item of items) item.uses = 3;
    for (let i = 0; i < 10_000; i++) expect(queues.evict()).not.toBeNull();
    expect(queues.size).toBe(0);
  });
});
