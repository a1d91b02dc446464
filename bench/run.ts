/**
 * `npm run bench -- NAME [--seconds N] [--json FILE]`: runs `bench/NAME.ts` and prints its table. Any file
 * beside this one is a bench that exports `run`.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RecordedBench, RunBench } from './bench-result.ts';
import { describeMachine } from './support/machine.ts';
import { printResult } from './support/table.ts';

const SECONDS_DEFAULT = 5;
const SECONDS_MAX = 600;
const NOT_BENCHES: ReadonlySet<string> = new Set(['run.ts', 'bench-result.ts']);

function benchNames(): string[] {
  return readdirSync(import.meta.dir)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !NOT_BENCHES.has(file))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

function refuse(message: string): never {
  process.stderr.write(
    `bench: ${message}\nusage: npm run bench -- NAME [--seconds N] [--json FILE]\nbenches: ${benchNames().join(', ')}\n`,
  );
  process.exit(2);
}

function readArguments(): { name: string; seconds: number; json: string | undefined } {
  let parsed: { values: { seconds?: string; json?: string }; positionals: string[] };
  try {
    parsed = parseArgs({
      args: process.argv.slice(2),
      options: { seconds: { type: 'string' }, json: { type: 'string' } },
      allowPositionals: true,
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const [name, ...others] = parsed.positionals;
  if (name === undefined || others.length > 0) return refuse('name one bench');
  if (!benchNames().includes(name)) return refuse(`there is no bench "${name}"`);
  const seconds = Number(parsed.values.seconds ?? SECONDS_DEFAULT);
  if (!(seconds >= 1 && seconds <= SECONDS_MAX)) {
    return refuse(`--seconds must be a number from 1 to ${SECONDS_MAX}`);
  }
  return { name, seconds: Math.round(seconds), json: parsed.values.json };
}

const { name, seconds, json } = readArguments();
const file = join(import.meta.dir, `${name}.ts`);
const { run } = (await import(file)) as { run: RunBench };
const startedAt = new Date().toISOString();
try {
  const result = await run({ seconds });
  const recorded: RecordedBench = { startedAt, seconds, machine: describeMachine(), ...result };
  printResult(recorded);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(recorded, null, 2)}\n`);
  process.exit(0);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
