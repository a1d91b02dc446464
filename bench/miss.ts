/**
 * Misses: every request has a query of its own, so that each goes through to a fast origin. Perigee beside
 * its peers, for responses that are stored and for responses that may not be.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { RunningCache } from './caches/cache.ts';
import { withFleet } from './caches/fleet.ts';
import { type Load, measureLoad, perRequest } from './support/load.ts';
import { CLIENT_CORE, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';
import { measureInTurns, type Scenario } from './support/rounds.ts';
import { SIZES } from './support/static-origin.ts';

const CONNECTIONS = 64;

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

function scenarios(script: string): Scenario<RunningCache>[] {
  return (['stored', 'private'] as const).flatMap((kind) =>
    [SIZES.small, SIZES.medium, SIZES.large].map(({ file, label }) => {
      const load: Load = {
        tool: 'wrk',
        protocol: 'http/1.1',
        path: `/${kind}/${file}`,
        connections: CONNECTIONS,
        streams: 1,
        script,
      };
      return {
        name: `${label}, ${kind === 'stored' ? 'stored' : 'not stored'}`,
        play: async (cache, seconds) => perRequest(await measureLoad(cache, load, seconds)),
      } satisfies Scenario<RunningCache>;
    }),
  );
}

export function run(options: BenchOptions): Promise<BenchResult> {
  return withFleet(options, ['wrk'], async ({ caches, versions, directory }) => {
    const script = join(directory, 'unique.lua');
    writeFileSync(script, SCRIPT);
    const { rows, leftOut } = await measureInTurns(caches, scenarios(script), options);
    return {
      bench: 'miss',
      description: `misses over ${CONNECTIONS} kept HTTP/1.1 connections; caches on core ${SERVER_CORE}, wrk and the origin (nginx, static files) on core ${CLIENT_CORE}, all on loopback`,
      rows,
      ratios: ratiosOf(rows, 'perigee'),
      versions: { ...versions, wrk: versionOf('wrk', '-v', /wrk (\S+)/) },
      notes: [
        'Each figure is the median of the rounds in which the caches took turns, each ratio the median of the ratios of those rounds.',
        'wrk and the origin share a core, so requests per second say as much about them: compare processor time.',
        'nginx and Traffic Server store each response on disk (the page cache); Perigee, Varnish and HAProxy (256 MiB each) store in memory and evict.',
        ...leftOut,
      ],
    };
  });
}
