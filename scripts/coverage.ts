/**
 * `npm run coverage`: how much of the pure judgement its own tests reach. Runs the tests of the two folders on Node, takes
 * V8's counts of every process, and reads them against the syntax, so that each arm of `?:`, `&&`, `??`, `if` and `switch`
 * counts as a branch. Prints a table; fails when a branch in a folder was never taken, with its place.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import convert from 'ast-v8-to-istanbul';
import { type Program, parseSync } from 'oxc-parser';

const ROOT = join(import.meta.dirname, '..');
/** Every branch here is taken by some test. */
const FOLDERS = ['src/core/caching', 'src/core/http'] as const;

interface Place {
  readonly start: { readonly line: number; readonly column: number };
}

/** An arm that is not written, such as a missing `else`, has no place of its own. */
interface Branch {
  readonly type: string;
  readonly loc: Place;
  readonly locations: readonly { readonly start: Partial<Place['start']> }[];
}

/** What istanbul keeps of one file, as far as it is read here. */
interface FileCoverage {
  readonly statementMap: Readonly<Record<string, Place>>;
  readonly s: Record<string, number>;
  readonly branchMap: Readonly<Record<string, Branch>>;
  readonly b: Record<string, number[]>;
}

interface V8Script {
  readonly url: string;
  readonly functions: unknown[];
}

function sources(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.ts') && !/\.(?:test|cases)\.ts$/.test(name))
      .map((name) => join(folder, name)),
  );
}

/** Runs the tests; V8's counts lie in the directory then. */
function runTests(directory: string): boolean {
  const { status } = spawnSync(process.execPath, ['test/node/run.ts', ...FOLDERS], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_V8_COVERAGE: directory,
      NODE_COMPILE_CACHE: '',
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
  });
  return status === 0;
}

/** V8's counts of the sources, by path. */
function readCounts(directory: string, paths: readonly string[]): Map<string, V8Script[]> {
  const pathOf = new Map(paths.map((path) => [pathToFileURL(join(ROOT, path)).href, path]));
  const counts = new Map<string, V8Script[]>();
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as { result: V8Script[] };
    for (const script of result) {
      const path = pathOf.get(script.url);
      if (path !== undefined) counts.set(path, [...(counts.get(path) ?? []), script]);
    }
  }
  return counts;
}

/** Anew for each use: the conversion changes it. */
function read(code: string): Program {
  return parseSync('source.js', code).program;
}

/** Null: it has nothing that runs. Scripts: what V8 counted in each process that loaded it. */
async function coverageOf(path: string, scripts: readonly V8Script[]): Promise<FileCoverage | null> {
  const code = stripTypeScriptTypes(readFileSync(join(ROOT, path), 'utf8'));
  if (read(code).body.every(({ type }) => type === 'ImportDeclaration')) return null;
  // Without counts all of it was never reached.
  const counted =
    scripts.length === 0 ? [{ url: pathToFileURL(join(ROOT, path)).href, functions: [] }] : scripts;
  let merged: FileCoverage | null = null;
  for (const script of counted) {
    const converted = await convert({
      code,
      ast: read(code) as never,
      coverage: script as never,
      wrapperLength: 0,
    });
    const file = Object.values(converted)[0] as unknown as FileCoverage;
    if (merged === null) merged = file;
    else add(merged, file);
  }
  return merged;
}

function add(to: FileCoverage, more: FileCoverage): void {
  for (const [id, count] of Object.entries(more.s)) to.s[id] = (to.s[id] ?? 0) + count;
  for (const [id, counts] of Object.entries(more.b)) {
    to.b[id] = counts.map((count, arm) => count + (to.b[id]?.[arm] ?? 0));
  }
}

/** Prints the file's line; its branches that were never taken. */
function report(path: string, file: FileCoverage): string[] {
  const missed: string[] = [];
  let branches = 0;
  for (const [id, counts] of Object.entries(file.b)) {
    const branch = file.branchMap[id];
    for (const [arm, count] of counts.entries()) {
      branches++;
      if (count > 0 || branch === undefined) continue;
      const { line = branch.loc.start.line, column = branch.loc.start.column } =
        branch.locations[arm]?.start ?? {};
      missed.push(`${path}:${line}:${column + 1} ${branch.type}, arm ${arm + 1}`);
    }
  }
  const statements = Object.values(file.s);
  const reached = statements.filter((count) => count > 0).length;
  const share = (part: number, whole: number): string =>
    `${(whole === 0 ? 100 : (100 * part) / whole).toFixed(1).padStart(6)} %`;
  const taken = share(branches - missed.length, branches);
  process.stdout.write(
    `${path.padEnd(44)} ${taken} ${String(branches).padStart(5)} ${share(reached, statements.length)}\n`,
  );
  return missed;
}

const directory = mkdtempSync(join(tmpdir(), 'perigee-coverage-'));
try {
  const isGood = runTests(directory);
  const paths = sources();
  const counts = readCounts(directory, paths);
  process.stdout.write(`\n${'file'.padEnd(44)} branches    of  statements\n`);
  const missed: string[] = [];
  for (const path of paths) {
    const file = await coverageOf(path, counts.get(path) ?? []);
    if (file !== null) missed.push(...report(path, file));
  }
  for (const place of missed) process.stdout.write(`never taken: ${relative('.', place)}\n`);
  process.stdout.write(`${missed.length} branches were never taken\n`);
  process.exitCode = isGood && missed.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
