/**
 * One edge worker put together: listeners, the road, storage, the client to origins, and its place on the bus.
 * It serves from the last snapshot it verified and needs nobody to answer a user.
 */
import { AppError } from '#core/base/app-error.ts';
import { PurgeTable } from '#core/caching/purge-table.ts';
import { HEARTBEAT_INTERVAL_MS, type PartStatus } from '#core/model/messages.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { holdSnapshot } from '#platform/snapshot-holder.ts';
import { catchUp } from './catch-up.ts';
import { Collapse } from './collapse.ts';
import { Configuration } from './configuration.ts';
import { explainCache } from './explain.ts';
import { FailureLog } from './failure-log.ts';
import { Geography } from './geography.ts';
import { HTTP3_LIMITS } from './http3/limits.ts';
import { Http3Listener } from './http3/listener.ts';
import { inspectCache } from './inspect.ts';
import { ROAD_LIMITS } from './limits.ts';
import { type Listeners, listen } from './listen.ts';
import { createOriginClient } from './origin/create-origin-client.ts';
import type { Http1Client } from './origin/http1-client.ts';
import { Popular } from './popular.ts';
import { takePurge } from './purge.ts';
import { PurgeJournal } from './purge-journal.ts';
import { Recorder } from './record.ts';
import type { Road } from './road.ts';
import { SearchRules } from './search-rules.ts';
import { serve } from './serve.ts';
import { STORAGE_LIMITS } from './storage/limits.ts';
import { type OpenedStorage, openStorage, type StorageOptions } from './storage/open-storage.ts';
import type { Storage } from './storage/storage.ts';
import { TracedStorage } from './storage/traced-storage.ts';
import { storageStatus } from './storage-status.ts';
import { CertificateStore } from './tls/certificate-store.ts';
import { TraceLog, type TraceOptions } from './trace-log.ts';
import { type TunnelLimits, Tunnels } from './tunnels.ts';

export interface EdgeOptions {
  readonly edgeId: string;
  readonly popId: string;
  /** Number of this worker within its edge, from 0. */
  readonly worker: number;
  /** Null: no such listener. */
  readonly http: ListenAddress | null;
  readonly https: ListenAddress | null;
  /** Where HTTP/3 is served over UDP, by this worker alone; null or missing: not here. */
  readonly http3?: ListenAddress | null;
  /** Where another worker of this edge serves HTTP/3, to be advertised over TLS; null or missing: nowhere. */
  readonly http3Port?: number | null;
  /** Networks of load balancers, which send PROXY protocol headers (`listen.ts`); null: none. */
  readonly proxySources?: readonly string[] | null;
  /** Whether plain connections may speak HTTP/2 with prior knowledge; not unless said. */
  readonly acceptsH2c?: boolean;
  /** Local address of connections to origins; null: the system's choice. */
  readonly egressAddress: string | null;
  /** Where responses are stored. */
  readonly storage: StorageOptions;
  /** File in which this worker notes purges, beside those of its edge's other workers; null or missing: nowhere. */
  readonly purgeJournal?: string | null;
  /** The compiled geography database; null or missing: none here. */
  readonly geoFile?: string | null;
  /** Where the last good snapshot is kept. */
  readonly snapshotFile: string;
  /** Does not listen before it has a snapshot of this generation or a later one; 0 unless said. */
  readonly generationMin?: number;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where lookups are written down for simulations; null or missing: nowhere. */
  readonly trace?: TraceOptions | null;
  /** Writes a log line per exchange; off unless said. */
  readonly isAccessLogged?: boolean;
  /** Departures from the bounds of the client to origins, for tests. */
  readonly originClient?: Http1Client;
  /** Departures from `TUNNEL_LIMITS`, for tests. */
  readonly tunnelLimits?: Partial<TunnelLimits>;
}

export interface RunningEdge {
  readonly http: ListenAddress | null;
  readonly https: ListenAddress | null;
  /** Null also until there is a certificate to serve with. */
  readonly http3: ListenAddress | null;
  /** Stops accepting, lets exchanges in flight finish within a bound, and frees everything. */
  close(): Promise<void>;
  /**
   * The same, but without losing anything to a successor that accepts from the same sockets (`listen.ts`).
   * Snapshots and purges are followed to the end: open connections may still bring requests.
   */
  handOver(withinMs: number): Promise<void>;
}

