/**
 * DNS answers steered by client subnet: Perigee's name server beside gdnsd and Knot (geoip module), loaded
 * in turns by dnsperf. Perigee looks clients up in the whole geography database; the others in a map of
 * every /16 to the POP that Perigee's own data gives for it, so that all answer alike.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import { measureDns, writePlainQueries, writeSubnetQueries } from './dns/load.ts';
import {
  HOW_TO_INSTALL,
  type RunningNameServer,
  startGdnsd,
  startKnot,
  startPerigee,
} from './dns/servers.ts';
import { CLIENT_CORE, pinSelf, requirePrograms, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';
import { measureInTurns } from './support/rounds.ts';

export async function run(options: BenchOptions): Promise<BenchResult> {
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
    const scenarios = [writePlainQueries(directory), writeSubnetQueries(directory)].map((queries) => ({
      name: queries.name,
      play: (server: RunningNameServer, seconds: number) => measureDns(server, queries, seconds),
    }));
    const { rows } = await measureInTurns(servers, scenarios, options);
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
        "Medians of rounds in turns. Processor time is the server's own, system calls included; it says more than the rate, which the load generator's core limits.",
        'perigee takes its packets by recvmmsg and sends by sendmmsg; "perigee, portable" is the fallback over the runtime\'s socket.',
        'Perigee looks up 3.4 million IPv4 ranges of its geography, gdnsd and Knot a map of 56,832 networks.',
      ],
    };
  } finally {
    await Promise.all(servers.map(({ program }) => program.stop()));
    rmSync(directory, { recursive: true });
  }
}
