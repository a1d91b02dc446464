/** The caches of one run: all of them, or Perigee and the peers asked for, in front of one origin. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { BenchOptions } from '../bench-result.ts';
import { pinSelf, requirePrograms } from '../support/programs.ts';
import { type StaticOrigin, startStaticOrigin } from '../support/static-origin.ts';
import type { CacheKind, RunningCache } from './cache.ts';
import { HAPROXY } from './haproxy.ts';
import { NGINX } from './nginx.ts';
import { perigeeOf } from './perigee.ts';
import { TRAFFIC_SERVER } from './traffic-server.ts';
import { VARNISH } from './varnish.ts';

/** What a bench is made with: Perigee of a checkout, and its peers. */
export interface Contestants {
  perigeeOf(directory: string, name: string): CacheKind;
  readonly peers: readonly CacheKind[];
}

const USUAL: Contestants = { perigeeOf, peers: [NGINX, VARNISH, HAPROXY, TRAFFIC_SERVER] };
const OWN_CHECKOUT = resolve(import.meta.dir, '../..');

export interface Fleet {
  /** For files of the run; removed with all in it. */
  readonly directory: string;
  readonly origin: StaticOrigin;
  readonly caches: readonly RunningCache[];
  /** Of every program that takes part. */
  readonly versions: Readonly<Record<string, string>>;
  /** A second one of the same kind, new; whoever asked for it ends it. */
  startAnother(cache: RunningCache): Promise<RunningCache>;
  /** One of the same kind on what `cache` left, which has ended; it takes its place in `caches`. */
  startAgain(cache: RunningCache): Promise<RunningCache>;
}

function versionsOf(kinds: readonly CacheKind[], { peers }: Contestants): Record<string, string> {
  const others = kinds.filter((kind) => peers.includes(kind));
  return { bun: Bun.version, ...Object.fromEntries(others.map((kind) => [kind.name, kind.version()])) };
}

/** Which caches take part. Throws when an unknown peer is named. */
function chooseKinds({ peers, builds }: BenchOptions, contestants: Contestants): CacheKind[] {
  const { peers: all } = contestants;
  const unknown = peers?.filter((name) => all.every((peer) => peer.name !== name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(
      `no such peer: ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`,
    );
  }
  return [
    contestants.perigeeOf(OWN_CHECKOUT, 'perigee'),
    ...builds.map((directory) =>
      contestants.perigeeOf(directory, `perigee in ${basename(resolve(directory))}`),
    ),
    ...all.filter(({ name }) => peers === null || peers.includes(name)),
  ];
}

/** Starts the caches, lets `use` have them, and ends everything. `tools`: load generators that it needs. */
export async function withFleet<Result>(
  options: BenchOptions,
  tools: readonly string[],
  use: (fleet: Fleet) => Promise<Result>,
  contestants: Contestants = USUAL,
): Promise<Result> {
  const kinds = chooseKinds(options, contestants);
  requirePrograms(
    ['nginx', 'taskset', ...tools, ...kinds.flatMap(({ programs }) => programs)],
    `apt-get install util-linux curl wrk nghttp2-client ${[...new Set(contestants.peers.map((peer) => peer.package))].join(' ')}`,
  );
  pinSelf();
  const directory = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const caches: RunningCache[] = [];
  let origin: StaticOrigin | null = null;
  const homes: string[] = [];
  const start = (kind: CacheKind, { port }: StaticOrigin): Promise<RunningCache> => {
    const home = join(directory, `cache-${homes.length + 1}`);
    homes.push(home);
    mkdirSync(home);
    return kind.start(home, port);
  };
  try {
    const running = await startStaticOrigin(directory);
    origin = running;
    for (const kind of kinds) caches.push(await start(kind, running));
    const startAnother = (cache: RunningCache): Promise<RunningCache> =>
      start(kinds[caches.indexOf(cache)] as CacheKind, running);
    const startAgain = async (cache: RunningCache): Promise<RunningCache> => {
      const i = caches.indexOf(cache);
      const again = await (kinds[i] as CacheKind).start(homes[i] as string, running.port);
      caches[i] = again;
      return again;
    };
    const versions = versionsOf(kinds, contestants);
    return await use({ directory, origin, caches, versions, startAnother, startAgain });
  } finally {
    for (const cache of caches) await cache.server.stop();
    await origin?.server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
