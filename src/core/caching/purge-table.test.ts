import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Purge, PurgeTarget } from '#core/model/purge.ts';
import { EXAMPLE_AT, exampleHead } from './example-head.cases.ts';
import { isFresh } from './freshness.ts';
import { NOT_PURGED, PURGED, PurgeTable, pathOfUrl } from './purge-table.ts';
import { soften } from './soften.ts';
import type { StoredHead } from './stored-head.ts';

function purge(position: number, target: PurgeTarget, changes: Partial<Purge> = {}): Purge {
  const siteId = target.kind === 'url' ? 'shop' : target.siteId;
  return { position, siteId, target, soft: false, requestedAt: position * 1000, ...changes };
}
const everything = (siteId = 'shop'): PurgeTarget => ({ kind: 'everything', siteId });
const tag = (name: string, siteId = 'shop'): PurgeTarget => ({ kind: 'tag', siteId, tag: name });
const prefix = (text: string, siteId = 'shop'): PurgeTarget => ({ kind: 'prefix', siteId, prefix: text });
const host = (name: string, siteId = 'shop'): PurgeTarget => ({ kind: 'host', siteId, host: name });
const url = (text: string): PurgeTarget => ({ kind: 'url', url: text });
const at = (position: number, changes: Partial<StoredHead> = {}): StoredHead =>
  exampleHead({ purgePosition: position, softPurgePosition: position, ...changes });

/** What a purge names, the slow and obvious way. */
function names({ siteId, target }: Purge, head: StoredHead): boolean {
  if (siteId !== head.siteId) return false;
  switch (target.kind) {
    case 'everything':
      return true;
    case 'host':
      return head.host === target.host;
    case 'tag':
      return head.tags.includes(target.tag);
    case 'prefix':
      return head.path.startsWith(target.prefix);
    case 'url':
      return head.path === pathOfUrl(target.url);
  }
}

