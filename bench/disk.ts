/**
 * What a cache costs whose responses lie on a disk: hits at random over far more than fits its memory, by size, over
 * HTTP/1.1 and TLS; memory for many responses; and what is found again after all its processes were killed. Perigee
 * beside its peers in front of the same origin, in turns. A measurement in which the origin was asked, or in which more
 * than a tenth came from memory where a cache tells, fails.
 */
import { execFileSync } from 'node:child_process';
import type { BenchOptions, BenchResult, BenchRow, Figures } from './bench-result.ts';
import type { RunningCache } from './caches/cache.ts';
import { type Fleet, withFleet } from './caches/fleet.ts';
import { MEMORY_MEBIBYTES, ON_DISKS } from './disk/caches.ts';
import { measureRestart } from './disk/restart.ts';
import { PROTOCOLS, Scripts, WORKING_SETS, type WorkingSet } from './disk/working-set.ts';
import { measureLoad, type Protocol, perGibibyte, perRequest, portOf } from './support/load.ts';
import { CLIENT_CORE, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';
import { measureInTurns, type Scenario } from './support/rounds.ts';
import { SIZES } from './support/static-origin.ts';

const FROM_DISK_SHARE_MIN = 0.9;
const SETTLE_SECONDS_MAX = 30;
const MIB = 1_048_576;
const [MANY] = WORKING_SETS as readonly [WorkingSet, ...WorkingSet[]];
const MANY_NAME = `${MANY.count.toLocaleString('en')} of ${MANY.size.label}`;
const MEMORY_NAME = `memory for ${MANY_NAME}`;
const KILLED_NAME = `${MANY_NAME}, all processes killed`;
const BOOT_NAME = `${MANY_NAME}, all processes killed and their shared memory gone, as by a boot`;

/** What of `cache stats`, or of a peer's figures, came from disks; null: it does not tell, or has no other place. */
class Shares {
  readonly #shares = new Map<string, number[]>();

  async watch<T>(cache: RunningCache, work: () => Promise<T>): Promise<T> {
    const before = await cache.places?.();
    const result = await work();
    const after = await cache.places?.();
    if (before === undefined || after === undefined) return result;
    const disk = after.disk - before.disk;
    const share = disk / (disk + after.memory - before.memory);
    if (!(share >= FROM_DISK_SHARE_MIN)) {
      throw new Error(`these were no hits from a disk: ${Math.round(100 * share)} % were`);
    }
    this.#shares.set(cache.name, [...(this.#shares.get(cache.name) ?? []), share]);
    return result;
  }

  notes(): string[] {
    return [...this.#shares].map(([name, shares]) => {
      const percent = (share: number): string => (100 * share).toFixed(1);
      return `From the disk came, by its own figures, ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} % of what ${name} served.`;
    });
  }
}

function hits(
  fleet: Fleet,
  scripts: Scripts,
  shares: Shares,
  set: WorkingSet,
  protocol: Protocol,
): Scenario<RunningCache> {
  const { size } = set;
  return {
    name: hitsName(set, protocol),
    async play(cache, seconds) {
      if (portOf(cache, protocol) === null) return null;
      const before = await fleet.origin.requests();
      const load = scripts.atRandom(set, protocol);
      const outcome = await shares.watch(cache, () => measureLoad(cache, load, seconds));
      if ((await fleet.origin.requests()) !== before)
        throw new Error('the origin was asked: these were no hits');
      return size === SIZES.chunks ? perGibibyte(outcome, size) : perRequest(outcome);
    },
  };
}

function hitsName({ size, count }: WorkingSet, protocol: Protocol): string {
  return `${size.label}, one of ${count.toLocaleString('en')}, ${protocol}`;
}

