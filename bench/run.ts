/**
 * `npm run bench -- NAME…|all [options]`: runs `bench/NAME.ts`, prints its table, and keeps what it found as
 * JSON or in the documents. Any file beside this one is a bench that exports `run`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchOptions, RecordedBench, RunBench } from './bench-result.ts';
import { describeMachine } from './support/machine.ts';
import { markdownOf, replaceTables } from './support/markdown.ts';
import { printResult } from './support/table.ts';

const SECONDS_DEFAULT = 4;
const SECONDS_MAX = 600;
const ROUNDS_DEFAULT = 3;
const ROUNDS_MAX = 100;
const NOT_BENCHES: ReadonlySet<string> = new Set(['run.ts', 'bench-result.ts']);

const USAGE = `usage: npm run bench -- NAME...|all [options]
  --seconds N      of each single measurement (${SECONDS_DEFAULT})
  --rounds N       how often each is made (${ROUNDS_DEFAULT})
  --only TEXT      only scenarios with this in their name
  --peers A,B      only these peers; "" for none
  --builds DIR,DIR other checkouts of Perigee beside this one
  --json FILE      writes everything there
  --from FILE      runs nothing: takes what an earlier --json wrote
  --update FILE    puts the tables into a Markdown file, between their marks
`;

interface Arguments {
  readonly names: readonly string[];
  readonly options: BenchOptions;
  readonly json: string | undefined;
  readonly from: string | undefined;
  readonly update: string | undefined;
}

function benchNames(): string[] {
  return readdirSync(import.meta.dir)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !NOT_BENCHES.has(file))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

function refuse(message: string): never {
  process.stderr.write(`bench: ${message}\n${USAGE}benches: ${benchNames().join(', ')}\n`);
  process.exit(2);
}

function readArguments(): Arguments {
  const text = { type: 'string' } as const;
  const options = {
    seconds: text,
    rounds: text,
    only: text,
    peers: text,
    builds: text,
    json: text,
    from: text,
    update: text,
  };
  try {
    const { values, positionals } = parseArgs({
      args: process.argv.slice(2),
      options,
      allowPositionals: true,
    });
    const names = positionals.includes('all') ? benchNames() : positionals;
    if (names.length === 0 && values.from === undefined) refuse('name a bench');
    const unknown = names.find((name) => !benchNames().includes(name));
    if (unknown !== undefined) refuse(`there is no bench "${unknown}"`);
    return {
      names,
      options: {
        seconds: readCount('--seconds', values.seconds, SECONDS_DEFAULT, SECONDS_MAX),
        rounds: readCount('--rounds', values.rounds, ROUNDS_DEFAULT, ROUNDS_MAX),
        only: values.only ?? null,
        peers: values.peers === undefined ? null : listOf(values.peers),
        builds: listOf(values.builds ?? ''),
      },
      json: values.json,
      from: values.from,
      update: values.update,
    };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function readCount(option: string, value: string | undefined, otherwise: number, max: number): number {
  const count = Number(value ?? otherwise);
  if (!Number.isInteger(count) || count < 1 || count > max)
    refuse(`${option} must be a number from 1 to ${max}`);
  return count;
}

function listOf(value: string): string[] {
  return value.split(',').filter((part) => part !== '');
}

async function runBench(name: string, options: BenchOptions): Promise<RecordedBench> {
  const { run } = (await import(join(import.meta.dir, `${name}.ts`))) as { run: RunBench };
  const startedAt = new Date().toISOString();
  const { seconds, rounds } = options;
  const result = await run(options);
  return { startedAt, seconds, roundsPlayed: rounds, machine: describeMachine(), ...result };
}

const { names, options, json, from, update } = readArguments();
try {
  const recorded: RecordedBench[] = from === undefined ? [] : JSON.parse(readFileSync(from, 'utf8'));
  for (const name of names) {
    recorded.push(await runBench(name, options));
    // After each: hours of measuring must not be lost to the bench that fails.
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(recorded, null, 2)}\n`);
  }
  for (const bench of recorded) printResult(bench);
  if (update !== undefined) {
    const tables = recorded.map((bench) => [bench.bench, markdownOf(bench)] as const);
    writeFileSync(update, replaceTables(readFileSync(update, 'utf8'), tables));
  }
  process.exit(0);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
