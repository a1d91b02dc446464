/**
 * Misses: every request has a query of its own, so that each goes through to a fast origin. Perigee beside
 * nginx (proxy_cache) and Varnish, for responses that are stored and for responses that may not be.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import {
  HOST,
  HOW_TO_INSTALL,
  type RunningCache,
  startNginx,
  startPerigee,
  startVarnish,
} from './support/caches.ts';
import { measureLoad } from './support/load.ts';
import { CLIENT_CORE, pinSelf, requirePrograms, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';
import { measureInTurns, ROUNDS, type Scenario } from './support/rounds.ts';
import { startStaticOrigin } from './support/static-origin.ts';

/** wrk starts afresh for each measurement: a seed keeps its queries apart from those of the one before. */
const SCRIPT = `
local n = 0
math.randomseed(tonumber(tostring({}):match("0x(%x+)"), 16) + os.time())
local seed = math.random(1000000000)
function request()
  n = n + 1
  return wrk.format(nil, wrk.path .. "?" .. seed .. "-" .. n)
end
`;

function scenarios(script: string): Scenario[] {
  const sizes = [
    ['1k', '1 KiB'],
    ['16k', '16 KiB'],
  ] as const;
  return (['stored', 'private'] as const).flatMap((kind) =>
    sizes.map(
      ([file, label]): Scenario => ({
        name: `${label}, ${kind === 'stored' ? 'stored' : 'not stored'}`,
        play(cache, seconds) {
          const url = `http://${HOST}:${cache.httpPort}/${kind}/${file}`;
          const target = { url, address: `127.0.0.1:${cache.httpPort}`, server: cache.server };
          return measureLoad('wrk', target, seconds, script);
        },
      }),
    ),
  );
}

export async function run({ seconds }: BenchOptions): Promise<BenchResult> {
  requirePrograms(['nginx', 'varnishd', 'wrk', 'taskset'], `${HOW_TO_INSTALL} (taskset: util-linux)`);
  pinSelf();
  const directory = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const script = join(directory, 'unique.lua');
  writeFileSync(script, SCRIPT);
  const origin = await startStaticOrigin(directory);
  const caches: RunningCache[] = [];
  try {
    for (const start of [startPerigee, startNginx, startVarnish])
      caches.push(await start(directory, origin.port));
    const rows = await measureInTurns(caches, scenarios(script), seconds);
    return {
      bench: 'miss',
      description: `misses over 64 keep-alive connections; cache on core ${SERVER_CORE}, wrk and the origin (nginx, static files) on core ${CLIENT_CORE}, all on loopback`,
      rows,
      ratios: ratiosOf(rows, 'perigee'),
      versions: {
        bun: Bun.version,
        nginx: versionOf('nginx', '-v', /nginx\/(\S+)/),
        varnish: versionOf('varnishd', '-V', /varnish-(\S+)/),
        wrk: versionOf('wrk', '-v', /wrk (\S+)/),
      },
      notes: [
        `Each figure is the median of ${ROUNDS} rounds in which the caches took turns; all of them run all the time, two of them idle.`,
        'wrk and the origin share a core, so requests per second say as much about them: compare processor time.',
        'nginx stores each response in a file of its own; Perigee (256 MiB) and Varnish (256 MiB) store in memory and evict.',
      ],
    };
  } finally {
    for (const cache of caches) await cache.server.stop();
    await origin.server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
