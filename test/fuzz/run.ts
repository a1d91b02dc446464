/**
 * `npm run fuzz`: fuzzes every target, in turns, for as long as it is told. `--seconds N` (60), `--target NAME`,
 * `--seed S` (one by chance, printed), `--from I` and `--runs N` to play inputs of a finding again.
 */
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    runs: { type: 'string' },
  },
});

/** A turn of each target, ms. */
const TURN_MS = 2_000;

const targets = TARGETS.filter(({ name }) => values.target === undefined || values.target === name);
if (targets.length === 0) {
  process.stderr.write(
    `no target ${values.target}; there are: ${TARGETS.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}
const seed =
  values.seed === undefined ? (crypto.getRandomValues(new Uint32Array(1))[0] as number) : Number(values.seed);
const runsMax = values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs);
const end = Date.now() + Number(values.seconds) * 1_000;
process.stdout.write(`seed ${seed}\n`);

const next = new Map(targets.map(({ name }) => [name, Number(values.from)]));
const failed = new Set<string>();
for (let turn = 0; Date.now() < end && failed.size < targets.length; turn += 1) {
  if (values.runs !== undefined && turn > 0) break;
  for (const target of targets) {
    if (failed.has(target.name) || Date.now() >= end) continue;
    const from = next.get(target.name) as number;
    const until = values.runs === undefined ? Math.min(end, Date.now() + TURN_MS) : end;
    try {
      next.set(target.name, from + (await fuzz(target, { seed, from, runs: runsMax, until })));
    } catch (error) {
      failed.add(target.name);
      process.stdout.write(`\n${(error as Error).message}\n`);
    }
  }
}
for (const [name, count] of next) {
  process.stdout.write(
    `${failed.has(name) ? 'FAILED' : 'ok'}: ${name}, ${count - Number(values.from)} inputs\n`,
  );
}
process.exit(failed.size === 0 ? 0 : 1);
