/**
 * The storage engine by itself, without sockets: what storing and finding cost in each tier, what a million responses do
 * to the latency of a lookup, and how long a disk of a million takes to be found again after everything was killed.
 * Private memory, which the product had before, is the peer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disk } from '#edge/storage/disk/disk.ts';
import { DiskStorage } from '#edge/storage/disk/disk-storage.ts';
import { MemoryStorage } from '#edge/storage/memory/memory-storage.ts';
import { ownInvalidations } from '#edge/storage/own-invalidations.ts';
import { openRegion } from '#edge/storage/shared/region.ts';
import { SharedStorage } from '#edge/storage/shared/shared-storage.ts';
import { removeSharedFiles } from '#edge/storage/shared-file.ts';
import { makeStoredHead } from '#edge/storage/storage.cases.ts';
import type { Storage } from '#edge/storage/storage.ts';
import { createSilentLogger } from '#platform/log.ts';
import type { BenchOptions, BenchResult, BenchRow, Figures } from './bench-result.ts';
import { ratiosOf } from './support/ratios.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const BUDGET_BYTES = 2 * GIB;
const MANY = 1_000_000;
const SIZES = [1 * KIB, 16 * KIB, 256 * KIB];
/** Of a size, stored and found: what fits a sixteenth of the budget. */
const countOf = (size: number): number => Math.min(20_000, Math.floor(BUDGET_BYTES / 16 / size));

interface Subject {
  readonly name: string;
  readonly storage: Storage;
  /** Until all that was stored is where it is to be. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const shared = '/dev/shm/perigee-bench';

function privateMemory(): Subject {
  const storage = new MemoryStorage({ budgetBytes: BUDGET_BYTES });
  return { name: 'private memory', storage, settle: async () => {}, close: async () => storage.close() };
}

function sharedMemory(): Subject {
  const region = openRegion(shared, BUDGET_BYTES);
  if ('reason' in region) throw new Error(region.reason);
  const storage = new SharedStorage({ region });
  const close = async (): Promise<void> => {
    storage.close();
    removeSharedFiles(shared);
  };
  return { name: 'perigee', storage, settle: async () => {}, close };
}

function openDisk(folder: string): { disk: Disk; storage: DiskStorage } {
  const invalidations = ownInvalidations();
  const log = createSilentLogger();
  const indexPath = join(folder, 'index');
  const disk = Disk.open({
    folder: join(folder, 'disk'),
    byteLength: 24 * GIB,
    indexPath,
    invalidations,
    log,
  });
  if ('reason' in disk) throw new Error(disk.reason);
  const bounds = { fillBytesMax: 256 * MIB, objectBytesMax: 64 * MIB };
  return { disk, storage: new DiskStorage({ disk, invalidations, ...bounds }) };
}

async function onDisk(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const { disk, storage } = openDisk(folder);
  await disk.recovered;
  const close = async (): Promise<void> => {
    await storage.close();
    rmSync(folder, { recursive: true });
  };
  return { name: 'perigee, disk', storage, settle: () => disk.writer.flush(), close };
}

const keyOf = (i: number): string => `https://www.example.com/some/path/to/a/file-${i}.jpg`;

/** Whether it was taken. */
function store(storage: Storage, i: number, body: Uint8Array): boolean {
  const head = makeStoredHead({ sequence: storage.invalidations.sequence });
  const writer = storage.admit(keyOf(i), head, body.byteLength);
  return writer?.write(body) === true && writer.finish() !== null;
}

/** CPU of this process for each of `count` calls, all its threads, microseconds. */
async function cpuPerCall(
  count: number,
  work: (i: number) => void,
  settle: () => Promise<void>,
): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    work(i);
    // A writer that is never let go of its turn could not write.
    if (i % 64 === 63) await settle();
  }
  await settle();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

async function costs(subject: Subject): Promise<BenchRow[]> {
  const { name, storage, settle } = subject;
  const rows: BenchRow[] = [];
  for (const size of SIZES) {
    const count = countOf(size);
    const body = new Uint8Array(size).fill(7);
    for (let i = 0; i < count; i += 4) store(storage, i, body);
    await settle();
    const stored = await cpuPerCall(count, (i) => void store(storage, i, body), settle);
    const found = await cpuPerCall(
      count,
      (i) => void touch(storage, (i * 7_919) % count),
      async () => {},
    );
    const label = `${size / KIB} KiB`;
    rows.push(row(name, `store ${label}`, { cpuMicrosecondsPerCall: stored }));
    rows.push(
      row(name, `find ${label}, of ${count.toLocaleString('en-US')}`, { cpuMicrosecondsPerCall: found }),
    );
  }
  return rows;
}

