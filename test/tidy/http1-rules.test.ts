/** The rules of HTTP/1.1 name tests that exist. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dir, '../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/spec/http1.md'), 'utf8');

const files = new Map(
  [...DOCUMENT.matchAll(/^\| ([a-z]+) \| `([^`]+)` \|$/gm)].map(([, letters = '', path = '']) => [
    letters,
    readFileSync(join(ROOT, path), 'utf8'),
  ]),
);

/** Of each rule: its id and the tests that show it, as written. */
const rules = [...DOCUMENT.matchAll(/^\| (H1-\S+) \|.*\| ([^|]+) \|$/gm)].map(([, id = '', shown = '']) => ({
  id,
  shown: [...shown.matchAll(/(?:^|; )([a-z]+): (.*?)(?=; [a-z]+: |$)/g)].map(
    ([, letters = '', name = '']) => ({
      letters,
      name: name.trim(),
    }),
  ),
}));

describe('docs/spec/http1.md', () => {
  test('has rules, each under an id of its own and shown by a test', () => {
    expect(rules.length).toBeGreaterThan(80);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(rules.filter(({ shown }) => shown.length === 0)).toEqual([]);
  });

  test('names tests that exist, and no file in vain', () => {
    const missing = rules.flatMap(({ id, shown }) =>
      shown
        .filter(({ letters, name }) => !files.get(letters)?.replaceAll("\\'", "'").includes(name))
        .map(({ letters, name }) => `${id}: ${letters}: ${name}`),
    );
    expect(missing).toEqual([]);
    const named = new Set(rules.flatMap(({ shown }) => shown.map(({ letters }) => letters)));
    expect([...files.keys()].filter((letters) => !named.has(letters))).toEqual([]);
  });
});
