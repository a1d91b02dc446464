/**
 * The caches that are compared, each started with one worker in front of the same origin, keeping
 * everything in memory or in the page cache, without access logs.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestAuthority } from '../../test/support/test-authority.ts';
import { freePorts, type Program, startServer } from './programs.ts';

export interface RunningCache {
  readonly name: 'perigee' | 'nginx' | 'varnish';
  readonly server: Program;
  readonly httpPort: number;
  /** Null: the cache does not speak TLS. */
  readonly httpsPort: number | null;
}

/** The site's host. It leads to this machine everywhere, so that load generators send it as TLS server name. */
export const HOST = 'localhost';

export const HOW_TO_INSTALL = 'apt-get install nginx-light varnish wrk nghttp2-client';

async function answers(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/ready`, { headers: { Host: HOST } });
  await response.arrayBuffer();
  return response.status === 200;
}

export async function startPerigee(directory: string, originPort: number): Promise<RunningCache> {
  const [http = 0, https = 0, dns = 0, api = 0] = await freePorts(4);
  const at = (port: number) => `127.0.0.1:${port}`;
  const command = [
    ...[
      process.execPath,
      join(import.meta.dir, '../../src/main/perigee.ts'),
      'up',
      '--no-demo',
      '--edges',
      '1',
    ],
    ...['--data', join(directory, 'perigee'), '--site', `${HOST}=http://127.0.0.1:${originPort}`],
    ...['--http', at(http), '--https', at(https), '--dns', at(dns), '--api', at(api)],
  ];
  const server = await startServer(command, () => answers(http));
  return { name: 'perigee', server, httpPort: http, httpsPort: https };
}

export async function startNginx(directory: string, originPort: number): Promise<RunningCache> {
  const [http = 0, https = 0] = await freePorts(2);
  const home = join(directory, 'nginx');
  mkdirSync(home);
  // Its worker runs as another user.
  chmodSync(directory, 0o755);
  const { key, cert } = await (await createTestAuthority()).issue([HOST]);
  writeFileSync(join(home, 'key.pem'), key);
  writeFileSync(join(home, 'cert.pem'), cert);
  writeFileSync(join(home, 'nginx.conf'), nginxConfiguration(home, http, https, originPort));
  const command = ['nginx', '-p', home, '-e', join(home, 'error.log'), '-c', join(home, 'nginx.conf')];
  const server = await startServer(command, () => answers(http));
  return { name: 'nginx', server, httpPort: http, httpsPort: https };
}

function nginxConfiguration(home: string, http: number, https: number, originPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${home}/${kind};`)
    .join('\n');
  return `daemon off;
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 4096; }
http {
${temporary}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=1000;
  proxy_cache_path ${home}/cache levels=1:2 keys_zone=bench:16m max_size=1g use_temp_path=off;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${http};
    listen 127.0.0.1:${https} ssl;
    ssl_certificate ${home}/cert.pem;
    ssl_certificate_key ${home}/key.pem;
    ssl_session_cache shared:tls:1m;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_cache bench;
      proxy_cache_lock on;
      add_header X-Cache $upstream_cache_status;
    }
  }
}
`;
}

export async function startVarnish(directory: string, originPort: number): Promise<RunningCache> {
  const [http = 0] = await freePorts(1);
  const command = [
    ...['varnishd', '-F', '-j', 'none', '-n', join(directory, 'varnish'), '-T', 'none'],
    ...['-a', `127.0.0.1:${http}`, '-b', `127.0.0.1:${originPort}`, '-s', 'malloc,256m'],
  ];
  const server = await startServer(command, () => answers(http));
  return { name: 'varnish', server, httpPort: http, httpsPort: null };
}
