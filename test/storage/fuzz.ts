/**
 * Several processes on one storage, some killed at random moments and started again, until enough operations are done.
 * Each looks at every octet it gets (`worker.ts`); whoever finds a wrong one ends with it.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskLayoutOf } from '#edge/storage/disk/disk-layout.ts';
import { openStorage, type StorageOptions } from '#edge/storage/open-storage.ts';
import { readAll } from '#edge/storage/storage.cases.ts';
import { createSilentLogger } from '#platform/log.ts';
import { Random } from '../fuzz/random.ts';
import { until } from '../support/until.ts';
import { createLedger, Ledger } from './ledger.ts';
import { bodyOf, headOf } from './response-of.ts';

export interface StorageFuzz {
  readonly seed: number;
  readonly operations: number;
  readonly workers: number;
  /** Mean time between two kills, ms. */
  readonly killEveryMs: number;
  readonly bodyBytesMax: number;
  /** Whether disks fail on the way (`faulty-calls.ts`). */
  readonly hasFaults?: boolean;
  /** The storage, given a folder of the fuzz's own. */
  readonly storage: (folder: string) => StorageOptions;
}

/** What a worker is told, as its one argument. */
export interface WorkerTask {
  readonly ledger: string;
  readonly seed: number;
  readonly stream: number;
  readonly operations: number;
  readonly bodyBytesMax: number;
  readonly hasFaults: boolean;
  readonly storage: StorageOptions;
}

export interface FuzzReport {
  readonly operations: number;
  readonly hits: number;
  readonly kills: number;
  /** Bodies that broke off, because a disk could not give them: what came of them was right. */
  readonly brokenOff: number;
  /** What workers said of the wrong things they found. */
  readonly findings: readonly string[];
}

const WORKER = join(import.meta.dir, 'worker.ts');
const PARENT = process.platform === 'linux' ? '/dev/shm' : '/tmp';

export async function fuzzStorage(fuzz: StorageFuzz): Promise<FuzzReport> {
  const folder = mkdtempSync(join(PARENT, 'perigee-fuzz-'));
  try {
    return await run(fuzz, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(fuzz: StorageFuzz, folder: string): Promise<FuzzReport> {
  const { seed, operations, bodyBytesMax, hasFaults = false } = fuzz;
  const file = join(folder, 'ledger');
  createLedger(file);
  const ledger = new Ledger(file);
  const random = new Random(seed, 0);
  const findings: string[] = [];
  let kills = 0;
  let streams = 0;
  const isOver = (): boolean => ledger.operations >= operations || findings.length > 0;

  async function keepOne(): Promise<void> {
    while (!isOver()) {
      streams++;
      const storage = fuzz.storage(folder);
      const bounds = { operations, bodyBytesMax, hasFaults };
      const task: WorkerTask = { ledger: file, seed, stream: streams, ...bounds, storage };
      const child = Bun.spawn([process.execPath, WORKER, JSON.stringify(task)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const life = fuzz.killEveryMs * (0.2 + random.below(1_600) / 1_000);
      const timer = setTimeout(() => {
        if (child.exitCode !== null || isOver()) return;
        kills++;
        child.kill('SIGKILL');
      }, life);
      const said = await new Response(child.stderr).text();
      await child.exited;
      clearTimeout(timer);
      if (child.exitCode !== 0 && child.signalCode !== 'SIGKILL') findings.push(said);
    }
  }

  await Promise.all(Array.from({ length: fuzz.workers }, keepOne));
  if (findings.length === 0) findings.push(...(await recovers(fuzz.storage(folder))));
  const { operations: done, hits, brokenOff } = ledger;
  return { operations: done, hits, kills, brokenOff, findings };
}

const LARGE_BYTES = 700_000;

/** What is wrong with the storage now that nobody disturbs it any more: what it takes it has, also for who comes later. */
async function recovers(options: StorageOptions): Promise<string[]> {
  const body = bodyOf('after', 1, LARGE_BYTES);
  const log = createSilentLogger();
  const { storage, problem } = openStorage(options, log);
  const other = openStorage(options, log).storage;
  const disks = options.disks ?? [];
  await until('what one stores another finds', async () => {
    if (other.lookup('after').length > 0 || disks.length === 0) return true;
    if (storage.lookup('after').length > 0) return false;
    const writer = storage.admit('after', headOf('after', 1, 1, storage.invalidations.sequence), null);
    if (writer?.write(body) === true) writer.finish();
    return false;
  });
  await storage.close();
  await other.close();
  const later = openStorage(options, log).storage;
  const [found] = later.lookup('after');
  const octets = found === undefined ? null : await readAll(found.open(0, found.bodyLength));
  const problems = later.tiers().flatMap((tier) => tier.problem ?? []);
  if (problem !== null) problems.push(problem);
  const isKept = octets !== null && Buffer.compare(octets, body) === 0;
  if (disks.length > 0 && !isKept) problems.push('what was stored after the faults is not there');
  for (const { folder, byteLength } of disks) {
    const { segmentCount } = diskLayoutOf(byteLength);
    const files = (): number => readdirSync(folder).filter((name) => name.endsWith('.seg')).length;
    await until('no segment is left over', () => files() <= segmentCount);
  }
  await later.close();
  return problems;
}