/**
 * Starts a worker. Throws AppError when an address cannot be had, the budget is too small, or the generation
 * asked for does not come.
 */
export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  const { bus, clock, log, egressAddress } = options;
  const opened = openStorageOf(options);
  const client = options.originClient ?? createOriginClient({ egressAddress, clock });
  const road = makeRoad(options, client, opened.storage);
  const journal = new PurgeJournal(options.purgeJournal ?? null);
  journal.read(road.purges, log);
  const certificates = new CertificateStore(log);
  const http3 = createHttp3Listener(options, road);
  // Purges that come with the first snapshot must find somebody to apply them.
  bus.respond('purge', (purge) => takePurge(road, journal, purge));
  const holder = await holdSnapshot({
    bus,
    file: options.snapshotFile,
    log,
    onSwap(snapshot) {
      const configuration = new Configuration(snapshot);
      certificates.replace(snapshot.certificates, configuration.tlsPolicies);
      http3?.follow(snapshot.certificates);
      road.configuration = configuration;
    },
  });
  let listeners: Listeners;
  let stopFollowing = (): void => {};
  try {
    await holder.reached(options.generationMin ?? 0);
    // Purges that were sent before it was there to take them.
    const catchUpNow = () => catchUp(road, bus, journal);
    await catchUpNow();
    // A control plane that was away may know of more.
    stopFollowing = bus.subscribe('snapshot', () => void catchUpNow());
    http3?.start();
    const { http, https, http3Port = null, proxySources = null, acceptsH2c = false } = options;
    const handler = serve.bind(null, road);
    const ways = { http, https, http3Port, proxySources, acceptsH2c, reusePort: true };
    listeners = await listen({ ...ways, handler, certificates, clock, log });
  } catch (error) {
    await http3?.close(0);
    holder.close();
    stopFollowing();
    await closeRoad(road);
    throw error;
  }
  const startedAt = clock.now();
  bus.respond('status', () => statusOf(road, options, opened, listeners, http3, client, startedAt));
  bus.respond('explain-cache', ({ url }) => explainCache(road, bus.self, url));
  bus.respond('inspect-cache', ({ url }) => inspectCache(road, bus.self, url));
  bus.respond('popular', ({ limit }) => ({ part: bus.self, ...road.popular.top(limit) }));
  // Whether users can be sent here is for the workers of TCP to say.
  const heart = http3 === null ? beat(options) : null;
  let freed: Promise<void> | null = null;
  /** Once, however often the worker is told to end. */
  async function end(drained: Promise<void>): Promise<void> {
    if (heart !== null) clearInterval(heart);
    await Promise.all([drained, http3?.close(ROAD_LIMITS.drainMsMax)]);
    holder.close();
    stopFollowing();
    freed ??= closeRoad(road);
    await freed;
  }
  return {
    http: listeners.http,
    https: listeners.https,
    get http3() {
      return http3?.address ?? null;
    },
    close: () => end(listeners.close(ROAD_LIMITS.drainMsMax)),
    handOver: (withinMs) => end(listeners.handOver(withinMs)),
  };
}

function openStorageOf({ storage, log }: EdgeOptions): OpenedStorage {
  if (storage.ownBytes < STORAGE_LIMITS.memoryBytesMin) {
    throw new AppError(
      'invalid',
      `an edge needs at least ${STORAGE_LIMITS.memoryBytesMin} bytes of memory for its cache, not ${storage.ownBytes}`,
    );
  }
  const opened = openStorage(storage, log);
  const { problem } = opened;
  if (problem !== null) log.warn({ cause: problem }, 'responses are stored otherwise than asked for');
  return opened;
}

