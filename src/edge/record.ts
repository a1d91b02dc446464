/**
 * One record per exchange: counters by site, published at intervals and then forgotten, and totals for
 * the status of this worker. Plain fields, added up elsewhere; nothing here waits or grows without bound.
 */
import type { ForwardReason } from '#core/caching/decision.ts';
import { ROLLUP_INTERVAL_MS, type Rollup } from '#core/model/messages.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Exchange } from './exchange.ts';
import { ROAD_LIMITS } from './limits.ts';

/**
 * How a request was handled: `hit` and `served-stale` from what is stored, the RFC 9211 `fwd` token when the
 * origin's answer was used, `error` when the edge answered itself because something was wrong.
 */
export type Handling = 'hit' | 'served-stale' | 'error' | ForwardReason;

class SiteCounters {
  requests = 0;
  hits = 0;
  misses = 0;
  stale = 0;
  errors = 0;
  bytesToClients = 0;
  bytesFromOrigin = 0;
  firstByteMsTotal = 0;
  readonly statusClasses: [number, number, number, number, number] = [0, 0, 0, 0, 0];
}

export interface ExchangeRecord {
  readonly exchange: Exchange;
  /** Null where no site was found. */
  readonly siteId: string | null;
  readonly handling: Handling;
  readonly status: number;
  readonly bodyBytes: number;
  /** ms since the epoch at which the first byte was handed to the listener. */
  readonly firstByteAt: number;
}

export interface RecorderOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly popId: string;
  /** Writes a line per exchange. */
  readonly isAccessLogged: boolean;
}

export class Recorder {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #popId: string;
  readonly #isAccessLogged: boolean;
  readonly #timer: ReturnType<typeof setInterval>;
  #sites = new Map<string, SiteCounters>();
  #startedAt: number;
  readonly #handled: Record<Handling, number> = {
    hit: 0,
    'served-stale': 0,
    error: 0,
    bypass: 0,
    method: 0,
    'uri-miss': 0,
    'vary-miss': 0,
    miss: 0,
    request: 0,
    stale: 0,
    partial: 0,
  };
  readonly #requests = { '1.0': 0, '1.1': 0, '2': 0, '3': 0 };
  readonly #events = new Map<string, number>();

  constructor(options: RecorderOptions) {
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#popId = options.popId;
    this.#isAccessLogged = options.isAccessLogged;
    this.#startedAt = this.#clock.now();
    this.#timer = setInterval(() => this.publish(), ROLLUP_INTERVAL_MS);
  }

  /** Counts a hit: the hot path's form of `record`. It is answered in the turn that read it, so its first byte took 0 ms. */
  recordHit(exchange: Exchange, siteId: string, status: number, bodyBytes: number): void {
    const counters = this.#countersOf(siteId);
    counters.requests++;
    counters.hits++;
    counters.bytesToClients += bodyBytes;
    countStatus(counters, status);
    this.#handled.hit++;
    this.#requests[exchange.request.httpVersion]++;
    if (this.#isAccessLogged) this.#logLine(exchange, siteId, 'hit', status, bodyBytes);
  }

  record(record: ExchangeRecord): void {
    const { exchange, siteId, handling, status, bodyBytes } = record;
    this.#handled[handling]++;
    this.#requests[exchange.request.httpVersion]++;
    if (this.#isAccessLogged) this.#logLine(exchange, siteId, handling, status, bodyBytes);
    if (siteId === null) return;
    const counters = this.#countersOf(siteId);
    counters.requests++;
    if (handling === 'hit') counters.hits++;
    else if (handling === 'served-stale') counters.stale++;
    else if (handling === 'error') counters.errors++;
    else counters.misses++;
    counters.bytesToClients += bodyBytes;
    counters.firstByteMsTotal += Math.max(0, record.firstByteAt - exchange.receivedAt);
    countStatus(counters, status);
  }

  recordFromOrigin(siteId: string, bodyBytes: number): void {
    this.#countersOf(siteId).bytesFromOrigin += bodyBytes;
  }

  /** Counts something worth knowing, such as `origin_failures_connection_refused`; `name` from a closed set. */
  count(name: string, amount = 1): void {
    this.#events.set(name, (this.#events.get(name) ?? 0) + amount);
  }

  /** Totals since the start, by metric name. */
  totals(): Record<string, number> {
    const requests = this.#requests;
    const totals: Record<string, number> = {
      perigee_edge_requests_http1_total: requests['1.0'] + requests['1.1'],
      perigee_edge_requests_http2_total: requests['2'],
      perigee_edge_requests_http3_total: requests['3'],
    };
    for (const [handling, count] of Object.entries(this.#handled)) {
      totals[`perigee_edge_requests_${handling.replaceAll('-', '_')}_total`] = count;
    }
    for (const [name, count] of this.#events)
      totals[`perigee_edge_${name.replaceAll('-', '_')}_total`] = count;
    return totals;
  }

  /** Publishes the interval's rollups, if there was traffic, and begins the next. */
  publish(): void {
    const startedAt = this.#startedAt;
    this.#startedAt = this.#clock.now();
    if (this.#sites.size === 0) return;
    const rollups: Rollup[] = [];
    for (const [siteId, counters] of this.#sites) {
      rollups.push({ siteId, popId: this.#popId, startedAt, ...counters });
    }
    this.#sites = new Map();
    this.#bus.publish('rollups', rollups);
  }

  close(): void {
    clearInterval(this.#timer);
    this.publish();
  }

  #countersOf(siteId: string): SiteCounters {
    let counters = this.#sites.get(siteId);
    if (counters === undefined) {
      counters = new SiteCounters();
      if (this.#sites.size < ROAD_LIMITS.recordedSitesMax) this.#sites.set(siteId, counters);
    }
    return counters;
  }

  #logLine(
    exchange: Exchange,
    siteId: string | null,
    handling: Handling,
    status: number,
    bodyBytes: number,
  ): void {
    const { request, connection } = exchange;
    const line = {
      exchange: exchange.id,
      client: connection.clientAddress,
      site: siteId,
      method: request.method,
      host: request.authority,
      target: request.target.slice(0, ROAD_LIMITS.loggedTargetCharactersMax),
      handling,
      status,
      bodyBytes,
    };
    this.#log.info(line, 'exchange');
  }
}

function countStatus(counters: SiteCounters, status: number): void {
  const statusClass = Math.floor(status / 100) - 1;
  if (statusClass >= 0 && statusClass < 5) {
    counters.statusClasses[statusClass] = (counters.statusClasses[statusClass] as number) + 1;
  }
}
