import { describe, expect, test } from 'bun:test';
import { Collapse, collapseKeyOf, type FillOutcome } from './collapse.ts';
import { ROAD_LIMITS } from './limits.ts';

function begun(collapse: Collapse, cacheKey: string, collapseKey = cacheKey, siteId = 'shop') {
  const fill = collapse.begin(cacheKey, collapseKey, siteId);
  if (fill === null) throw new Error('no fill could be begun');
  return fill;
}

describe('request collapsing', () => {
  test('those who wait are told once, in order, within the turn', () => {
    const fill = begun(new Collapse(), 'k');
    const told: string[] = [];
    fill.wait((outcome) => told.push(`first ${outcome.kind}`));
    fill.wait((outcome) => told.push(`second ${outcome.kind}`));
    fill.settle({ kind: 'alone' });
    fill.settle({ kind: 'failed', error: new Error('late') });
    expect(told).toEqual(['first alone', 'second alone']);
    expect(fill.outcome?.kind).toBe('alone');
  });

  test('who has left is not told', () => {
    const fill = begun(new Collapse(), 'k');
    const told: FillOutcome[] = [];
    const waiter = (outcome: FillOutcome): number => told.push(outcome);
    fill.wait(waiter);
    fill.leave(waiter);
    fill.settle({ kind: 'alone' });
    expect(told).toEqual([]);
  });

  test('the order of arrival holds when the first has left, or others leave while they are told', () => {
    const fill = begun(new Collapse(), 'k');
    const told: string[] = [];
    const first = () => told.push('first');
    const fourth = () => told.push('fourth');
    fill.wait(first);
    fill.wait(() => {
      told.push('second');
      fill.leave(fourth);
    });
    fill.leave(first);
    expect(fill.waiters).toBe(1);
    fill.wait(() => told.push('third'));
    fill.wait(fourth);
    expect(fill.waiters).toBe(3);
    fill.settle({ kind: 'alone' });
    expect(told).toEqual(['second', 'third']);
    expect(fill.waiters).toBe(0);
  });

  test('waiters are bounded', () => {
    const fill = begun(new Collapse(), 'k');
    for (let i = 0; i < ROAD_LIMITS.waitersPerFillMax; i++) expect(fill.wait(() => undefined)).toBe(true);
    expect(fill.wait(() => undefined)).toBe(false);
  });

  test('a fetch is found by key and variant until it ends', () => {
    const collapse = new Collapse();
    const plain = begun(collapse, 'k');
    const german = begun(collapse, 'k', 'k de');
    expect(collapse.find('k', 'k')).toBe(plain);
    expect(collapse.find('k', 'k de')).toBe(german);
    expect(collapse.find('k', 'k fr')).toBeNull();
    collapse.end(plain);
    collapse.end(plain);
    expect(collapse.find('k', 'k')).toBeNull();
    expect(collapse.size).toBe(1);
    collapse.end(german);
    expect(collapse.size).toBe(0);
  });

  test('a detached fetch is not joined any more, and its end does not touch its successor', () => {
    const collapse = new Collapse();
    const before = begun(collapse, 'k');
    collapse.detachSite('other');
    expect(collapse.find('k', 'k')).toBe(before);
    collapse.detachSite('shop');
    const after = begun(collapse, 'k');
    expect(collapse.size).toBe(2);
    collapse.end(before);
    expect(collapse.find('k', 'k')).toBe(after);
    expect(collapse.size).toBe(1);
    expect(before.isInvalidated).toBe(false);
  });

  test('an invalidation reaches every fetch of the key but the one that caused it', () => {
    const collapse = new Collapse();
    const [listed, alone, own] = [
      begun(collapse, 'k'),
      collapse.beginAlone('k', 'shop'),
      collapse.beginAlone('k', 'shop'),
    ];
    const other = begun(collapse, 'other');
    collapse.invalidate('k', own);
    expect([listed, alone, own, other].map((fill) => fill?.isInvalidated)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(collapse.find('k', 'k')).toBeNull();
    for (const fill of [listed, alone, own, other]) if (fill !== null) collapse.end(fill);
    expect(collapse.size).toBe(0);
  });

  test('a key that could not be shared is remembered for a while, within bounds', () => {
    const collapse = new Collapse();
    collapse.markUncollapsible('private', 1_000);
    expect(collapse.isUncollapsible('private', 1_000)).toBe(true);
    expect(collapse.isUncollapsible('other', 1_000)).toBe(false);
    expect(collapse.isUncollapsible('private', 1_000 + ROAD_LIMITS.uncollapsibleMs)).toBe(false);
    collapse.markUncollapsible('first', 1_000);
    for (let i = 0; i < ROAD_LIMITS.uncollapsibleKeysMax; i++) collapse.markUncollapsible(`k${i}`, 1_000);
    expect(collapse.isUncollapsible('first', 1_000)).toBe(false);
    const late = `k${ROAD_LIMITS.uncollapsibleKeysMax / 2}`;
    expect(collapse.isUncollapsible(late, 1_000)).toBe(true);
    collapse.markCollapsible(late);
    expect(collapse.isUncollapsible(late, 1_000)).toBe(false);
  });

  test('variants have keys of their own, and absence is not an empty value', () => {
    const keys = [
      collapseKeyOf('k', [], []),
      collapseKeyOf('k', ['a'], ['']),
      collapseKeyOf('k', ['a'], [null]),
      collapseKeyOf('k', ['a', 'b'], ['1', '2']),
      collapseKeyOf('k', ['a', 'b'], ['1,b=2', null]),
    ];
    expect(keys[0]).toBe('k');
    expect(new Set(keys).size).toBe(keys.length);
  });
});
