/** The documents and the repository agree: paths that they name exist, and their links lead somewhere. */
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dir, '../..');
const DOCUMENTS = [
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
];

/** In backticks, below a folder of ours: `src/edge`, `docs/api.md`. What is made later (`dist`) is not named. */
const NAMED_PATH = /`((?:src|test|bench|docs|demo|console|scripts|\.ci)\/[\w./-]*)`/g;
const LINK = /\]\(([^)\s]+)\)/g;

function found(pattern: RegExp, text: string): string[] {
  return [...text.matchAll(pattern)].map(([, path = '']) => path);
}

/** The name that a heading is linked by: lower case, without punctuation, spaces as hyphens. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function leadsSomewhere(document: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
}

describe('documents', () => {
  for (const document of DOCUMENTS) {
    const text = readFileSync(join(ROOT, document), 'utf8');

    test(`${document} names paths that exist`, () => {
      expect(found(NAMED_PATH, text).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    });

    test(`${document} links to what is there`, () => {
      expect(found(LINK, text).filter((link) => !leadsSomewhere(document, link))).toEqual([]);
    });
  }

  test('ask npm for scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const asked = DOCUMENTS.flatMap((document) =>
      found(/\bnpm run ([\w:]+)/g, readFileSync(join(ROOT, document), 'utf8')),
    );
    expect(asked.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  test('are there where the code refers to them', () => {
    const named = ['src', 'demo', 'console/src', 'bench', 'scripts'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(tsx?|mjs)$/.test(path))
        .map((path) => join(folder, path))
        .flatMap((path) =>
          found(/([\w./-]+\.md)\b/g, readFileSync(join(ROOT, path), 'utf8'))
            .filter((name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, dirname(path), name)))
            .map((name) => `${path}: ${name}`),
        ),
    );
    expect(named).toEqual([]);
  });

  test('are found, with paths and links in them', () => {
    const texts = DOCUMENTS.map((document) => readFileSync(join(ROOT, document), 'utf8')).join('\n');
    expect(found(NAMED_PATH, texts).length).toBeGreaterThan(30);
    expect(found(LINK, texts).length).toBeGreaterThan(3);
  });
});