describe('purges', () => {
  const cases: [rule: string, target: PurgeTarget, head: Partial<StoredHead>, expected: boolean][] = [
    ['PU1', everything(), {}, true],
    ['PU1', everything('blog'), {}, false],
    ['PU2', tag('a'), { tags: ['b', 'a'] }, true],
    ['PU2', tag('a'), { tags: ['b'] }, false],
    ['PU2', tag('a', 'blog'), { tags: ['a'] }, false],
    ['PU2', prefix('/img'), { path: '/img/a.png' }, true],
    ['PU2', prefix('/img'), { path: '/img' }, true],
    ['PU2', prefix('/img/'), { path: '/img' }, false],
    ['PU2', prefix('/img'), { path: '/css' }, false],
    ['PU2', prefix('/caf%c3%a9'), { path: '/caf%C3%A9/x' }, true],
    ['PU2', prefix('/a%2'), { path: '/a%2F' }, true],
    ['PU2', prefix('/a?b'), { path: '/a?b=c' }, true],
    ['PU5', host('a.example'), { host: 'a.example' }, true],
    ['PU5', host('a.example'), { host: 'b.a.example' }, false],
    ['PU5', host('a.example', 'blog'), { host: 'a.example' }, false],
    ['CK2', url('https://h.example/x/../a?b#c'), { path: '/a?b', host: 'other.example' }, true],
    ['CK2', url('HTTP://H.example'), { path: '/' }, true],
    ['CK2', url('http://h.example/a'), { path: '/a?b' }, false],
    ['CK2', url('http://h.example/%zz'), { path: '/%zz' }, false],
  ];
  for (const [rule, target, head, expected] of cases) {
    test(`${rule} ${JSON.stringify(target)} ${JSON.stringify(head)} → ${expected}`, () => {
      const table = new PurgeTable();
      table.apply(purge(5, target));
      expect(table.position).toBe(5);
      expect(table.isPurged(at(4, head))).toBe(expected);
      expect(table.isPurged(at(5, head))).toBe(false);
      const soft = new PurgeTable();
      soft.apply(purge(5, target, { soft: true }));
      expect(soft.staleAsOf(at(4, head))).toBe(expected ? 5000 : NOT_PURGED);
      expect(soft.staleAsOf(at(5, head))).toBe(NOT_PURGED);
    });
  }

  test('PU1 order does not matter, the highest position counts', () => {
    const table = new PurgeTable();
    table.apply(purge(9, tag('a')));
    table.apply(purge(3, tag('a')));
    table.apply(purge(8, everything()));
    table.apply(purge(2, everything()));
    expect(table.position).toBe(9);
    expect(table.isPurged(at(7))).toBe(true);
    expect(table.isPurged(at(8))).toBe(false);
    expect(table.isPurged(at(8, { tags: ['a'] }))).toBe(true);
  });

  test('PU6 what a soft purge was taken into account for is still purged by an earlier hard one', () => {
    const table = new PurgeTable();
    table.apply(purge(1, tag('a'), { soft: true }));
    const softened = soften(at(0, { tags: ['a'] }), 1000, table.position);
    expect(table.staleAsOf(softened)).toBe(NOT_PURGED);
    table.apply(purge(2, everything()));
    expect(table.staleAsOf(softened)).toBe(PURGED);
    table.apply(purge(3, everything(), { soft: true }));
    expect(table.staleAsOf(at(0))).toBe(PURGED);
    expect(table.staleAsOf(at(2))).toBe(3000);
  });

  test.each<[lifetime: number, initialAge: number, purgedAfter: number, expected: number]>([
    [60, 0, 20, 20],
    [60, 5, 20, 25],
    [60, 0, 90, 60],
    [60, 0, 0, 0],
    [60, 0, -10, 0],
    [0, 30, 20, 0],
  ])('PU6 lifetime %d, initial age %d, purged after %d s: lifetime %d', (lifetime, age, after, expected) => {
    const head = at(0, { freshnessLifetimeSeconds: lifetime, initialAgeSeconds: age });
    const staleAsOf = EXAMPLE_AT + after * 1000;
    const softened = soften(head, staleAsOf, 7);
    expect(softened.freshnessLifetimeSeconds).toBe(expected);
    expect(softened.softPurgePosition).toBe(7);
    expect(softened.purgePosition).toBe(0);
    expect(isFresh(softened, Math.max(staleAsOf, EXAMPLE_AT))).toBe(false);
  });

  test('PU4 too many purges of a site: the older half becomes one of everything up to the last of them', () => {
    const table = new PurgeTable({ perSiteMax: 4, totalMax: 100 });
    for (let i = 1; i <= 4; i++) table.apply(purge(i, tag(`t${i}`)));
    expect(table.isPurged(at(0))).toBe(false);
    table.apply(purge(3, tag('t1')));
    table.apply(purge(5, prefix('/x')));
    // t2 (position 2) and one of those at 3 were the older half.
    expect(table.isPurged(at(2))).toBe(true);
    expect(table.isPurged(at(3))).toBe(false);
    expect(table.isPurged(at(3, { tags: ['t4'] }))).toBe(true);
    expect(table.isPurged(at(4, { path: '/x' }))).toBe(true);
    expect(table.isPurged(at(0, { siteId: 'blog' }))).toBe(false);
  });

  test('PU4 soft purges that are forgotten purge softly', () => {
    const table = new PurgeTable({ perSiteMax: 2, totalMax: 100 });
    for (let i = 1; i <= 3; i++) table.apply(purge(i, tag(`t${i}`), { soft: true }));
    expect(table.staleAsOf(at(0))).toBe(1000);
    expect(table.staleAsOf(at(1))).toBe(NOT_PURGED);
  });

  test('PU4 too many purges in all: the older half of all sites', () => {
    const table = new PurgeTable({ perSiteMax: 100, totalMax: 4 });
    table.apply(purge(1, tag('a', 'old')));
    table.apply(purge(2, tag('b', 'old')));
    table.apply(purge(3, tag('c', 'shop')));
    table.apply(purge(4, tag('d', 'shop')));
    table.apply(purge(5, tag('e', 'new')));
    expect(table.isPurged(at(1, { siteId: 'old' }))).toBe(true);
    expect(table.isPurged(at(2, { siteId: 'old' }))).toBe(false);
    expect(table.isPurged(at(0))).toBe(false);
    expect(table.isPurged(at(0, { siteId: 'new' }))).toBe(false);
    expect(table.isPurged(at(0, { siteId: 'new', tags: ['e'] }))).toBe(true);
  });

  const targets = fc.oneof(
    fc.constantFrom('a', 'b', 'c', 'd', 'e').map((name) => tag(name)),
    fc.constantFrom('/', '/a', '/ab', '/b', '/c').map((text) => prefix(text)),
    fc.constantFrom('a', 'b').map((name) => tag(name, 'blog')),
    fc.constantFrom('x.example', 'y.example').map((name) => host(name)),
    fc.constantFrom('shop', 'blog').map((siteId) => everything(siteId)),
    fc.constantFrom('a', 'abc', 'b', 'd').map((name) => url(`http://h/${name}`)),
  );
  const orders = fc.array(fc.record({ target: targets, soft: fc.boolean() }), { maxLength: 40 });
  const heads = fc.record({
    siteId: fc.constantFrom('shop', 'blog'),
    host: fc.constantFrom('x.example', 'y.example', 'z.example'),
    path: fc.constantFrom('/a', '/abc', '/b', '/'),
    tags: fc.subarray(['a', 'b', 'c']),
    purgePosition: fc.nat(40),
    seenLater: fc.nat(10),
  });
  const limits = fc.constantFrom(null, { perSiteMax: 3, totalMax: 5 }, { perSiteMax: 1, totalMax: 1 });
  test('PU4 against a list of all purges: the same without overflow, never less with it', () => {
    fc.assert(
      fc.property(orders, heads, limits, (given, { seenLater, ...changes }, limit) => {
        const table = limit === null ? new PurgeTable() : new PurgeTable(limit);
        const log = given.map(({ target, soft }, index) => purge(index + 1, target, { soft }));
        for (const entry of log) table.apply(entry);
        const softPurgePosition = changes.purgePosition + seenLater;
        const stored = exampleHead({ ...changes, softPurgePosition });
        const naming = log.filter((entry) => names(entry, stored));
        const isPurged = naming.some(({ soft, position }) => !soft && position > changes.purgePosition);
        const soft = naming.filter((entry) => entry.soft && entry.position > softPurgePosition);
        const actual = table.staleAsOf(stored);
        if (isPurged) expect(actual).toBe(PURGED);
        else if (soft.length > 0) expect(actual).toBeLessThan(NOT_PURGED);
        if (limit === null && !isPurged) {
          const moments = soft.map(({ requestedAt }) => requestedAt);
          if (soft.length === 0) expect(actual).toBe(NOT_PURGED);
          else expect(moments).toContain(actual);
        }
        if (changes.purgePosition >= log.length) expect(actual).toBe(NOT_PURGED);
      }),
      { numRuns: 2000 },
    );
  });
});

test('PU7 where the log is not known up to a position, all that was fetched before it is purged', () => {
  const table = new PurgeTable();
  table.forgetBefore(5);
  table.forgetBefore(3);
  expect(table.position).toBe(5);
  expect([table.isPurged(at(4)), table.isPurged(at(5))]).toEqual([true, false]);
  expect(table.isPurged(at(4, { siteId: 'unheard-of' }))).toBe(true);
  table.apply(purge(4, everything()));
  expect(table.isPurged(at(5))).toBe(false);
});

describe('what answers several queries', () => {
  const shared = (position: number) => at(position, { path: '/a?x=1', searchPath: '/a' });

  test('NV3 is named by any query of its path', () => {
    const table = new PurgeTable();
    table.apply(purge(1, url('http://h.example/a?y')));
    expect([table.isPurged(shared(0)), table.isPurged(shared(1))]).toEqual([true, false]);
    expect(table.isPurged(at(0, { path: '/a?x=1' }))).toBe(false);
    expect(table.isPurged(at(0, { path: '/b', searchPath: '/b' }))).toBe(false);
  });
});
