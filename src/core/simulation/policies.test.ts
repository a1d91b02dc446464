import { describe, expect, test } from 'bun:test';
import { makeWorkload, SeededChance } from '../../../test/support/workload.ts';
import { Lru } from './lru.ts';
import type { PolicyMaker } from './policy.ts';
import { S3Fifo } from './s3-fifo.ts';
import { Sieve } from './sieve.ts';

const POLICIES: Readonly<Record<string, PolicyMaker>> = {
  LRU: (capacity, objects) => new Lru(capacity, objects),
  SIEVE: (capacity, objects) => new Sieve(capacity, objects),
  'S3-FIFO': (capacity, objects) => new S3Fifo(capacity, objects),
};

/** Which of the requests, one letter each, were hits: `.` or `*`. */
function play(
  make: PolicyMaker,
  capacity: number,
  requests: string,
  sizes: Record<string, number> = {},
): string {
  const names = [...new Set(requests)];
  const bytes = Uint32Array.from(names, (name) => sizes[name] ?? 1);
  const policy = make(capacity, { count: names.length, bytes });
  return [...requests].map((name) => (policy.request(names.indexOf(name)) ? '*' : '.')).join('');
}

describe('policies', () => {
  test('LRU lets the least recently used go', () => {
    expect(play(POLICIES.LRU as PolicyMaker, 3, 'abcabcdabc')).toBe('...***....');
    expect(play(POLICIES.LRU as PolicyMaker, 3, 'abcadabd')).toBe('...*.*.*');
  });

  test('SIEVE spares the used once, and its hand goes on from where it was', () => {
    // The hand spares a, takes b, then c.
    expect(play(POLICIES.SIEVE as PolicyMaker, 3, 'abcadaeab')).toBe('...*.*.*.');
  });

  test('S3-FIFO keeps what was used while others pass by, and remembers who went', () => {
    const cold = [...'defghijklmnopqrstuvw'].join('');
    expect(play(POLICIES['S3-FIFO'] as PolicyMaker, 10, `aabb${cold}ab`).endsWith('**')).toBe(true);
    expect(play(POLICIES.LRU as PolicyMaker, 10, `aabb${cold}ab`).endsWith('..')).toBe(true);
    // x goes unused, is remembered, and stays when it comes again.
    expect(play(POLICIES['S3-FIFO'] as PolicyMaker, 10, 'xabcdefghijkxlmnopqrstx').endsWith('*')).toBe(true);
  });

  for (const [name, make] of Object.entries(POLICIES)) {
    test(`${name}: what is too large for the room is never kept, and pushes nothing out`, () => {
      expect(play(make, 10, 'aXaX', { X: 11 })).toBe('..*.');
    });

    test(`${name}: all fits, then all are hits but the first requests`, () => {
      const requests = [
        ...makeWorkload({
          seed: 3,
          requests: 5_000,
          objects: 200,
          alpha: 0.8,
          medianBytes: 1_000,
          spread: 1,
        }),
      ];
      const bytes = new Uint32Array(400);
      for (const request of requests) bytes[request.object] = request.bytes;
      const policy = make(100_000_000, { count: 400, bytes });
      const hits = requests.filter(({ object }) => policy.request(object)).length;
      expect(hits).toBe(5_000 - new Set(requests.map(({ object }) => object)).size);
    });
  }
});

describe('workloads', () => {
  const options = { seed: 5, requests: 20_000, objects: 1_000, alpha: 1, medianBytes: 5_000, spread: 1 };

  test('are the same from the same seed, and others from another', () => {
    expect([...makeWorkload(options)]).toEqual([...makeWorkload(options)]);
    expect([...makeWorkload(options)]).not.toEqual([...makeWorkload({ ...options, seed: 6 })]);
  });

  test('an object has one size, and half of them are below the median', () => {
    const sizes = new Map<number, number>();
    for (const { object, bytes } of makeWorkload(options)) {
      expect(sizes.get(object) ?? bytes).toBe(bytes);
      sizes.set(object, bytes);
    }
    const below = [...sizes.values()].filter((bytes) => bytes < 5_000).length / sizes.size;
    expect(below).toBeGreaterThan(0.44);
    expect(below).toBeLessThan(0.56);
  });

  test('scans and requests for what is asked for once are never repeated; drift replaces objects', () => {
    const counts = (more: object): number[] => {
      const seen = new Map<number, number>();
      for (const { object } of makeWorkload({ ...options, ...more }))
        seen.set(object, (seen.get(object) ?? 0) + 1);
      return [...seen.values()];
    };
    const plain = counts({}).length;
    expect(counts({ onceShare: 0.2 }).length).toBeGreaterThan(plain + 3_500);
    expect(counts({ scan: { every: 5_000, length: 100 } }).length).toBeGreaterThan(plain + 250);
    expect(counts({ drift: 0.5 }).length).toBeGreaterThan(plain + 200);
  });

  test('chance is spread evenly', () => {
    const chance = new SeededChance(1);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) sum += chance.next();
    expect(sum / 10_000).toBeCloseTo(0.5, 1);
  });
});
