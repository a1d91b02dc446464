/** A fast origin on the clients' core: nginx with two small files, so that misses measure the caches. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_CORE, freePorts, type Program, startServer } from './programs.ts';

export interface StaticOrigin {
  readonly port: number;
  readonly server: Program;
}

/** Serves `/stored/1k` and `/stored/16k`, which may be kept, and `/private/…`, which may not. */
export async function startStaticOrigin(directory: string): Promise<StaticOrigin> {
  const [port = 0] = await freePorts(1);
  const home = join(directory, 'origin');
  for (const folder of ['stored', 'private']) {
    mkdirSync(join(home, 'www', folder), { recursive: true });
    writeFileSync(join(home, 'www', folder, '1k'), 'x'.repeat(1_024));
    writeFileSync(join(home, 'www', folder, '16k'), 'x'.repeat(16_384));
  }
  writeFileSync(join(home, 'www/ready'), 'ok');
  chmodSync(directory, 0o755);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${home}/${kind};`)
    .join('\n');
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off;
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 4096; }
http {
${temporary}
  access_log off;
  sendfile on;
  open_file_cache max=100;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port};
    root ${home}/www;
    location /stored/ { add_header Cache-Control "public, max-age=86400"; }
    location /private/ { add_header Cache-Control "private, no-store"; }
  }
}
`,
  );
  const command = ['nginx', '-p', home, '-e', join(home, 'error.log'), '-c', join(home, 'nginx.conf')];
  const isReady = async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok;
  return { port, server: await startServer(command, isReady, CLIENT_CORE) };
}
