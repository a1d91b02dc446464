/**
 * Memory hits: Perigee beside nginx (proxy_cache) and Varnish, all in front of the same origin, loaded
 * in turns by wrk and h2load. The origin counts its requests: a measurement in which it saw any
 * was none of hits, and fails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import {
  HOST,
  HOW_TO_INSTALL,
  type RunningCache,
  startNginx,
  startPerigee,
  startVarnish,
} from './support/caches.ts';
import { type LoadTool, measureLoad } from './support/load.ts';
import { CLIENT_CORE, pinSelf, requirePrograms, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';
import { measureInTurns, ROUNDS, type Scenario } from './support/rounds.ts';

const SIZES = [
  { path: '/1k', label: '1 KiB', bytes: 1_024 },
  { path: '/16k', label: '16 KiB', bytes: 16_384 },
] as const;
const TOOLS: readonly LoadTool[] = ['wrk', 'h2load'];

interface Origin {
  readonly port: number;
  readonly requests: number;
  close(): void;
}

function startOrigin(): Promise<Origin> {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests += 1;
    const size = SIZES.find(({ path }) => path === request.url);
    const body = Buffer.alloc(size?.bytes ?? 2, 'x');
    response.writeHead(200, {
      'Content-Type': 'text/plain',
      'Content-Length': body.length,
      'Cache-Control': 'public, max-age=86400',
      ETag: `"${body.length}"`,
      'Last-Modified': 'Sun, 01 Nov 2026 00:00:00 GMT',
    });
    response.end(body);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        get requests() {
          return requests;
        },
        close: () => server.close(),
      });
    });
  });
}

function scenarios(origin: Origin): Scenario[] {
  return (['http', 'https'] as const).flatMap((scheme) =>
    SIZES.flatMap((size) => TOOLS.map((tool) => scenarioOf(scheme, size, tool, origin))),
  );
}

function scenarioOf(
  scheme: 'http' | 'https',
  size: (typeof SIZES)[number],
  tool: LoadTool,
  origin: Origin,
): Scenario {
  return {
    name: `${size.label}, ${scheme === 'http' ? 'http/1.1' : 'http/1.1+tls'}, ${tool}`,
    async play(cache, seconds, isWarmUp) {
      const port = scheme === 'http' ? cache.httpPort : cache.httpsPort;
      if (port === null) return null;
      const url = `${scheme}://${HOST}:${port}${size.path}`;
      const before = origin.requests;
      const figures = await measureLoad(
        tool,
        { url, address: `127.0.0.1:${port}`, server: cache.server },
        seconds,
      );
      const missed = origin.requests - before;
      if (missed > 0 && !isWarmUp) {
        throw new Error(`${cache.name} asked the origin ${missed} times: these were no hits`);
      }
      return figures;
    },
  };
}

export async function run({ seconds }: BenchOptions): Promise<BenchResult> {
  requirePrograms(
    ['nginx', 'varnishd', 'wrk', 'h2load', 'taskset'],
    `${HOW_TO_INSTALL} (taskset: util-linux)`,
  );
  pinSelf();
  const directory = mkdtempSync(join(tmpdir(), 'perigee-bench-'));
  const origin = await startOrigin();
  const caches: RunningCache[] = [];
  try {
    for (const start of [startPerigee, startNginx, startVarnish])
      caches.push(await start(directory, origin.port));
    const rows = await measureInTurns(caches, scenarios(origin), seconds);
    const ratios = ratiosOf(rows, 'perigee');
    return { bench: 'hit', description: DESCRIPTION, rows, ratios, versions: versions(), notes: NOTES };
  } finally {
    for (const cache of caches) await cache.server.stop();
    origin.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function versions(): Record<string, string> {
  return {
    bun: Bun.version,
    nginx: versionOf('nginx', '-v', /nginx\/(\S+)/),
    varnish: versionOf('varnishd', '-V', /varnish-(\S+)/),
    wrk: versionOf('wrk', '-v', /wrk (\S+)/),
    h2load: versionOf('h2load', '--version', /nghttp2\/(\S+)/),
  };
}

const DESCRIPTION = `hits from memory over 64 keep-alive connections; server on core ${SERVER_CORE}, load generator on core ${CLIENT_CORE}, all on loopback`;

const NOTES = [
  `Each figure is the median of ${ROUNDS} rounds in which the caches took turns; all of them run all the time, two of them idle.`,
  'One server each: Perigee with one edge worker, nginx with one worker, Varnish with its thread pools, all confined to the same single core. Processor time is that of all processes of a server (for Perigee: supervisor, control plane and name server too), divided by the requests that the load generator counted.',
  'nginx serves from files in the page cache with sendfile and an open file cache, its access log off; Varnish keeps its shared-memory log, which cannot be turned off; Perigee keeps counting requests for metrics and statistics and writes no access log either.',
  "Varnish speaks no TLS. Where the load generator is the slower side, requests per second are its limit, not the server's: compare processor time then.",
];
