/** Sums of traffic: adding up edges' rollups and database rows, and showing them as the API does. Pure. */
import type { Traffic } from '#core/contract/stats.ts';
import type { Rollup } from '#core/model/messages.ts';

/** Sums over some interval, site and POP. Fields are as in `Rollup`. */
export interface Counters {
  requests: number;
  hits: number;
  misses: number;
  stale: number;
  errors: number;
  bytesToClients: number;
  bytesFromOrigin: number;
  firstByteMsTotal: number;
  statusClasses: [number, number, number, number, number];
}

export function emptyCounters(): Counters {
  return {
    requests: 0,
    hits: 0,
    misses: 0,
    stale: 0,
    errors: 0,
    bytesToClients: 0,
    bytesFromOrigin: 0,
    firstByteMsTotal: 0,
    statusClasses: [0, 0, 0, 0, 0],
  };
}

/** Adds `more` to `sum`, in place. */
export function addCounters(
  sum: Counters,
  more: Readonly<Omit<Counters, 'statusClasses'>> & Pick<Rollup, 'statusClasses'>,
): void {
  sum.requests += more.requests;
  sum.hits += more.hits;
  sum.misses += more.misses;
  sum.stale += more.stale;
  sum.errors += more.errors;
  sum.bytesToClients += more.bytesToClients;
  sum.bytesFromOrigin += more.bytesFromOrigin;
  sum.firstByteMsTotal += more.firstByteMsTotal;
  for (let i = 0; i < 5; i++)
    sum.statusClasses[i] = (sum.statusClasses[i] ?? 0) + (more.statusClasses[i] ?? 0);
}

/** Whether a rollup can be counted at all: one bad number would spoil every sum it enters. */
export function isSoundRollup(rollup: Rollup): boolean {
  const { siteId, popId, startedAt, statusClasses, ...counts } = rollup;
  const numbers: unknown[] = [startedAt, ...Object.values(counts), ...statusClasses];
  const areCounts = numbers.every(
    (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  );
  return areCounts && typeof siteId === 'string' && typeof popId === 'string';
}

export function toTraffic(counters: Counters): Traffic {
  const { firstByteMsTotal, statusClasses, ...plain } = counters;
  return {
    ...plain,
    bytesSaved: Math.max(0, counters.bytesToClients - counters.bytesFromOrigin),
    hitRatio: hitRatio(counters),
    firstByteMsMean: counters.requests === 0 ? null : firstByteMsTotal / counters.requests,
    statusClasses: [...statusClasses],
  };
}

/** Requests that did not wait for the origin, of all; null without requests. */
export function hitRatio({ requests, hits, stale }: Counters): number | null {
  return requests === 0 ? null : Math.min(1, (hits + stale) / requests);
}
