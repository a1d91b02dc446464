/**
 * What our tests use of `bun:test`, on Node: `describe`, `test` and the hooks by `node:test`, `expect` by the
 * library that Bun's own is modelled on. `register.ts` puts it in the place of `bun:test`, so that the same
 * test files run on both runtimes. What is missing here fails loudly at import; add it when a test needs it.
 */
import * as runner from 'node:test';
import { format } from 'node:util';
import { expect } from 'expect';
import './matchers.ts';

export { expect };

/** A test that waits for a condition under load may take this long, ms; the same as under Bun (`scripts/test.ts`). */
const TIMEOUT_MS = 60_000;

/** What a failed test has left open may hold the process of its file no longer than this, ms. */
const LEFT_OPEN_MS = 2_000;
runner.after(() => {
  setTimeout(() => process.exit(), LEFT_OPEN_MS).unref();
});

type Body = () => unknown;
type Row = readonly unknown[];
type Timeout = number | { readonly timeout?: number };
type Declare = (name: string, body: Body, timeout?: Timeout) => void;

function declareTest(name: string, body: Body, timeout: Timeout = TIMEOUT_MS): void {
  const timeoutMs = typeof timeout === 'number' ? timeout : (timeout.timeout ?? TIMEOUT_MS);
  // A body of ours takes no arguments: a runner that counts its parameters must find none.
  void runner.test(name, { timeout: timeoutMs }, async () => {
    await body();
  });
}

function declareGroup(name: string, body: Body): void {
  void runner.describe(name, () => {
    body();
  });
}

/** The name of one row's test: `%s` and the like take the row's values in turn, what is left over is not shown. */
function rowName(template: string, values: Row): string {
  const count = template.match(/%[sdifjoOc]/g)?.length ?? 0;
  return format(template, ...values.slice(0, count));
}

function each(declare: Declare) {
  return (rows: readonly unknown[]) =>
    (template: string, body: (...values: unknown[]) => unknown, timeout?: Timeout): void => {
      for (const row of rows) {
        const values: Row = Array.isArray(row) ? row : [row];
        declare(rowName(template, values), () => body(...values), timeout);
      }
    };
}

const skipTest: Declare = (name) => void runner.test(name, { skip: true });
const skipGroup: Declare = (name, body) => void runner.describe(name, { skip: true }, () => void body());

export const test = Object.assign(declareTest, {
  each: each(declareTest),
  skip: skipTest,
  skipIf: (condition: boolean) => (condition ? skipTest : declareTest),
});

export const describe = Object.assign(declareGroup, {
  each: each(declareGroup),
  skip: skipGroup,
  skipIf: (condition: boolean) => (condition ? skipGroup : declareGroup),
});

const hook = (declare: typeof runner.before) => (body: Body) =>
  declare(
    async () => {
      await body();
    },
    { timeout: TIMEOUT_MS },
  );

export const beforeAll = hook(runner.before);
export const afterAll = hook(runner.after);
export const beforeEach = hook(runner.beforeEach);
export const afterEach = hook(runner.afterEach);
