import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Purge, PurgeTarget } from '#core/model/purge.ts';
import { exampleHead } from './example-head.cases.ts';
import { PurgeTable } from './purge-table.ts';
import type { StoredHead } from './stored-head.ts';

const purge = (position: number, target: PurgeTarget): Purge => ({ position, target, requestedAt: 0 });
const everything = (siteId = 'shop'): PurgeTarget => ({ kind: 'everything', siteId });
const tag = (name: string, siteId = 'shop'): PurgeTarget => ({ kind: 'tag', siteId, tag: name });
const prefix = (text: string, siteId = 'shop'): PurgeTarget => ({ kind: 'prefix', siteId, prefix: text });
const url = (text: string): PurgeTarget => ({ kind: 'url', url: text });
const SMALL = { perSiteMax: 3, totalMax: 5, urlsMax: 4 };

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
  ];
  for (const [rule, target, head, expected] of cases) {
    test(`${rule} ${JSON.stringify(target)} ${JSON.stringify(head)} → ${expected}`, () => {
      const table = new PurgeTable();
      table.apply(purge(5, target));
      expect(table.position).toBe(5);
      expect(table.isPurged(exampleHead({ ...head, purgePosition: 4 }))).toBe(expected);
      expect(table.isPurged(exampleHead({ ...head, purgePosition: 5 }))).toBe(false);
    });
  }

  test('PU1 order does not matter, the highest position counts', () => {
    const table = new PurgeTable();
    table.apply(purge(9, tag('a')));
    table.apply(purge(3, tag('a')));
    table.apply(purge(8, everything()));
    table.apply(purge(2, everything()));
    expect(table.position).toBe(9);
    expect(table.isPurged(exampleHead({ purgePosition: 7 }))).toBe(true);
    expect(table.isPurged(exampleHead({ purgePosition: 8 }))).toBe(false);
    expect(table.isPurged(exampleHead({ purgePosition: 8, tags: ['a'] }))).toBe(true);
  });

  test('PU3 a fill that began before a purge of its URL is not published', () => {
    const table = new PurgeTable();
    table.apply(purge(5, url('https://h.example/a')));
    table.apply(purge(6, url('not a url')));
    expect(table.isPurgedSince('http://h.example/a', 4)).toBe(true);
    expect(table.isPurgedSince('https://h.example/a', 5)).toBe(false);
    expect(table.isPurgedSince('https://h.example/b', 4)).toBe(false);
  });

  test('PU4 too many URL purges: fills begun before the forgotten ones are purged', () => {
    const table = new PurgeTable(SMALL);
    for (let i = 1; i <= 4; i++) table.apply(purge(i, url(`http://h.example/${i}`)));
    expect(table.isPurgedSince('http://h.example/1', 0)).toBe(true);
    expect(table.isPurgedSince('http://h.example/other', 1)).toBe(true);
    expect(table.isPurgedSince('http://h.example/other', 2)).toBe(false);
    expect(table.isPurgedSince('http://h.example/4', 3)).toBe(true);
  });

  test('PU4 too many purges of a site become one of everything', () => {
    const table = new PurgeTable(SMALL);
    table.apply(purge(1, tag('a')));
    table.apply(purge(2, tag('b')));
    table.apply(purge(3, prefix('/x')));
    expect(table.isPurged(exampleHead({ purgePosition: 2 }))).toBe(false);
    table.apply(purge(4, prefix('/y')));
    expect(table.isPurged(exampleHead({ purgePosition: 3 }))).toBe(true);
    expect(table.isPurged(exampleHead({ purgePosition: 4 }))).toBe(false);
    table.apply(purge(5, tag('c')));
    expect(table.isPurged(exampleHead({ purgePosition: 4 }))).toBe(false);
    expect(table.isPurged(exampleHead({ purgePosition: 4, tags: ['c'] }))).toBe(true);
    expect(table.isPurged(exampleHead({ siteId: 'blog', purgePosition: 0 }))).toBe(false);
  });

  test('PU4 never less is purged than was ordered', () => {
    const targets = fc.oneof(
      fc.constantFrom('a', 'b', 'c', 'd', 'e').map((name) => tag(name)),
      fc.constantFrom('/', '/a', '/ab', '/b', '/c').map((text) => prefix(text)),
      fc.constantFrom('a', 'b').map((name) => tag(name, 'blog')),
      fc.constant(everything()),
      fc.constantFrom('a', 'b', 'c', 'd').map((name) => url(`http://h/${name}`)),
    );
    const head = fc.record({
      siteId: fc.constantFrom('shop', 'blog'),
      path: fc.constantFrom('/a', '/abc', '/b', '/'),
      tags: fc.subarray(['a', 'b', 'c']),
      purgePosition: fc.nat(40),
    });
    fc.assert(
      fc.property(fc.array(targets, { maxLength: 40 }), head, (orders, changes) => {
        const table = new PurgeTable(SMALL);
        orders.forEach((target, index) => {
          table.apply(purge(index + 1, target));
        });
        const stored = exampleHead(changes);
        const isOrdered = orders.slice(changes.purgePosition).some((target) => {
          if (target.kind === 'url' || target.siteId !== stored.siteId) return false;
          if (target.kind === 'tag') return stored.tags.includes(target.tag);
          return target.kind === 'everything' || stored.path.startsWith(target.prefix);
        });
        if (isOrdered) expect(table.isPurged(stored)).toBe(true);
        if (changes.purgePosition >= orders.length) expect(table.isPurged(stored)).toBe(false);
        for (const name of ['a', 'b', 'c', 'd']) {
          const isUrlOrdered = orders
            .slice(changes.purgePosition)
            .some((target) => target.kind === 'url' && target.url === `http://h/${name}`);
          if (isUrlOrdered) expect(table.isPurgedSince(`http://h/${name}`, changes.purgePosition)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
