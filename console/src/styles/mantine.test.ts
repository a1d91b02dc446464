import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SOURCES = dirname(import.meta.dir);
const STYLES = join(SOURCES, '..', '..', 'node_modules', '@mantine', 'core', 'styles');

test('every Mantine component in use has its style sheet', () => {
  const sheets = readFileSync(join(import.meta.dir, 'mantine.css'), 'utf8');
  const used = new Set<string>();
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.tsx')) continue;
    const source = readFileSync(join(SOURCES, file), 'utf8');
    for (const [, names] of source.matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
      for (const name of (names ?? '').split(',')) used.add(name.trim());
    }
  }
  expect(used.has('Button')).toBe(true);
  const missing = [...used].filter(
    (name) => existsSync(join(STYLES, `${name}.css`)) && !sheets.includes(`/${name}.css"`),
  );
  expect(missing).toEqual([]);
});
