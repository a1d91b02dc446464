import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { hashText } from '#core/base/mix32.ts';
import { exampleHead } from './example-head.cases.ts';
import { Invalidations, invalidationBytes } from './invalidations.ts';
import type { StoredHead } from './stored-head.ts';

const NOW = 1_767_225_600_000;

function make(slots = 1024, memory = new ArrayBuffer(invalidationBytes(slots)), startedAt = NOW) {
  return new Invalidations({ memory, slots, hash: hashText, startedAt });
}

function headNow(invalidations: Invalidations, changes: Partial<StoredHead> = {}): StoredHead {
  return exampleHead({ sequence: invalidations.sequence, ...changes });
}

describe('groups that an origin invalidates', () => {
  const tagged = { host: 'a.example', tags: ['x', 'y'] };

  test('IN2 all that was fetched before from that host, and nothing fetched after', () => {
    const invalidations = make();
    const before = headNow(invalidations, tagged);
    expect(invalidations.isInvalidated(before)).toBe(false);
    invalidations.addGroup('shop', 'a.example', 'y');
    const after = headNow(invalidations, tagged);
    expect([before, after].map((head) => invalidations.isInvalidated(head))).toEqual([true, false]);
    invalidations.addGroup('shop', 'a.example', 'y');
    expect(invalidations.isInvalidated(after)).toBe(true);
    for (const other of [{ host: 'b.example' }, { siteId: 'blog' }, { tags: ['z'] }]) {
      expect(invalidations.isInvalidated({ ...before, ...other })).toBe(false);
    }
  });
});

describe('what answers several queries', () => {
  test('NV3 is forgotten by an unsafe request for one of them', () => {
    const invalidations = make();
    const changes = { path: '/a?x=1', searchPath: '/a' };
    const before = headNow(invalidations, changes);
    invalidations.addSearches('shop', '/a?y');
    expect(invalidations.isInvalidated(before)).toBe(true);
    expect(invalidations.isInvalidated(headNow(invalidations, changes))).toBe(false);
    expect(invalidations.isInvalidated({ ...before, searchPath: null })).toBe(false);
    expect(invalidations.isInvalidated({ ...before, searchPath: '/b' })).toBe(false);
    expect(invalidations.isInvalidated({ ...before, siteId: 'blog' })).toBe(false);
  });
});

describe('URLs', () => {
  test('IN1 a fetch that began before is known by its number, and names are another matter', () => {
    const invalidations = make();
    const { sequence, tick } = invalidations;
    invalidations.addUrl('http://a.example/');
    expect(invalidations.tick).not.toBe(tick);
    expect(invalidations.isUrlInvalidated('http://a.example/', sequence)).toBe(true);
    expect(invalidations.isUrlInvalidated('http://a.example/', invalidations.sequence)).toBe(false);
    expect(invalidations.isUrlInvalidated('http://a.example/b', sequence)).toBe(false);
    // With one slot each, every URL is that URL, and still no name.
    const narrow = make(1);
    const head = headNow(narrow, { tags: ['x'], searchPath: '/a' });
    narrow.addUrl('http://a.example/');
    expect(narrow.isUrlInvalidated('http://other.example/', head.sequence)).toBe(true);
    expect(narrow.isInvalidated(head)).toBe(false);
  });
});

describe('the numbers', () => {
  test('are agreed on by all who share the memory', () => {
    const memory = new ArrayBuffer(invalidationBytes(64));
    const one = make(64, memory);
    const other = make(64, memory, NOW + 5_000);
    expect(other.sequence).toBe(one.sequence);
    const { sequence } = one;
    other.addUrl('u');
    expect(one.isUrlInvalidated('u', sequence)).toBe(true);
    expect(one.sequence).toBe(other.sequence);
  });

  test('of a later run are higher, also beyond what 32 bits hold', () => {
    const former = make();
    for (let i = 0; i < 100; i++) former.addUrl(`u${i}`);
    const later = make(1024, undefined, NOW + 1);
    expect(later.sequence).toBeGreaterThan(former.sequence);
    expect(later.sequence).toBeGreaterThan(2 ** 32);
    expect(Number.isSafeInteger(later.sequence)).toBe(true);
  });

  test('a higher one that another worker wrote for the same slot stays', () => {
    const slots = 1;
    const memory = new ArrayBuffer(invalidationBytes(slots));
    const invalidations = make(slots, memory);
    const high = BigInt(invalidations.sequence) + 1_000_000n;
    new BigInt64Array(memory)[1] = high;
    invalidations.addUrl('u');
    expect(invalidations.isUrlInvalidated('u', Number(high) - 1)).toBe(true);
  });

  test('whatever happens in whatever order: what began before is invalid, what began after is not', () => {
    const step = fc.record({ what: fc.constantFrom('url', 'group', 'path', 'fetch'), name: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const invalidations = make(1 << 14);
        const fetched: { at: number; name: number; head: StoredHead }[] = [];
        const last = new Map<string, number>();
        steps.forEach(({ what, name }, at) => {
          if (what === 'url') invalidations.addUrl(`u${name}`);
          else if (what === 'group') invalidations.addGroup('shop', 'www.example.com', `g${name}`);
          else if (what === 'path') invalidations.addSearches('shop', `/p${name}`);
          else {
            const head = headNow(invalidations, { tags: [`g${name}`], searchPath: `/p${name}` });
            fetched.push({ at, name, head });
          }
          last.set(`${what}${name}`, at);
        });
        const since = (what: string, name: number, at: number) => (last.get(`${what}${name}`) ?? -1) > at;
        for (const { at, name, head } of fetched) {
          expect(invalidations.isUrlInvalidated(`u${name}`, head.sequence)).toBe(since('url', name, at));
          const isNamed = since('group', name, at) || since('path', name, at);
          expect(invalidations.isInvalidated(head)).toBe(isNamed);
        }
      }),
    );
  });
});
