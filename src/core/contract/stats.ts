/** Operations that show traffic. All counts are sums over an interval; all moments are ms since the epoch. */
import { z } from 'zod';
import { API_PREFIX, defineRoute } from './route.ts';

/** Days that traffic per minute is kept. */
export const STATS_DAYS_KEPT = 7;
export const STATS_MINUTES_MAX = STATS_DAYS_KEPT * 24 * 60;
/** Points in a series at most; longer times get wider steps. */
export const STATS_POINTS_MAX = 180;
/** Sites and POPs that are shown one by one, the busiest first; all are in the totals. */
export const STATS_SERIES_MAX = 100;
/** How long the live window reaches back, seconds. */
export const LIVE_WINDOW_SECONDS = 60;

const trafficSchema = z.object({
  requests: z.number(),
  hits: z.number(),
  misses: z.number(),
  stale: z.number(),
  errors: z.number(),
  bytesToClients: z.number(),
  bytesFromOrigin: z.number(),
  /** Bytes that clients got and the origin did not have to send, never below 0. */
  bytesSaved: z.number(),
  /** (hits + stale) / requests, 0..1; null without requests. */
  hitRatio: z.number().nullable(),
  /** Mean from request head to first response byte, null without requests. */
  firstByteMsMean: z.number().nullable(),
  /** Requests by status class: 1xx, 2xx, 3xx, 4xx, 5xx. */
  statusClasses: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]),
});
export type Traffic = z.output<typeof trafficSchema>;

/** Traffic of the interval that begins at `at`. */
const trafficPointSchema = trafficSchema.extend({ at: z.number() });
export type TrafficPoint = z.output<typeof trafficPointSchema>;

/** Traffic of one site or POP; `series` has every step from `from` to `to`, quiet ones with zeros. */
const trafficSeriesSchema = z.object({
  id: z.string(),
  totals: trafficSchema,
  series: z.array(trafficPointSchema),
});

const statsSchema = z.object({
  from: z.number(),
  to: z.number(),
  stepSeconds: z.number(),
  totals: trafficSchema,
  series: z.array(trafficPointSchema),
  /** Those with traffic, the busiest first, at most STATS_SERIES_MAX; `pops` alike. */
  sites: z.array(trafficSeriesSchema),
  pops: z.array(trafficSeriesSchema),
});
export type Stats = z.output<typeof statsSchema>;

const liveSchema = z.object({
  id: z.string(),
  requestsPerSecond: z.number(),
  bytesPerSecond: z.number(),
  hitRatio: z.number().nullable(),
});

/** The last moments, from memory: for a map that moves. */
const liveStatsSchema = z.object({
  at: z.number(),
  /** Rates are means over this many seconds before `at`. */
  windowSeconds: z.number(),
  requestsPerSecond: z.number(),
  bytesPerSecond: z.number(),
  hitRatio: z.number().nullable(),
  sites: z.array(liveSchema),
  pops: z.array(liveSchema),
  /** All traffic in steps of the edges' reports, oldest first. */
  stepSeconds: z.number(),
  series: z.array(trafficPointSchema),
});
export type LiveStats = z.output<typeof liveStatsSchema>;

const tag = 'stats';

export const STATS_ROUTES = {
  getStats: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/stats`,
    summary: 'Traffic in total, per site and per POP over the last minutes',
    tag,
    auth: 'token',
    query: z.strictObject({
      minutes: z.coerce.number().int().min(1).max(STATS_MINUTES_MAX).default(60),
    }),
    status: 200,
    response: statsSchema,
  }),
  getLiveStats: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/stats/live`,
    summary: 'Traffic of this moment',
    tag,
    auth: 'token',
    status: 200,
    response: liveStatsSchema,
  }),
} as const;
