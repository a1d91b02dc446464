/**
 * Several processes on one storage, some killed at random moments and started again, until enough operations are done.
 * Each looks at every octet it gets (`worker.ts`); whoever finds a wrong one ends with it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StorageOptions } from '#edge/storage/open-storage.ts';
import { Random } from '../fuzz/random.ts';
import { createLedger, Ledger } from './ledger.ts';

export interface StorageFuzz {
  readonly seed: number;
  readonly operations: number;
  readonly workers: number;
  /** Mean time between two kills, ms. */
  readonly killEveryMs: number;
  readonly bodyBytesMax: number;
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
  readonly storage: StorageOptions;
}

export interface FuzzReport {
  readonly operations: number;
  readonly hits: number;
  readonly kills: number;
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
  const { seed, operations, bodyBytesMax } = fuzz;
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
      const task: WorkerTask = { ledger: file, seed, stream: streams, operations, bodyBytesMax, storage };
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
  return { operations: ledger.operations, hits: ledger.hits, kills, findings };
}
