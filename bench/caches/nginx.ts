/**
 * nginx with proxy_cache: files in the page cache, sendfile, open files remembered, access log off. Larger
 * buffers than its defaults for what it passes on, and none of that on disk.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePorts, startServer, versionOf } from '../support/programs.ts';
import {
  answers,
  type CacheKind,
  type CertificateFiles,
  CONNECTIONS_MAX,
  IDLE_SECONDS,
  offersHttp2,
  type RunningCache,
  writeCertificate,
} from './cache.ts';

export interface NginxOptions {
  /** Of what is stored: its keys' memory, and the files. */
  readonly keysMebibytes: number;
  readonly diskGibibytes: number;
}

export const NGINX = nginxWith({ keysMebibytes: 16, diskGibibytes: 1 });

export function nginxWith(options: NginxOptions): CacheKind {
  return {
    name: 'nginx',
    programs: ['nginx'],
    package: 'nginx-light',
    version: () => versionOf('nginx', '-v', /nginx\/(\S+)/),
    start: (home, originPort) => start(home, originPort, options),
  };
}

async function start(home: string, originPort: number, options: NginxOptions): Promise<RunningCache> {
  const [http = 0, https = 0] = await freePorts(2);
  // Its worker runs as another user.
  chmodSync(dirname(home), 0o755);
  const certificate = await writeCertificate(home);
  writeFileSync(
    join(home, 'nginx.conf'),
    configuration(options, home, [http, https], originPort, certificate),
  );
  const command = ['nginx', '-p', home, '-e', join(home, 'error.log'), '-c', join(home, 'nginx.conf')];
  const server = await startServer(command, () => answers(http));
  return { name: 'nginx', server, httpPort: http, httpsPort: https, hasHttp2: await offersHttp2(https) };
}

/** Where nginx keeps what it puts aside: everything below its home. */
export function temporaryPaths(home: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${home}/${kind};`)
    .join('\n');
}

function configuration(
  { keysMebibytes, diskGibibytes }: NginxOptions,
  home: string,
  [http, https]: readonly [number, number],
  originPort: number,
  certificate: CertificateFiles,
): string {
  return `daemon off;
worker_processes 1;
worker_rlimit_nofile ${2 * CONNECTIONS_MAX};
pid ${home}/nginx.pid;
events { worker_connections ${CONNECTIONS_MAX}; }
http {
${temporaryPaths(home)}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout ${IDLE_SECONDS};
  open_file_cache max=1000;
  proxy_cache_path ${home}/cache levels=1:2 keys_zone=bench:${keysMebibytes}m max_size=${diskGibibytes}g use_temp_path=off;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${http} backlog=4096;
    listen 127.0.0.1:${https} ssl http2 backlog=4096;
    ssl_certificate ${certificate.certificate};
    ssl_certificate_key ${certificate.key};
    ssl_session_cache shared:tls:1m;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_buffers 8 64k;
      proxy_max_temp_file_size 0;
      proxy_cache bench;
      proxy_cache_lock on;
      add_header X-Cache $upstream_cache_status;
    }
  }
}
`;
}
