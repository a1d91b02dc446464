/** Perigee as it runs in production: all parts, one edge worker, every check, limit and counter on. */
import { join, resolve } from 'node:path';
import { freePorts, startServer } from '../support/programs.ts';
import { answers, type CacheKind, HOST, offersHttp2, type RunningCache } from './cache.ts';

/** Perigee of the checkout in `directory`; two of them can be measured beside each other. */
export function perigeeOf(directory: string, name: string): CacheKind {
  return {
    name,
    programs: [],
    package: '',
    version: () => Bun.version,
    start: (home, originPort) => start(resolve(directory), name, home, originPort),
  };
}

async function start(
  directory: string,
  name: string,
  home: string,
  originPort: number,
): Promise<RunningCache> {
  const [http = 0, https = 0, dns = 0, api = 0] = await freePorts(4);
  const at = (port: number) => `127.0.0.1:${port}`;
  const command = [
    ...[process.execPath, join(directory, 'src/main/perigee.ts'), 'up', '--no-demo', '--edges', '1'],
    ...['--data', join(home, 'data'), '--site', `${HOST}=http://127.0.0.1:${originPort}`],
    ...['--http', at(http), '--https', at(https), '--dns', at(dns), '--api', at(api)],
  ];
  const server = await startServer(command, () => answers(http));
  return { name, server, httpPort: http, httpsPort: https, hasHttp2: await offersHttp2(https) };
}
