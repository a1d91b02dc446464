/** Apache Traffic Server: one event thread, a RAM cache before its disk cache (a file in the page cache), no logs. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, startServer, versionOf } from '../support/programs.ts';
import {
  answers,
  type CacheKind,
  CONNECTIONS_MAX,
  HOST,
  IDLE_SECONDS,
  MEMORY_MEBIBYTES,
  offersHttp2,
  type RunningCache,
  type ServedFrom,
  writeCertificate,
} from './cache.ts';

export interface TrafficServerOptions {
  readonly memoryMebibytes: number;
  /** The largest response that it keeps in memory. */
  readonly memoryObjectMebibytes: number;
  readonly diskMebibytes: number;
}

export const TRAFFIC_SERVER = trafficServerWith({
  memoryMebibytes: MEMORY_MEBIBYTES,
  memoryObjectMebibytes: MEMORY_MEBIBYTES / 8,
  // Room for what is passed through it before it reaches the RAM cache.
  diskMebibytes: 4 * MEMORY_MEBIBYTES,
});

export function trafficServerWith(options: TrafficServerOptions): CacheKind {
  return {
    name: 'trafficserver',
    programs: ['traffic_server'],
    package: 'trafficserver',
    version: () => versionOf('traffic_server', '-V', /traffic_server - (\d[\d.]*)/),
    start: (home, originPort) => start(home, originPort, options),
  };
}

const SYSTEM_FOLDER = '/etc/trafficserver';
/** Files it looks for and whose defaults are to have nothing in them. */
const EMPTY_FILES = ['cache.config', 'hosting.config', 'volume.config', 'parent.config'];

/** Where the plugin for its figures answers. */
const FIGURES = '_figures';
const FIGURES_MS = 250;

async function start(home: string, originPort: number, options: TrafficServerOptions): Promise<RunningCache> {
  const [http = 0, https = 0] = await freePorts(2);
  const folder = join(home, 'etc');
  for (const part of ['etc', 'run', 'log', 'cache']) mkdirSync(join(home, part), { recursive: true });
  writeFileSync(join(home, 'runroot.yaml'), layoutOf(home));
  await writeCertificate(folder);
  writeFileSync(join(folder, 'records.config'), recordsOf(options, folder, http, https));
  const origin = `http://127.0.0.1:${originPort}/`;
  const hosts = [`http://${HOST}`, `http://${HOST}:${http}`, `https://${HOST}`, `https://${HOST}:${https}`];
  writeFileSync(join(folder, 'remap.config'), hosts.map((host) => `map ${host}/ ${origin}\n`).join(''));
  writeFileSync(join(folder, 'plugin.config'), `stats_over_http.so ${FIGURES}\n`);
  writeFileSync(join(folder, 'storage.config'), `${join(home, 'cache')} ${options.diskMebibytes}M\n`);
  writeFileSync(
    join(folder, 'ssl_multicert.config'),
    'dest_ip=* ssl_cert_name=cert.pem ssl_key_name=key.pem\n',
  );
  for (const file of EMPTY_FILES) writeFileSync(join(folder, file), '');
  for (const part of ['ip_allow.yaml', 'body_factory']) {
    const from = join(SYSTEM_FOLDER, part);
    if (existsSync(from)) cpSync(from, join(folder, part), { recursive: true });
  }
  const command = ['env', `TS_RUNROOT=${home}`, 'traffic_server'];
  const server = await startServer(command, () => answers(http));
  const hasHttp2 = await offersHttp2(https);
  const places = (): Promise<ServedFrom> => servedFrom(http);
  return { name: 'trafficserver', server, httpPort: http, httpsPort: https, hasHttp2, places };
}

async function servedFrom(port: number): Promise<ServedFrom> {
  await Bun.sleep(2 * FIGURES_MS);
  const response = await fetch(`http://127.0.0.1:${port}/${FIGURES}`, { headers: { Host: HOST } });
  const { global } = (await response.json()) as { global: Record<string, string> };
  const figure = (name: string): number => Number(global[`proxy.process.cache.${name}`]);
  return { disk: figure('ram_cache.misses'), memory: figure('ram_cache.hits') };
}

/** Its installation, with everything that it writes below `home`. */
function layoutOf(home: string): string {
  const places = {
    prefix: home,
    exec_prefix: home,
    bindir: '/usr/bin',
    sbindir: '/usr/bin',
    sysconfdir: join(home, 'etc'),
    datadir: join(home, 'cache'),
    includedir: '/usr/include',
    libdir: '/usr/lib/trafficserver',
    libexecdir: '/usr/lib/trafficserver/modules',
    localstatedir: home,
    runtimedir: join(home, 'run'),
    logdir: join(home, 'log'),
    cachedir: join(home, 'cache'),
  };
  return Object.entries(places)
    .map(([name, place]) => `${name}: ${place}\n`)
    .join('');
}

function recordsOf(
  { memoryMebibytes, memoryObjectMebibytes }: TrafficServerOptions,
  folder: string,
  http: number,
  https: number,
): string {
  const settings: readonly (readonly [string, string | number])[] = [
    ['http.server_ports', `${http}:ip-in=127.0.0.1 ${https}:ssl:ip-in=127.0.0.1`],
    ['exec_thread.autoconfig.enabled', 0],
    ['exec_thread.limit', 1],
    ['admin.user_id', '#-1'],
    ['crash_log_helper', 'NULL'],
    ['log.logging_enabled', 0],
    // How often the figures are brought up to date, ms: before a bench looks at them.
    ['raw_stat_sync_interval_ms', FIGURES_MS],
    ['url_remap.remap_required', 1],
    ['cache.ram_cache.size', memoryMebibytes * 1_048_576],
    ['cache.ram_cache_cutoff', memoryObjectMebibytes * 1_048_576],
    ['net.connections_throttle', 2 * CONNECTIONS_MAX],
    ['net.max_connections_in', CONNECTIONS_MAX],
    ['http.keep_alive_no_activity_timeout_in', IDLE_SECONDS],
    ['net.default_inactivity_timeout', IDLE_SECONDS],
    ['ssl.server.cert.path', folder],
    ['ssl.server.private_key.path', folder],
  ];
  return settings
    .map(
      ([name, value]) =>
        `CONFIG proxy.config.${name} ${typeof value === 'string' ? 'STRING' : 'INT'} ${value}\n`,
    )
    .join('');
}
