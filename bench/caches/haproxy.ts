/** HAProxy with its small-object cache, one thread; it splices what it passes on (splice(2)). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, startServer, versionOf } from '../support/programs.ts';
import {
  answers,
  type CacheKind,
  CONNECTIONS_MAX,
  IDLE_SECONDS,
  MEMORY_MEBIBYTES,
  offersHttp2,
  type RunningCache,
  writeCertificate,
} from './cache.ts';

export const HAPROXY: CacheKind = {
  name: 'haproxy',
  programs: ['haproxy'],
  package: 'haproxy',
  version: () => versionOf('haproxy', '-v', /version (\d[\d.]*)/),
  start,
};

async function start(home: string, originPort: number): Promise<RunningCache> {
  const [http = 0, https = 0] = await freePorts(2);
  const { both } = await writeCertificate(home);
  const file = join(home, 'haproxy.cfg');
  writeFileSync(file, configuration(http, https, originPort, both));
  const server = await startServer(['haproxy', '-db', '-f', file], () => answers(http));
  return { name: 'haproxy', server, httpPort: http, httpsPort: https, hasHttp2: await offersHttp2(https) };
}

function configuration(http: number, https: number, originPort: number, certificate: string): string {
  return `global
  nbthread 1
  no strict-limits
  maxconn ${CONNECTIONS_MAX}
defaults
  mode http
  option splice-auto
  http-reuse always
  timeout connect 5s
  timeout client ${IDLE_SECONDS}s
  timeout http-keep-alive ${IDLE_SECONDS}s
  timeout server 60s
cache bench
  total-max-size ${MEMORY_MEBIBYTES}
  max-object-size ${(MEMORY_MEBIBYTES / 2) * 1_048_576}
  max-age 86400
frontend users
  bind 127.0.0.1:${http} backlog 4096
  bind 127.0.0.1:${https} ssl crt ${certificate} alpn h2,http/1.1 backlog 4096
  http-request cache-use bench
  http-response cache-store bench
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort}
`;
}