/** A lookup, and a look at the body. */
function touch(storage: Storage, i: number): number {
  const [found] = storage.lookup(keyOf(i));
  if (found === undefined) throw new Error(`${keyOf(i)} is not there: ${JSON.stringify(storage.tiers())}`);
  return found.body?.[0] ?? 0;
}

/** Latency of lookups in storages of a million, while one in twenty stores something, in turns of the event loop. */
async function manyRow({ name, storage }: Subject): Promise<BenchRow> {
  const body = new Uint8Array(KIB).fill(7);
  let stored = 0;
  for (let i = 0; i < MANY; i++) {
    if (store(storage, i, body)) stored++;
    if (i % 1_000 === 0) await new Promise(setImmediate);
  }
  Bun.gc(true);
  const times = new Float64Array(400_000);
  let state = 1;
  let turnStartedAt = performance.now();
  let longestTurn = 0;
  for (let n = 0; n < times.length; n++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const i = state % MANY;
    const startedAt = performance.now();
    if (n % 20 === 0) store(storage, i, body);
    else storage.lookup(keyOf(i));
    times[n] = performance.now() - startedAt;
    if (n % 16 === 0) {
      await new Promise(setImmediate);
      longestTurn = Math.max(longestTurn, performance.now() - turnStartedAt);
      turnStartedAt = performance.now();
    }
  }
  times.sort();
  const at = (share: number): number => 1_000 * (times[Math.floor(times.length * share)] as number);
  const { storedResponses, chargedBytes } = storage.statistics();
  return row(name, 'a million of 1 KiB, one call in twenty stores', {
    p50Microseconds: at(0.5),
    p999Microseconds: at(0.999),
    longestTurnMilliseconds: longestTurn,
    storedShare: storedResponses / stored,
    chargedBytesPerResponse: chargedBytes / storedResponses,
    residentMebibytes: process.memoryUsage.rss() / MIB,
  });
}

/** A disk with a million responses, of which nobody knows the index any more. */
async function recoveryRow(): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const first = openDisk(folder);
  const body = new Uint8Array(KIB).fill(7);
  await first.disk.recovered;
  for (let i = 0; i < MANY; i++) {
    store(first.storage, i, body);
    if (i % 1_000 === 0) await first.disk.writer.flush();
  }
  await first.storage.close();
  removeSharedFiles(join(folder, 'index'));
  const startedAt = performance.now();
  const second = openDisk(folder);
  const servesAfter = performance.now() - startedAt;
  await second.disk.recovered;
  const recoveredAfter = performance.now() - startedAt;
  const { storedResponses } = second.disk.figures();
  for (let i = 0; i < MANY; i += 9_973) touch(second.storage, i);
  await second.storage.close();
  rmSync(folder, { recursive: true });
  return row('perigee, disk', 'a million of 1 KiB, after all processes were killed', {
    servesAfterMilliseconds: servesAfter,
    recoveredAfterMilliseconds: recoveredAfter,
    recoveredShare: storedResponses / MANY,
  });
}

function row(subject: string, scenario: string, figures: Figures): BenchRow {
  return { subject, scenario, figures, rounds: [figures] };
}

export async function run({ only }: BenchOptions): Promise<BenchResult> {
  const isWanted = (scenario: string): boolean => only === null || scenario.includes(only);
  const rows: BenchRow[] = [];
  for (const make of [privateMemory, sharedMemory, onDisk]) {
    if (!isWanted('store and find')) continue;
    const subject = await make();
    rows.push(...(await costs(subject)));
    await subject.close();
  }
  for (const make of [sharedMemory, privateMemory]) {
    if (!isWanted('a million')) continue;
    const subject = make();
    rows.push(await manyRow(subject));
    await subject.close();
    Bun.gc(true);
  }
  if (isWanted('recovery')) rows.push(await recoveryRow());
  return {
    bench: 'storage',
    description: 'The storage engine by itself, in one process, without sockets',
    rows,
    ratios: ratiosOf(rows, 'perigee'),
    versions: { bun: Bun.version },
    notes: [
      'CPU is that of all threads of the process, so that what is written to a disk by others counts.',
      'Finding goes over all that was stored in a scattered order; of what is asked for again and again a worker keeps copies, which cost 0.1 µs.',
    ],
  };
}