function makeRoad(options: EdgeOptions, originClient: Http1Client, storage: Storage): Road {
  const { bus, clock, log, popId, isAccessLogged = false } = options;
  const trace = options.trace == null ? null : new TraceLog(options.trace, log);
  return {
    storage: trace === null ? storage : new TracedStorage(storage, trace.stored.bind(trace)),
    trace,
    popular: new Popular(clock),
    originClient,
    collapse: new Collapse(),
    purges: new PurgeTable(),
    recorder: new Recorder({ bus, clock, log, popId, isAccessLogged }),
    failureLog: new FailureLog(clock, log),
    tunnels: new Tunnels(options.tunnelLimits),
    clock,
    log,
    searchRules: new SearchRules(),
    geography: new Geography(options.geoFile ?? null, clock, log),
    configuration: null,
    backgroundValidations: 0,
  };
}

function createHttp3Listener(options: EdgeOptions, road: Road): Http3Listener | null {
  const { http3 = null, clock, log, storage } = options;
  if (http3 === null) return null;
  return new Http3Listener({
    address: http3,
    handler: serve.bind(null, road),
    clock,
    log,
    // Large bodies that were served are there twice (`http3/response-body.ts`); shared memory counts, too.
    residentBytesMax:
      2 * (storage.ownBytes + (storage.shared?.insteadBytes ?? 0)) +
      (storage.shared?.byteLength ?? 0) +
      HTTP3_LIMITS.residentBytesMax,
  });
}

async function closeRoad(road: Road): Promise<void> {
  road.recorder.close();
  await road.originClient.close();
  await road.storage.close();
  await road.trace?.close();
}

/** Tells the name servers that this worker lives, and how busy it is. */
function beat(options: EdgeOptions): ReturnType<typeof setInterval> {
  const { bus, clock, edgeId, popId, worker } = options;
  let before = process.cpuUsage();
  let beforeAt = performance.now();
  const publish = (): void => {
    const { user, system } = process.cpuUsage(before);
    const elapsedMs = performance.now() - beforeAt;
    before = process.cpuUsage();
    beforeAt = performance.now();
    const load = elapsedMs <= 0 ? 0 : Math.min(1, (user + system) / 1000 / elapsedMs);
    bus.publish('heartbeat', { edgeId, popId, worker, sentAt: clock.now(), load });
  };
  publish();
  return setInterval(publish, HEARTBEAT_INTERVAL_MS);
}

function statusOf(
  road: Road,
  options: EdgeOptions,
  opened: OpenedStorage,
  listeners: Listeners,
  http3: Http3Listener | null,
  client: Http1Client,
  startedAt: number,
): PartStatus {
  const { chargedBytes, admissions, evictions, refusals } = road.storage.statistics();
  const { http, https, exchanges, refusals: refusedRequests } = listeners.statistics();
  const overHttp3 = http3?.statistics();
  const origin = client.connections();
  const counters: Record<string, number> = {
    ...road.recorder.totals(),
    perigee_edge_exchanges_total: exchanges + (overHttp3?.exchanges ?? 0),
    perigee_edge_connections_open: (http?.open ?? 0) + (https?.open ?? 0),
    perigee_edge_connections_total: (http?.accepted ?? 0) + (https?.accepted ?? 0),
    perigee_edge_origin_connections_open: origin.open,
    perigee_edge_origin_connections_idle: origin.idle,
    perigee_edge_fills_open: road.collapse.size,
    perigee_edge_tunnels_open: road.tunnels.size,
    perigee_edge_storage_charged_bytes: chargedBytes,
    perigee_edge_storage_admissions_total: admissions,
    perigee_edge_storage_evictions_total: evictions,
    perigee_edge_storage_refusals_total: refusals,
  };
  if (overHttp3 !== undefined) {
    counters.perigee_edge_http3_renewals_total = overHttp3.renewals;
    counters.perigee_edge_http3_responses_unfinished = overHttp3.unfinished;
  }
  for (const [reason, count] of Object.entries({ ...refusedRequests, ...overHttp3?.refusals })) {
    counters[`perigee_edge_refused_${reason.replace(/[^a-zA-Z0-9]/g, '_')}_total`] = count;
  }
  return {
    part: options.bus.self,
    generation: road.configuration?.generation ?? 0,
    startedAt,
    residentBytes: process.memoryUsage.rss(),
    storage: storageStatus(opened),
    counters,
  };
}
