/**
 * DNS answers steered by client subnet: Perigee's name server beside gdnsd and Knot (geoip module), loaded
 * in turns by dnsperf. Perigee looks clients up in the whole geography database; the others in a map of
 * every /16 to the POP that Perigee's own data gives for it, so that all answer alike.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';
import { type DnsLoad, measureDns, type Queries, writePlainQueries, writeSubnetQueries } from './dns/load.ts';
import {
  HOW_TO_INSTALL,
  type RunningNameServer,
  startGdnsd,
  startKnot,
  startPerigee,
} from './dns/servers.ts';
import { CLIENT_CORE, pinSelf, requirePrograms, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';

/** Each figure is the median of so many rounds, in which the servers take turns. */
const ROUNDS = 3;
const WARM_UP_SECONDS = 1;

export async function run({ seconds }: BenchOptions): Promise<BenchResult> {
  requirePrograms(['dnsperf', 'gdnsd', 'knotd', 'taskset'], HOW_TO_INSTALL);
  const directory = mkdtempSync(join(tmpdir(), 'perigee-bench-dns-'));
  const servers: RunningNameServer[] = [];
  try {
    pinSelf();
    for (const start of [
      () => startPerigee(directory, 'batch'),
      () => startPerigee(directory, 'socket'),
      () => startGdnsd(directory),
      () => startKnot(directory),
    ]) {
      servers.push(await start());
    }
    const queries = [writePlainQueries(directory), writeSubnetQueries(directory)];
    const rows: BenchRow[] = [];
    for (const each of queries) rows.push(...(await measureInTurns(servers, each, seconds)));
    return {
      bench: 'dns',
      description: `Steered A answers over UDP; one server thread on core ${SERVER_CORE}, dnsperf on core ${CLIENT_CORE}`,
      rows,
      ratios: ratiosOf(rows, 'perigee'),
      versions: {
        gdnsd: versionOf('gdnsd', 'version', /version (\S+)/),
        knot: versionOf('knotd', '--version', /(\d+\.\d+\.\d+)/),
        dnsperf: versionOf('dnsperf', '-H', /Version (\S+)/),
        bun: Bun.version,
      },
      notes: [
        `Medians of ${ROUNDS} rounds in turns. Processor time is the server's own, system calls included; it says more than the rate, which the load generator's core limits.`,
        'perigee takes its packets by recvmmsg and sends by sendmmsg; "perigee, portable" is the fallback over the runtime\'s socket.',
        'Perigee looks up 3.4 million IPv4 ranges of its geography, gdnsd and Knot a map of 56,832 networks.',
      ],
    };
  } finally {
    await Promise.all(servers.map(({ program }) => program.stop()));
    rmSync(directory, { recursive: true });
  }
}

async function measureInTurns(
  servers: readonly RunningNameServer[],
  queries: Queries,
  seconds: number,
): Promise<BenchRow[]> {
  process.stderr.write(`${queries.name}\n`);
  const rounds = new Map<RunningNameServer, DnsLoad[]>(servers.map((server) => [server, []]));
  for (const server of servers) await measureDns(server, queries, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const server of servers) {
      rounds.get(server)?.push(await measureDns(server, queries, seconds));
    }
  }
  return Array.from(rounds, ([server, loads]) => ({
    subject: server.name,
    scenario: queries.name,
    figures: {
      requestsPerSecond: median(loads.map((load) => load.requestsPerSecond)),
      cpuMicrosecondsPerRequest: median(loads.map((load) => load.cpuMicrosecondsPerRequest)),
      residentMegabytes: median(loads.map((load) => load.residentMegabytes)),
    },
  }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((first, second) => first - second);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
