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

const PEERS: readonly CacheKind[] = [NGINX, VARNISH, HAPROXY, TRAFFIC_SERVER];
const OWN_CHECKOUT = resolve(import.meta.dir, '../..');

export interface Fleet {
  /** For files of the run; removed with all in it. */
  readonly directory: string;
  readonly origin: StaticOrigin;
  readonly kinds: readonly CacheKind[];
  readonly caches: readonly RunningCache[];
  /** A second one of the same kind, new; whoever asked for it ends it. */
  startAnother(cache: RunningCache): Promise<RunningCache>;
}

export function versionsOf(kinds: readonly CacheKind[]): Record<string, string> {
  const peers = kinds.filter((kind) => PEERS.includes(kind));
  return { bun: Bun.version, ...Object.fromEntries(peers.map((kind) => [kind.name, kind.version()])) };
}

/** Which caches take part. Throws when an unknown peer is named. */
export function chooseKinds(options: BenchOptions): CacheKind[] {
  const { peers, builds } = options;
  const unknown = peers?.filter((name) => PEERS.every((peer) => peer.name !== name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(
      `no such peer: ${unknown.join(', ')}; there are ${PEERS.map(({ name }) => name).join(', ')}`,
    );
  }
  return [
    perigeeOf(OWN_CHECKOUT, 'perigee'),
    ...builds.map((directory) => perigeeOf(directory, `perigee in ${basename(resolve(directory))}`)),
    ...PEERS.filter(({ name }) => peers === null || peers.includes(name)),
  ];
}

/** Starts the caches, lets `use` have them, and ends everything. `tools`: load generators that it needs. */
export async function withFleet<Result>(
  options: BenchOptions,
  tools: readonly string[],
  use: (fleet: Fleet) => Promise<Result>,
): Promise<Result> {
  const kinds = chooseKinds(options);
  requirePrograms(
    ['nginx', 'taskset', ...tools, ...kinds.flatMap(({ programs }) => programs)],
    `apt-get install util-linux curl wrk nghttp2-client ${PEERS.map((peer) => peer.package).join(' ')}`,
  );
  pinSelf();
  const directory = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const caches: RunningCache[] = [];
  let origin: StaticOrigin | null = null;
  let homes = 0;
  const start = (kind: CacheKind, { port }: StaticOrigin): Promise<RunningCache> => {
    homes += 1;
    const home = join(directory, `cache-${homes}`);
    mkdirSync(home);
    return kind.start(home, port);
  };
  try {
    const running = await startStaticOrigin(directory);
    origin = running;
    for (const kind of kinds) caches.push(await start(kind, running));
    const startAnother = (cache: RunningCache): Promise<RunningCache> =>
      start(kinds[caches.indexOf(cache)] as CacheKind, running);
    return await use({ directory, origin, kinds, caches, startAnother });
  } finally {
    for (const cache of caches) await cache.server.stop();
    await origin?.server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
