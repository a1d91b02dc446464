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
  writeCertificate,
} from './cache.ts';

export const TRAFFIC_SERVER: CacheKind = {
  name: 'trafficserver',
  programs: ['traffic_server'],
  package: 'trafficserver',
  version: () => versionOf('traffic_server', '-V', /traffic_server - (\d[\d.]*)/),
  start,
};

const SYSTEM_FOLDER = '/etc/trafficserver';
/** Files it looks for and whose defaults are to have nothing in them. */
const EMPTY_FILES = ['plugin.config', 'cache.config', 'hosting.config', 'volume.config', 'parent.config'];

async function start(home: string, originPort: number): Promise<RunningCache> {
  const [http = 0, https = 0] = await freePorts(2);
  const folder = join(home, 'etc');
  for (const part of ['etc', 'run', 'log', 'cache']) mkdirSync(join(home, part));
  writeFileSync(join(home, 'runroot.yaml'), layoutOf(home));
  await writeCertificate(folder);
  writeFileSync(join(folder, 'records.config'), recordsOf(folder, http, https));
  const origin = `http://127.0.0.1:${originPort}/`;
  const hosts = [`http://${HOST}`, `http://${HOST}:${http}`, `https://${HOST}`, `https://${HOST}:${https}`];
  writeFileSync(join(folder, 'remap.config'), hosts.map((host) => `map ${host}/ ${origin}\n`).join(''));
  // Room for what is passed through it before it reaches the RAM cache.
  writeFileSync(join(folder, 'storage.config'), `${join(home, 'cache')} ${4 * MEMORY_MEBIBYTES}M\n`);
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
  return { name: 'trafficserver', server, httpPort: http, httpsPort: https, hasHttp2 };
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

function recordsOf(folder: string, http: number, https: number): string {
  const settings: readonly (readonly [string, string | number])[] = [
    ['http.server_ports', `${http}:ip-in=127.0.0.1 ${https}:ssl:ip-in=127.0.0.1`],
    ['exec_thread.autoconfig.enabled', 0],
    ['exec_thread.limit', 1],
    ['admin.user_id', '#-1'],
    ['crash_log_helper', 'NULL'],
    ['log.logging_enabled', 0],
    ['url_remap.remap_required', 1],
    ['cache.ram_cache.size', MEMORY_MEBIBYTES * 1_048_576],
    ['cache.ram_cache_cutoff', (MEMORY_MEBIBYTES / 8) * 1_048_576],
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
