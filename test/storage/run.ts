/**
 * `npm run fuzz:storage`: processes that share a storage, killed at random moments, until `--operations N` (10,000,000)
 * are done. `--storage NAME` (shared), `--faults` (disks that fail now and then), `--workers N` (2), `--seed S` (one by
 * chance, printed).
 */
import { parseArgs } from 'node:util';
import { fuzzStorage } from './fuzz.ts';
import { STORAGES } from './storages.ts';

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '10000000' },
    storage: { type: 'string', default: 'shared' },
    faults: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string' },
  },
});
const storage = STORAGES[values.storage];
if (storage === undefined) {
  process.stderr.write(`no storage ${values.storage}; there are: ${Object.keys(STORAGES).join(', ')}\n`);
  process.exit(2);
}
const seed =
  values.seed === undefined ? (crypto.getRandomValues(new Uint32Array(1))[0] as number) : Number(values.seed);
process.stdout.write(`seed ${seed}\n`);
const startedAt = performance.now();
const { operations, hits, kills, brokenOff, findings } = await fuzzStorage({
  seed,
  operations: Number(values.operations),
  workers: Number(values.workers),
  killEveryMs: 2_000,
  bodyBytesMax: 400_000,
  hasFaults: values.faults,
  storage,
});
const seconds = (performance.now() - startedAt) / 1000;
process.stdout.write(
  `${operations} operations in ${seconds.toFixed(1)} s, ${hits} hits, ${kills} kills, ${brokenOff} bodies broken off, ${findings.length} findings\n`,
);
for (const finding of findings) process.stdout.write(`${finding}\n`);
process.exit(findings.length === 0 ? 0 : 1);
