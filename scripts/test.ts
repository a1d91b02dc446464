/**
 * `npm test`: everything that must hold, in one command. Each static check counts as one test. Closes with
 * `N passed, N failed`, and fails when anything did.
 */
import { existsSync } from 'node:fs';
import { PREPARE_STEPS, ROOT, runStep, STATIC_STEPS, type Step } from './run-step.ts';

/** A test that waits for a condition under load may take this long, ms. */
const TEST_TIMEOUT_MS = 60_000;
/** Programs of Debian's that judge what we serve, by a file of theirs, and the packages they come in. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ['/usr/bin/chromium', 'chromium'],
  ['/usr/bin/curl', 'curl'],
  ['/usr/bin/nghttp', 'nghttp2-client'],
  ['/usr/bin/h2load', 'nghttp2-client'],
  ['/usr/lib/python3/dist-packages/h2/connection.py', 'python3-h2'],
];

/** On a fresh machine where we may, what is missing is installed. */
async function installPrograms(): Promise<void> {
  const missing = new Set(PROGRAMS.filter(([file]) => !existsSync(file)).map(([, name]) => name));
  if (missing.size === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const packages = [...missing];
  process.stdout.write(`Installing ${packages.join(', ')} for the tests…\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const words of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const child = Bun.spawn(['apt-get', ...words], {
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if ((await child.exited) !== 0) process.stdout.write(`apt-get ${words.join(' ')} failed; see above\n`);
  }
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Names of the tests that failed, as far as the runner told them. */
  readonly failures: readonly string[];
}

/** Failures repeated at the end at most; what comes before is thousands of lines. */
const FAILURES_SHOWN_MAX = 50;

/** Runs a test runner and reads its closing counts. A run that ends without them counts as one failure. */
async function runTests(command: readonly string[]): Promise<Counts> {
  const child = Bun.spawn([...command], { cwd: ROOT, stdio: ['ignore', 'inherit', 'pipe'] });
  let tail = '';
  let line = '';
  const failures = new Set<string>();
  const decoder = new TextDecoder();
  for await (const bytes of child.stderr) {
    process.stderr.write(bytes);
    const text = decoder.decode(bytes, { stream: true });
    tail = (tail + text).slice(-4_000);
    const lines = (line + text).split('\n');
    line = lines.pop() as string;
    for (const whole of lines) if (whole.startsWith('(fail) ')) failures.add(whole);
  }
  const isGood = (await child.exited) === 0;
  const count = (word: string) => Number(tail.match(new RegExp(`^ *(\\d+) ${word}`, 'm'))?.[1] ?? 0);
  const failed = count('fail') + count('error');
  if (!isGood && failures.size === 0) failures.add(`(fail) ${command.join(' ')}`);
  return {
    passed: count('pass'),
    failed: isGood ? failed : Math.max(1, failed),
    failures: [...failures].slice(0, FAILURES_SHOWN_MAX),
  };
}

/** Everything under Bun, then the tests of the HTTP engines once more on Node, their second runtime. */
const RUNNERS: readonly (readonly string[])[] = [
  [process.execPath, 'test', `--timeout=${TEST_TIMEOUT_MS}`, 'src', 'demo', 'test'],
  ['node', 'scripts/with-node.mjs', 'test/node/run.ts'],
];

await installPrograms();
let passed = 0;
let failed = 0;
const failures: string[] = [];
async function counted(step: Step): Promise<void> {
  if (await runStep(step)) {
    passed += 1;
  } else {
    failed += 1;
    failures.push(`(fail) ${step.name}`);
  }
}
for (const step of [...PREPARE_STEPS, ...STATIC_STEPS]) await counted(step);
for (const runner of RUNNERS) {
  const counts = await runTests(runner);
  passed += counts.passed;
  // A runner without a single test that passed has not run.
  failed += counts.passed === 0 ? Math.max(1, counts.failed) : counts.failed;
  failures.push(...counts.failures);
}
await counted({ name: 'coverage', command: ['node', 'scripts/with-node.mjs', 'scripts/coverage.ts'] });
await counted({ name: 'cache conformance', command: [process.execPath, 'test/conformance/run.ts'] });
if (failures.length > 0) process.stdout.write(`\n${failures.join('\n')}\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
