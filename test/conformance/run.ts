/**
 * `npm run conformance`: the public HTTP cache suite against a running `perigee up` with one site without
 * rules. Prints the score and every test that does not pass; fails when one does that has no judgement in
 * `known-failures.json`, and when one passes that has: the list only shrinks.
 *
 *   --suite DIR   another checkout of the suite (with its packages installed) instead of the npm snapshot;
 *                 its results are printed, not compared
 *   --id TEST     that test alone, with its messages
 *   --json FILE   writes the verdicts there
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startPerigee } from '../support/perigee-process.ts';
import { better, judge, type SuiteResults, scoreLine, testsOf, type Verdict } from './score.ts';

const ROOT = resolve(import.meta.dir, '../..');
const KNOWN_FAILURES_FILE = join(import.meta.dir, 'known-failures.json');
const START_MS_MAX = 10_000;
const RUN_MS_MAX = 300_000;

const { values: options } = parseArgs({
  options: { suite: { type: 'string' }, id: { type: 'string' }, json: { type: 'string' } },
});

const isCompared = options.suite === undefined;
const known: Record<string, string> = isCompared
  ? (JSON.parse(readFileSync(KNOWN_FAILURES_FILE, 'utf8')) as Record<string, string>)
  : {};
const suite = resolve(options.suite ?? join(ROOT, 'node_modules/http-cache-tests'));
const engine = existsSync(join(suite, 'test-engine')) ? join(suite, 'test-engine') : suite;
const directory = mkdtempSync(join(tmpdir(), 'perigee-conformance-'));
const children: Bun.Subprocess[] = [];
try {
  process.exitCode = await run();
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exited));
  rmSync(directory, { recursive: true, force: true });
}

async function run(): Promise<number> {
  const origin = start(['node', join(import.meta.dir, 'origin.mjs'), engine]);
  const originPort = Number(await firstLine(origin));
  const perigee = await startPerigee('--no-demo', '--site', `127.0.0.1=http://127.0.0.1:${originPort}`);
  const base = `http://${perigee.http}`;
  try {
    if (options.id !== undefined) {
      process.stdout.write(await runClient(base));
      return 0;
    }
    const tests = await loadTests();
    const ask = async () => judge(tests, JSON.parse(await runClient(base)) as SuiteResults);
    let verdicts = await ask();
    // The suite waits between requests for lifetimes of a second or two: on a busy machine a wait may be too long.
    if (verdicts.some(isRegression)) verdicts = better(verdicts, await ask());
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(verdicts, null, 1));
    return report(verdicts);
  } finally {
    await perigee.stop();
  }
}

function isRegression({ test, outcome }: Verdict): boolean {
  return isCompared && outcome !== 'pass' && known[test.id] === undefined;
}

/** Prints what does not pass and the score; the exit code. */
function report(verdicts: readonly Verdict[]): number {
  let regressions = 0;
  let outgrown = 0;
  for (const verdict of verdicts) {
    const { test, outcome, message } = verdict;
    if (outcome === 'pass') {
      if (known[test.id] === undefined) continue;
      console.log(`passes now, take it off the list: ${test.id}`);
      outgrown++;
      continue;
    }
    const judgement = known[test.id];
    if (isRegression(verdict)) regressions++;
    const mark = judgement === undefined ? (isCompared ? 'REGRESSION' : outcome) : 'known';
    console.log(`${mark} ${test.kind} ${test.suite}/${test.id}: ${judgement ?? message}`);
  }
  console.log(scoreLine(verdicts));
  if (regressions > 0) console.log(`${regressions} without a judgement in ${KNOWN_FAILURES_FILE}`);
  return regressions + outgrown === 0 ? 0 : 1;
}

async function loadTests() {
  const index = (await import(join(suite, 'tests/index.mjs'))) as { default: Parameters<typeof testsOf>[0] };
  const surrogateFile = join(suite, 'tests/surrogate-control.mjs');
  // The snapshot's client runs this suite too, though the index does not list it.
  const extra = existsSync(surrogateFile)
    ? [((await import(surrogateFile)) as { default: Parameters<typeof testsOf>[0][number] }).default]
    : [];
  return testsOf([...index.default, ...extra]);
}

async function runClient(base: string): Promise<string> {
  const client = start(['node', '--no-warnings', join(engine, 'cli.mjs')], {
    npm_config_base: base,
    npm_config_id: options.id ?? '',
    // Where the client looks when the former is empty: left undefined it would run a test of that name.
    npm_package_config_id: '',
  });
  const timer = setTimeout(() => client.kill('SIGKILL'), RUN_MS_MAX);
  const output = await new Response(client.stdout).text();
  clearTimeout(timer);
  if ((await client.exited) !== 0) throw new Error(`the suite's client failed:\n${output}`);
  return output;
}

function start(command: string[], environment: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  children.push(child);
  return child;
}

/** The first line a child prints; the rest is read and dropped, so that it never blocks. */
async function firstLine(child: ReturnType<typeof start>): Promise<string> {
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  while (!text.includes('\n')) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended before it was ready: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  clearTimeout(timer);
  const drain = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  drain().catch(() => {});
  return text.slice(0, text.indexOf('\n'));
}
