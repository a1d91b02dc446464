/** A fast origin on the clients' core: nginx with a file of each size, so that what is measured are the caches. */
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryPaths } from '../caches/nginx.ts';
import { CLIENT_CORE, freePorts, type Program, startServer } from './programs.ts';

export interface BodySize {
  /** Last part of its path. */
  readonly file: string;
  readonly label: string;
  readonly bytes: number;
}

export const SIZES = {
  small: { file: '1k', label: '1 KiB', bytes: 1_024 },
  medium: { file: '16k', label: '16 KiB', bytes: 16_384 },
  large: { file: '256k', label: '256 KiB', bytes: 262_144 },
  chunks: { file: '8m', label: '8 MiB', bytes: 8_388_608 },
  download: { file: '16m', label: '16 MiB', bytes: 16_777_216 },
  huge: { file: '1g', label: '1 GiB', bytes: 1_073_741_824 },
} as const satisfies Record<string, BodySize>;

export interface StaticOrigin {
  readonly port: number;
  readonly server: Program;
  /** Requests for files so far. */
  requests(): Promise<number>;
}

/** Serves each size at `/stored/…`, which may be kept, and at `/private/…`, which may not. */
export async function startStaticOrigin(directory: string): Promise<StaticOrigin> {
  const [port = 0, statusPort = 0] = await freePorts(2);
  const home = join(directory, 'origin');
  const files = join(home, 'www');
  mkdirSync(files, { recursive: true });
  for (const { file, bytes } of Object.values(SIZES)) {
    writeFileSync(join(files, file), 'x'.repeat(Math.min(bytes, SIZES.large.bytes)));
    // The rest of the large ones are holes: they cost no disk, and reading them is what reading the page cache is.
    truncateSync(join(files, file), bytes);
  }
  chmodSync(directory, 0o755);
  writeFileSync(join(home, 'nginx.conf'), configuration(home, files, port, statusPort));
  const command = ['nginx', '-p', home, '-e', join(home, 'error.log'), '-c', join(home, 'nginx.conf')];
  const status = `http://127.0.0.1:${statusPort}/`;
  const server = await startServer(command, async () => (await fetch(status)).ok, CLIENT_CORE);
  let asked = 0;
  return {
    port,
    server,
    async requests() {
      const text = await (await fetch(status)).text();
      asked += 1;
      // The requests for this page are among those it counts, the readiness checks among them: only differences count.
      return Number(/^ \d+ \d+ (\d+)/m.exec(text)?.[1]) - asked;
    },
  };
}

function configuration(home: string, files: string, port: number, statusPort: number): string {
  return `daemon off;
worker_processes 1;
pid ${home}/nginx.pid;
events { worker_connections 4096; }
http {
${temporaryPaths(home)}
  access_log off;
  sendfile on;
  open_file_cache max=100;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port};
    location /stored/ { alias ${files}/; add_header Cache-Control "public, max-age=86400"; }
    location /private/ { alias ${files}/; add_header Cache-Control "private, no-store"; }
  }
  server {
    listen 127.0.0.1:${statusPort};
    location / { stub_status; }
  }
}
`;
}
