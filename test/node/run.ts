/**
 * `npm run test:node`: the tests of the edge and its HTTP engines on Node 26, the second runtime, from the same
 * files as under Bun. Arguments name other files or folders. Each file runs in a process of its own. Closes with the
 * counts as `bun test` gives them; fails when any test did, or when none ran.
 */
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** Where the engines, what they stand on and what runs on them are tested. */
const FOLDERS = [
  'src/core/http',
  'src/edge',
  'test/e2e/http1',
  'test/e2e/http2',
  'test/e2e/road',
  'test/e2e/tls',
];

/** A file that takes longer, ms, hangs; a test has its own bound in `bun-test.ts`. */
const FILE_TIMEOUT_MS = 180_000;

function testFiles(path: string): string[] {
  const full = join(ROOT, path);
  if (statSync(full).isFile()) return [full];
  return globSync('**/*.test.ts', { cwd: full }).map((file) => join(full, file));
}

const paths = process.argv.length > 2 ? process.argv.slice(2) : FOLDERS;
const files = [...new Set(paths.flatMap(testFiles))].sort();
const counts = { pass: 0, fail: 0, skip: 0 };

// Sources are compiled once for all files; saves a quarter of the time.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules/.cache/node');

const stream = run({
  files,
  cwd: ROOT,
  concurrency: 2,
  timeout: FILE_TIMEOUT_MS,
  execArgv: ['--import', join(import.meta.dirname, 'register.ts')],
});

/** The innermost reason: the runner wraps what a test threw. */
function reasonOf(error: Error): string {
  const { exitCode, signal } = error as { exitCode?: number; signal?: string | null };
  if (exitCode !== undefined) return `the process of the file ended with ${signal ?? exitCode}`;
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? cause.message;
}

/** Names of the groups around the test that has started last, and its own. */
const trail: string[] = [];

for await (const event of stream) {
  switch (event.type) {
    case 'test:start':
      trail[event.data.nesting] = event.data.name;
      break;
    case 'test:pass':
      if (event.data.details.type === 'suite') break;
      // A file counts only when it has no tests, having skipped itself.
      if (event.data.skip === undefined && !files.includes(event.data.name)) counts.pass += 1;
      else counts.skip += 1;
      break;
    case 'test:fail': {
      const { nesting, details } = event.data;
      // A group fails with its tests; it counts only where none of them says why.
      if (details.type === 'suite' && details.error.failureType === 'subtestsFailed') break;
      counts.fail += 1;
      process.stderr.write(`(fail) ${trail.slice(0, nesting + 1).join(' > ')}\n${reasonOf(details.error)}\n`);
      break;
    }
    // Such as what a test that has ended still threw; it fails the process of its file.
    case 'test:diagnostic':
      if (event.data.file !== undefined) process.stderr.write(`${event.data.message}\n`);
      break;
    case 'test:stdout':
    case 'test:stderr':
      process.stderr.write(event.data.message);
      break;
  }
}
process.stderr.write(`\nNode ${process.version}, ${files.length} files\n`);
for (const [word, count] of Object.entries(counts)) process.stderr.write(` ${count} ${word}\n`);
process.exit(counts.fail === 0 && counts.pass > 0 ? 0 : 1);