/** Puts everything that will be asked for into each cache; what the first set took of its memory. */
async function fill(
  fleet: Fleet,
  scripts: Scripts,
  isWanted: (name: string) => boolean,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const cache of fleet.caches) {
    for (const set of WORKING_SETS) {
      const isCounted = set === MANY && [MEMORY_NAME, KILLED_NAME, BOOT_NAME].some(isWanted);
      for (const protocol of PROTOCOLS) {
        const isFirst = isCounted && protocol === 'http/1.1';
        if (portOf(cache, protocol) === null) continue;
        if (!isFirst && !isWanted(hitsName(set, protocol))) continue;
        process.stderr.write(`${cache.name}: storing ${set.count} of ${set.size.label}, ${protocol}\n`);
        // What the first half brings about once is in both: buffers, a heap that has seen a load of misses.
        const half = Math.floor(set.count / 2);
        if (isFirst) await scripts.fill(cache, fleet.origin, { ...set, count: half }, protocol);
        const before = cache.server.residentBytes();
        await scripts.fill(cache, fleet.origin, set, protocol);
        const after = cache.server.residentBytes();
        const grown = (after - before) / (set.count - half);
        const figures = { bytesPerResponse: grown, residentMebibytes: after / MIB };
        if (isFirst && isWanted(MEMORY_NAME)) rows.push(rowOf(cache, MEMORY_NAME, figures));
      }
    }
  }
  // What the system has yet to write would be written while something is measured.
  execFileSync('sync');
  await settled(fleet);
  return rows;
}

/** Caches go on fetching for a while what a client that left had asked for. */
async function settled({ origin }: Fleet): Promise<void> {
  for (let before = -1, i = 0; i < SETTLE_SECONDS_MAX; i++) {
    const now = await origin.requests();
    if (now === before) return;
    before = now;
    await Bun.sleep(1_000);
  }
}

function rowOf({ name: subject }: RunningCache, scenario: string, figures: Figures): BenchRow {
  return { subject, scenario, figures, rounds: [figures] };
}

async function restarts(fleet: Fleet, isWanted: (name: string) => boolean): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [name, forgets] of [
    [KILLED_NAME, false],
    [BOOT_NAME, true],
  ] as const) {
    if (!isWanted(name)) continue;
    process.stderr.write(`${name}\n`);
    for (const cache of [...fleet.caches])
      rows.push(rowOf(cache, name, await measureRestart(fleet, cache, MANY, forgets)));
  }
  return rows;
}

export function run(options: BenchOptions): Promise<BenchResult> {
  const { only } = options;
  const isWanted = (name: string): boolean => only === null || name.includes(only);
  const use = async (fleet: Fleet): Promise<BenchResult> => {
    const scripts = new Scripts(fleet.directory);
    const shares = new Shares();
    const scenarios = PROTOCOLS.flatMap((protocol) =>
      WORKING_SETS.map((set) => hits(fleet, scripts, shares, set, protocol)),
    );
    const names = [...scenarios.map(({ name }) => name), MEMORY_NAME, KILLED_NAME, BOOT_NAME];
    if (!names.some(isWanted)) {
      throw new Error(
        `no scenario has "${only}" in its name: ${names.map((name) => `"${name}"`).join(', ')}`,
      );
    }
    const memory = await fill(fleet, scripts, isWanted);
    const areHitsWanted = scenarios.some(({ name }) => isWanted(name));
    const measured = areHitsWanted
      ? await measureInTurns(fleet.caches, scenarios, options)
      : { rows: [], leftOut: [] };
    const rows = [...measured.rows, ...memory, ...(await restarts(fleet, isWanted))];
    return {
      bench: 'disk',
      description: `hits from disks (their page cache warm); servers on core ${SERVER_CORE}, wrk and origin on core ${CLIENT_CORE}, all on loopback`,
      rows,
      ratios: ratiosOf(rows, 'perigee'),
      versions: { ...fleet.versions, wrk: versionOf('wrk', '-v', /wrk (\S+)/) },
      notes: [...NOTES, ...shares.notes(), ...measured.leftOut],
    };
  };
  return withFleet(options, ['wrk'], use, ON_DISKS);
}

const NOTES = [
  'Each figure is the median of the rounds in which the caches took turns, each ratio the median of the ratios of those rounds; one server each, all confined to one core.',
  `Perigee and Traffic Server have ${MEMORY_MEBIBYTES} MiB of memory before their disks, nginx none; Perigee keeps besides 16 MiB of what its worker read of late. Varnish's file is mapped, and forgotten at each start; its malloc is the same with no disk at all. It speaks no TLS.`,
  'http and https are stored apart by those that do so, and everything lies in the page cache: what a disk itself takes is not in these figures.',
  "Memory is the growth of the proportional set size of all processes from a half filled cache to a filled one, for each response, and all of it afterwards. What is allocated at the start is in the second alone: Perigee's memory of its workers and index of its disk; mapped files count as far as they are in memory.",
];
