/** Perigee as it runs in production: all parts, one edge worker, every check, limit and counter on. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Status } from '#core/contract/status.ts';
import { freePorts, startServer } from '../support/programs.ts';
import { answers, type CacheKind, HOST, offersHttp2, type RunningCache, type ServedFrom } from './cache.ts';

const SHARED_FOLDER = '/dev/shm';

/** Options of `perigee up` beside those that every bench needs, from the cache's home. */
export type MoreOptions = (home: string) => readonly string[];

/** Perigee of the checkout in `directory`; two of them can be measured beside each other. */
export function perigeeOf(directory: string, name: string, more: MoreOptions = () => []): CacheKind {
  return {
    name,
    programs: [],
    package: '',
    version: () => Bun.version,
    start: (home, originPort) => start(resolve(directory), name, home, originPort, more(home)),
  };
}

async function start(
  directory: string,
  name: string,
  home: string,
  originPort: number,
  more: readonly string[],
): Promise<RunningCache> {
  const [http = 0, https = 0, dns = 0, api = 0] = await freePorts(4);
  const memoryFile = join(SHARED_FOLDER, `${basename(dirname(home))}-${basename(home)}`);
  const at = (port: number) => `127.0.0.1:${port}`;
  const command = [
    ...[process.execPath, join(directory, 'src/main/perigee.ts'), 'up', '--no-demo', '--edges', '1'],
    ...[
      '--memory-file',
      memoryFile,
      '--data',
      join(home, 'data'),
      '--site',
      `${HOST}=http://127.0.0.1:${originPort}`,
    ],
    ...['--http', at(http), '--https', at(https), '--dns', at(dns), '--api', at(api), ...more],
  ];
  const server = await startServer(command, () => answers(http));
  return {
    ...{ name, server, httpPort: http, httpsPort: https, hasHttp2: await offersHttp2(https) },
    places: () => servedFrom(join(home, 'data'), at(api)),
    forgetMemory: () => removeAll(memoryFile),
  };
}

/** The files whose names begin so. */
function removeAll(path: string): void {
  for (const file of readdirSync(SHARED_FOLDER)) {
    if (file.startsWith(`${basename(path)}-`)) rmSync(join(SHARED_FOLDER, file));
  }
}

/** What `perigee cache stats` shows. A response that is found in memory is looked up on the disk, too, but not found. */
async function servedFrom(dataDirectory: string, api: string): Promise<ServedFrom> {
  const token = readFileSync(join(dataDirectory, 'admin-token'), 'utf8').trim();
  const headers = { Authorization: `Bearer ${token}` };
  const { parts } = (await (await fetch(`http://${api}/api/v1/status`, { headers })).json()) as Status;
  const tiers = parts.flatMap(({ storage }) => storage?.tiers ?? []);
  const hitsOf = (isDisk: boolean): number =>
    tiers.reduce((sum, { tier, hits }) => ((tier === 'disk') === isDisk ? sum + hits : sum), 0);
  return { disk: hitsOf(true), memory: hitsOf(false) };
}
