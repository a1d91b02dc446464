/** The form of the code: which way imports flow, what is pure, how long things are, and that nothing is left over. */
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { roomOf } from './rooms.ts';
import { readSource, type SourceFile } from './source-file.ts';

const ROOT = join(import.meta.dir, '../..');
const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;

function sourcesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .filter((path) => !path.includes('node_modules/') && !path.includes('/dist/') && !path.endsWith('.d.ts'));
}

const files = new Map(
  ['src', 'demo', 'console', 'test', 'bench', 'scripts']
    .flatMap(sourcesUnder)
    .map((path): [string, SourceFile] => [path, readSource(ROOT, path)]),
);
const all = [...files.values()];
const isTest = (path: string) => /\.(test|cases)\.tsx?$/.test(path);
const product = all.filter(({ path }) => !isTest(path) && /^(src|demo|console)\//.test(path));

describe('imports', () => {
  test('flow one way between rooms', () => {
    const wrong = product.flatMap((file) => {
      const room = roomOf(file.path);
      if (room === null) return [`${file.path} belongs to no room`];
      return file.imports
        .filter((target) => files.has(target))
        .filter((target) => {
          const targetRoom = roomOf(target);
          return targetRoom === null || (targetRoom !== room && !room.mayImport.includes(targetRoom.path));
        })
        .map((target) => `${file.path} imports ${target}: ${room.path} ${room.why}`);
    });
    expect(wrong).toEqual([]);
  });

  test('name files that exist', () => {
    const missing = all.flatMap(({ path, imports }) =>
      imports
        .filter(
          (target) => /^(src|demo|console|test|bench|scripts)\/.*\.tsx?$/.test(target) && !files.has(target),
        )
        .map((target) => `${path} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });

  test('go around in no circle', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    function visit(path: string, trail: readonly string[]): void {
      if (trail.includes(path)) {
        circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
        return;
      }
      if (done.has(path)) return;
      for (const target of files.get(path)?.imports ?? [])
        if (files.has(target)) visit(target, [...trail, path]);
      done.add(path);
    }
    for (const { path } of product) visit(path, []);
    expect(circles).toEqual([]);
  });

  test('go to the file itself: no barrels', () => {
    expect(product.filter(({ hasStarExport }) => hasStarExport).map(({ path }) => path)).toEqual([]);
  });
});

describe('the core', () => {
  const core = product.filter(({ path }) => path.startsWith('src/core/'));

  test('is found', () => expect(core.length).toBeGreaterThan(20));

  test('imports no runtime module', () => {
    const wrong = core.flatMap(({ path, imports }) =>
      imports
        .filter((target) => /^(node|bun)(:|$)/.test(target))
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('reads neither clock nor chance', () => {
    expect(core.flatMap(({ path, ambient }) => ambient.map((name) => `${path}: ${name}`))).toEqual([]);
  });
});

test('the edge and its tests, which Node runs too, use nothing of Bun alone', () => {
  const bunOnly = /\bBun\.|\bimport\.meta\.(?:dir|path|file)\b|from 'bun(?!:test)/;
  const wrong = all.filter(
    ({ path, text }) =>
      /^(src\/edge|src\/core|test\/e2e\/(http|road))/.test(path) &&
      bunOnly.test(text) &&
      !text.includes('fileOnBun('),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

describe('sizes', () => {
  test(`no file is longer than ${FILE_LINES_MAX} lines`, () => {
    expect(
      all.filter(({ lines }) => lines > FILE_LINES_MAX).map(({ path, lines }) => `${path}: ${lines}`),
    ).toEqual([]);
  });

  test(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
    const long = product.flatMap(({ path, functions }) =>
      functions
        .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
        .map(({ line, lines }) => `${path}:${line}: ${lines}`),
    );
    expect(long).toEqual([]);
  });
});

describe('nothing is left over', () => {
  /** Files that are started from outside, by a command, the supervisor, or the console's page. */
  const STARTERS = ['package.json', 'console/build.ts', 'scripts/run-step.ts', 'scripts/bootstrap.mjs'].map(
    (path) => readFileSync(join(ROOT, path), 'utf8'),
  );
  const isRoot = (path: string) =>
    path === 'src/main/perigee.ts' ||
    path.startsWith('src/main/parts/') ||
    files.get(path)?.text.includes('import.meta.main') === true ||
    STARTERS.some((text) => text.includes(path) || text.includes(`'${path.replace('console/src/', '')}'`));

  test('every file is used', () => {
    const reached = new Set<string>();
    const queue = product.filter(({ path }) => isRoot(path)).map(({ path }) => path);
    for (const { path } of all) if (/^(bench|scripts)\//.test(path)) queue.push(path);
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      queue.push(...(files.get(path)?.imports ?? []).filter((target) => files.has(target)));
      // Workers and parts are started by path, not imported.
      for (const [, file = ''] of files
        .get(path)
        ?.text.matchAll(/new URL\('\.\/([\w./-]+)', import\.meta\.url\)/g) ?? []) {
        queue.push(join(path, '..', file));
      }
    }
    expect(product.filter(({ path }) => !reached.has(path)).map(({ path }) => path)).toEqual([]);
  });

  test('no reminder of work undone', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
    expect(all.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
