import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { NameSet, startsWithName } from './name-set.ts';

const NAMES = ['te', 'via', 'content-length', 'keep-alive', 'upgrade', 'x-real-ip', 'x_own'];

/** Names near those of the set: parts of them, in both cases, with what looks alike when only bits are compared. */
const nearNames = fc
  .array(
    fc.constantFrom(...NAMES, 'T', 'E', 'e', '-', '_', 'x', '\r', 'D', 'ÿ', '@', '`', 'LENGTH', 'Content'),
    {
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));

describe('a set of names', () => {
  test('knows its members in whatever case, and nothing else', () => {
    const set = new NameSet(NAMES);
    for (const name of NAMES) expect(set.has(name) && set.has(name.toUpperCase())).toBe(true);
    fc.assert(
      fc.property(fc.oneof(nearNames, fc.string()), (name) => {
        expect(set.has(name)).toBe(NAMES.includes(name.toLowerCase()));
      }),
      { numRuns: 5_000 },
    );
    expect(new NameSet([]).has('')).toBe(false);
    expect(set.has('')).toBe(false);
  });

  test('where "_" counts as "-", knows them by that spelling too', () => {
    const members = NAMES.filter((name) => !name.includes('_'));
    const set = new NameSet(members, true);
    expect(set.has('X_Real-IP')).toBe(true);
    fc.assert(
      fc.property(nearNames, (name) => {
        expect(set.has(name)).toBe(members.includes(name.toLowerCase().replaceAll('_', '-')));
      }),
      { numRuns: 5_000 },
    );
  });

  test('members that share a place are told apart', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `x-${i.toString(36)}-name`);
    const set = new NameSet(many.filter((_, i) => i % 2 === 0));
    expect(many.filter((name) => set.has(name))).toEqual(many.filter((_, i) => i % 2 === 0));
  });
});

test('beginnings of names are found in whatever case', () => {
  expect(startsWithName('X-Forwarded-For', 'x-forwarded-')).toBe(true);
  expect(startsWithName('X-Forwarded', 'x-forwarded-')).toBe(false);
  expect(startsWithName('X_Forwarded_For', 'x-forwarded-')).toBe(false);
  expect(startsWithName('X_Forwarded_For', 'x-forwarded-', '-'.charCodeAt(0))).toBe(true);
  expect(startsWithName('anything', '')).toBe(true);
});
