/** Runs one command of the checks with its output shown, and says how it went. */
import { join } from 'node:path';

export const ROOT = join(import.meta.dir, '..');
const BIN = join(ROOT, 'node_modules/.bin');

export interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

/** The checks that need no running Perigee: form, types of the server, of the pure core, and of the console. */
export const STATIC_STEPS: readonly Step[] = [
  { name: 'format and lint', command: [join(BIN, 'biome'), 'ci', '--colors=off', '.'] },
  { name: 'types', command: [join(BIN, 'tsc'), '-p', 'tsconfig.json'] },
  { name: 'types of the core', command: [join(BIN, 'tsc'), '-p', 'tsconfig.core.json'] },
  { name: 'types of the console', command: [join(BIN, 'tsc'), '-p', 'console/tsconfig.json'] },
];

/** Prepares what tests and `perigee up` both need: the compiled geography and the built console. */
export const PREPARE_STEPS: readonly Step[] = [
  { name: 'geography', command: [process.execPath, 'scripts/compile-geo.ts'] },
  { name: 'console', command: [process.execPath, 'console/build.ts'] },
];

/** Runs the step; false when it failed. Its output goes to ours. */
export async function runStep({ name, command }: Step): Promise<boolean> {
  const startedAt = performance.now();
  const child = Bun.spawn([...command], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const isGood = (await child.exited) === 0;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${isGood ? 'ok' : 'FAILED'}: ${name} (${seconds} s)\n`);
  return isGood;
}
