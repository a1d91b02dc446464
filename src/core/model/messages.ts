/**
 * Everything that travels between the parts of Perigee, by topic. Snapshots and purges go down from the
 * control plane, heartbeats, rollups and answers go up; planes never call each other.
 */
import type { Purge } from './purge.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Which part of Perigee a process is: `control`, `nameserver`, `edge:<edge id>/<worker number>`, or what serves an
 * edge's HTTP/3, `edge:<edge id>/http3`. While a part is replaced, its new process is `<name>~next` until it takes
 * over, and its old one `<name>~former<n>` from then on.
 */
export type PartName = string;

/** Counters of one site at one edge over an interval; added up by the control plane. */
export interface Rollup {
  readonly siteId: string;
  readonly popId: string;
  /** Start of the interval, ms since the epoch; intervals are ROLLUP_INTERVAL_MS long. */
  readonly startedAt: number;
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  /** Stale answers served while the origin was asked behind them, or because it failed. */
  readonly stale: number;
  readonly errors: number;
  readonly bytesToClients: number;
  readonly bytesFromOrigin: number;
  /** Sum of milliseconds from head received to first response byte, for a mean. */
  readonly firstByteMsTotal: number;
  /** Requests by status class: index 0 = 1xx … 4 = 5xx. */
  readonly statusClasses: readonly [number, number, number, number, number];
}

export const ROLLUP_INTERVAL_MS = 2_000;
export const HEARTBEAT_INTERVAL_MS = 1_000;
/** An edge that has reported and then is silent for longer than this is taken as down. */
export const HEARTBEAT_LEASE_MS = 4_000;

export interface Heartbeat {
  readonly edgeId: string;
  readonly popId: string;
  readonly worker: number;
  readonly sentAt: number;
  /** 0..1 of capacity, for steering; 0 when unknown. */
  readonly load: number;
}

/** The name server's table, for the console and metrics. */
export interface EdgeHealth {
  readonly edgeId: string;
  readonly popId: string;
  /** `unknown`: has never reported (not ours to judge yet); steering treats it as up. */
  readonly state: 'up' | 'down' | 'unknown';
  readonly reason: string;
  /** ms since the epoch. */
  readonly since: number;
}

/** One of the places an edge worker keeps responses in; `shared memory` and `disk` are the same for all its workers. */
export interface StorageTier {
  readonly tier: 'memory' | 'shared memory' | 'disk';
  readonly storedResponses: number;
  readonly bodyBytes: number;
  readonly budgetBytes: number;
  /** This worker's lookups that found something there. */
  readonly hits: number;
  readonly evictions: number;
  readonly refusals: number;
}

export interface PartStatus {
  readonly part: PartName;
  readonly generation: number;
  readonly startedAt: number;
  readonly residentBytes: number;
  /** Cache figures for edges, null for other parts. */
  readonly storage: {
    readonly storedResponses: number;
    readonly bodyBytes: number;
    readonly budgetBytes: number;
    /** Why responses are kept otherwise than the operator asked for; null: they are not. */
    readonly problem: string | null;
    readonly tiers: readonly StorageTier[];
  } | null;
  /** Plain counters by metric name, for /metrics: names as Prometheus has them, without labels. */
  readonly counters: Readonly<Record<string, number>>;
}

/** A part of the purge log, in its order. */
export interface PurgesPage {
  /** At most PURGES_PER_PAGE; fewer: they are the last. */
  readonly purges: readonly Purge[];
  /** Purges before this position are not in the log any more. */
  readonly unknownBefore: number;
}

export const PURGES_PER_PAGE = 5_000;

/** What an edge says of a URL without serving it. */
export interface CacheExplanation {
  readonly part: PartName;
  readonly siteId: string | null;
  readonly cacheKey: string | null;
  /** Index and text of the rule that applies, null when none. */
  readonly rule: { readonly index: number; readonly description: string } | null;
  readonly decision: string;
  readonly stored: {
    readonly status: number;
    readonly ageSeconds: number;
    readonly freshnessLifetimeSeconds: number;
    readonly isFresh: boolean;
    readonly bodyLength: number;
    readonly etag: string | null;
    readonly tags: readonly string[];
  } | null;
}

/** What an edge worker has stored for a URL. */
export interface CacheInspection {
  readonly part: PartName;
  readonly siteId: string | null;
  readonly cacheKey: string | null;
  readonly responses: readonly InspectedResponse[];
}

export interface InspectedResponse {
  readonly tier: StorageTier['tier'];
  readonly state: 'fresh' | 'stale' | 'purged' | 'invalidated';
  readonly status: number;
  readonly contentType: string | null;
  /** `name: value` of the request fields that it was selected by. */
  readonly variesOn: readonly string[];
  readonly bodyLength: number;
  readonly ageSeconds: number;
  readonly freshnessLifetimeSeconds: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly tags: readonly string[];
}

/** What a worker used most of what is stored, from a sample. */
export interface PopularResponses {
  readonly part: PartName;
  /** ms since the epoch. */
  readonly since: number;
  readonly responses: readonly PopularResponse[];
}

export interface PopularResponse {
  readonly url: string;
  readonly siteId: string;
  readonly uses: number;
  readonly bodyLength: number;
}

/** Where would a client be sent? */
export interface SteeringQuestion {
  readonly host: string;
  readonly clientAddress: string;
  /** When given, the client is taken to be here, whatever is known of its address (a user named a city). */
  readonly clientPlace?: {
    readonly name: string;
    readonly latitude: number;
    readonly longitude: number;
    readonly country: string | null;
  };
}

/** What the name server says of a query without answering it. */
export interface SteeringExplanation {
  readonly name: string;
  readonly client: {
    readonly address: string;
    readonly network: string;
    readonly place: string;
    readonly latitude: number | null;
    readonly longitude: number | null;
    readonly country: string | null;
    /** `given`: the asker named the place. */
    readonly source: 'operator' | 'geo-database' | 'given' | 'none';
  };
  /** In order of preference. */
  readonly candidates: readonly {
    readonly popId: string;
    readonly name: string;
    readonly distanceKm: number | null;
    readonly costMs: number | null;
    readonly isUsable: boolean;
    readonly reason: string;
    readonly addresses: readonly string[];
  }[];
  readonly chosenPopId: string | null;
}

/** One-way messages: topic → payload. */
export interface Publications {
  snapshot: Snapshot;
  heartbeat: Heartbeat;
  rollups: readonly Rollup[];
}

/** Questions with answers: topic → [question, answer]. Every live part that answers the topic is asked. */
export interface Requests {
  purge: [Purge, { readonly purgedResponses: number }];
  /** Of the control plane: the purges behind a position, which it will go on above, wherever its log ends. */
  'purges-after': [{ readonly position: number }, PurgesPage];
  status: [null, PartStatus];
  'explain-cache': [{ readonly url: string }, CacheExplanation];
  'inspect-cache': [{ readonly url: string }, CacheInspection];
  popular: [{ readonly limit: number }, PopularResponses];
  'explain-steering': [SteeringQuestion, SteeringExplanation];
  health: [null, readonly EdgeHealth[]];
}
