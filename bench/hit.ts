/**
 * What a cache costs that has what is asked for: hits of several sizes over HTTP/1.1, TLS and HTTP/2, large
 * downloads, one of them passed through from the origin, full TLS handshakes, idle connections. Perigee beside
 * its peers in front of the same origin, in turns. The origin counts its requests: a measurement of
 * hits in which it saw any fails.
 */
import type { BenchOptions, BenchResult, Figures } from './bench-result.ts';
import { HOST, type RunningCache } from './caches/cache.ts';
import { type Fleet, withFleet } from './caches/fleet.ts';
import { measureIdleConnections } from './support/idle-connections.ts';
import {
  type Load,
  type LoadOutcome,
  type LoadTool,
  measureDownload,
  measureLoad,
  type Protocol,
  perGibibyte,
  perRequest,
} from './support/load.ts';
import { CLIENT_CORE, SERVER_CORE, versionOf } from './support/programs.ts';
import { ratiosOf } from './support/ratios.ts';
import { measureInTurns, type Scenario, TakesNoPart } from './support/rounds.ts';
import { type BodySize, SIZES } from './support/static-origin.ts';

const CONNECTIONS = 64;
const HTTP2_STREAMS = 10;
const DOWNLOADS = 4;
/** New connections under way at one time. */
const HANDSHAKES = 16;
const IDLE_CONNECTIONS = 10_000;

type CacheScenario = Scenario<RunningCache>;

const PROTOCOLS: readonly Protocol[] = ['http/1.1', 'http/1.1+tls', 'h2+tls'];
const LOADS: readonly (readonly [Protocol, LoadTool])[] = [
  ['http/1.1', 'wrk'],
  ['http/1.1', 'h2load'],
  ['http/1.1+tls', 'wrk'],
  ['http/1.1+tls', 'h2load'],
  ['h2+tls', 'h2load'],
];

function scenarios(fleet: Fleet): CacheScenario[] {
  const sizes = [SIZES.small, SIZES.medium, SIZES.large];
  return [
    ...LOADS.flatMap(([protocol, tool]) =>
      sizes.map((size) =>
        hits(fleet, size, { tool, protocol, path: `/stored/${size.file}`, ...shapeOf(protocol) }, perRequest),
      ),
    ),
    ...PROTOCOLS.map((protocol) => {
      const path = `/stored/${SIZES.download.file}`;
      const load: Load = { tool: 'h2load', protocol, path, connections: DOWNLOADS, streams: 1 };
      return hits(fleet, SIZES.download, load, (outcome) => perGibibyte(outcome, SIZES.download));
    }),
    ...PROTOCOLS.map((protocol) => passThrough(protocol)),
    handshakes(fleet),
    idleConnections(fleet),
  ];
}

function shapeOf(protocol: Protocol): { connections: number; streams: number } {
  return { connections: CONNECTIONS, streams: protocol === 'h2+tls' ? HTTP2_STREAMS : 1 };
}

/** A load of hits. A cache that does not keep the response takes no part. */
function hits(
  fleet: Fleet,
  size: BodySize,
  load: Load,
  figuresOf: (outcome: LoadOutcome | null) => Figures | null,
  name = `${size.label}, ${load.protocol}, ${load.tool}`,
): CacheScenario {
  const { origin } = fleet;
  return {
    name,
    async play(cache, seconds, isWarmUp) {
      const before = await origin.requests();
      const figures = figuresOf(await measureLoad(cache, load, seconds));
      if (figures === null) return null;
      if (isWarmUp) await requireKept(fleet, cache, load.path);
      else if ((await origin.requests()) !== before)
        throw new Error('the origin was asked: these were no hits');
      return figures;
    },
  };
}

async function requireKept({ origin }: Fleet, cache: RunningCache, path: string): Promise<void> {
  const before = await origin.requests();
  await (await fetch(`http://${HOST}:${cache.httpPort}${path}`)).arrayBuffer();
  const after = await origin.requests();
  // Where http and https are stored apart, the first request of http is a miss.
  await (await fetch(`http://${HOST}:${cache.httpPort}${path}`)).arrayBuffer();
  if ((await origin.requests()) === after) return;
  throw new TakesNoPart(`it does not keep this response (the origin was asked ${after - before + 1} times)`);
}

function passThrough(protocol: Protocol): CacheScenario {
  const size = SIZES.huge;
  return {
    name: `${size.label} passed through, ${protocol}, curl`,
    play: (cache, _seconds, isWarmUp) => {
      const { file, bytes } = isWarmUp ? SIZES.download : size;
      return measureDownload(cache, protocol, `/private/${file}`, bytes);
    },
  };
}

/** Each request on a connection of its own; no session is resumed. */
function handshakes(fleet: Fleet): CacheScenario {
  const load: Load = {
    tool: 'wrk',
    protocol: 'http/1.1+tls',
    path: `/stored/${SIZES.small.file}`,
    connections: HANDSHAKES,
    streams: 1,
    fields: ['Connection: close'],
  };
  return hits(fleet, SIZES.small, load, handshakeFigures, 'full TLS handshake and one hit of 1 KiB, wrk');
}

function handshakeFigures(outcome: LoadOutcome | null): Figures | null {
  if (outcome === null) return null;
  const { requests, requestsPerSecond, cpuSeconds } = outcome;
  return {
    handshakesPerSecond: requestsPerSecond,
    cpuMicrosecondsPerHandshake: (cpuSeconds * 1e6) / requests,
  };
}

/** Of a cache that nobody has used yet: memory once taken is seldom given back. */
function idleConnections(fleet: Fleet): CacheScenario {
  return {
    name: `${IDLE_CONNECTIONS.toLocaleString('en')} idle TLS connections`,
    async play(cache, _seconds, isWarmUp) {
      if (cache.httpsPort === null) return null;
      if (isWarmUp) return {};
      const fresh = await fleet.startAnother(cache);
      try {
        return await measureIdleConnections(fresh, IDLE_CONNECTIONS);
      } finally {
        await fresh.server.stop();
      }
    },
  };
}

export function run(options: BenchOptions): Promise<BenchResult> {
  return withFleet(options, ['wrk', 'h2load', 'curl'], async (fleet) => {
    const { rows, leftOut } = await measureInTurns(fleet.caches, scenarios(fleet), options);
    return {
      bench: 'hit',
      description: DESCRIPTION,
      rows,
      ratios: ratiosOf(rows, 'perigee'),
      versions: {
        ...fleet.versions,
        wrk: versionOf('wrk', '-v', /wrk (\S+)/),
        h2load: versionOf('h2load', '--version', /nghttp2\/(\S+)/),
        curl: versionOf('curl', '--version', /curl (\S+)/),
      },
      notes: [...NOTES, ...leftOut],
    };
  });
}

const DESCRIPTION = `hits from memory; servers on core ${SERVER_CORE}, load generator and origin on core ${CLIENT_CORE}, all on loopback`;

const NOTES = [
  'Each figure is the median of the rounds in which the caches took turns, each ratio the median of the ratios of those rounds; all caches run all the time, those whose turn it is not are idle.',
  'One server each: Perigee with one edge worker, nginx with one worker, HAProxy with one thread, Traffic Server with one event thread, Varnish with one thread pool, all confined to the same single core. Processor time is that of all processes of a server (for Perigee: supervisor, control plane and name server too), divided by what the load generator counted.',
  `Requests come over ${CONNECTIONS} kept connections without pipelining; over HTTP/2 with ${HTTP2_STREAMS} streams on each. Downloads of 16 MiB come over ${DOWNLOADS} connections, 1 GiB over one.`,
  'nginx serves from files in the page cache with sendfile and an open file cache, its access log off; Varnish keeps its shared-memory log, which cannot be turned off; HAProxy splices what it passes on; Traffic Server serves from its RAM cache, its logs off. Perigee keeps counting requests for metrics and statistics and writes no access log either.',
  "Varnish speaks no TLS. Where the load generator is the slower side, requests per second are its limit, not the server's: compare processor time then.",
  'Bytes per idle connection are the growth of the proportional set size of all processes from 2,000 to 10,000 connections, each of which has been answered once; kernel memory is not in it.',
];
