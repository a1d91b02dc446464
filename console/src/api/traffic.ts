/** Sums and rates of traffic figures, for what the control plane sends as points. */
import type { Traffic, TrafficPoint } from '#core/contract/stats.ts';

export interface TrafficView {
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  readonly totals: Traffic;
  /** Complete steps only. */
  readonly series: readonly TrafficPoint[];
}

export const NO_TRAFFIC: Traffic = {
  requests: 0,
  hits: 0,
  misses: 0,
  stale: 0,
  errors: 0,
  bytesToClients: 0,
  bytesFromOrigin: 0,
  bytesSaved: 0,
  hitRatio: null,
  firstByteMsMean: null,
  statusClasses: [0, 0, 0, 0, 0],
};

export function sumTraffic(points: readonly Traffic[]): Traffic {
  const sum = { ...NO_TRAFFIC, statusClasses: [0, 0, 0, 0, 0] as Traffic['statusClasses'] };
  let firstByteMsTotal = 0;
  for (const point of points) {
    sum.requests += point.requests;
    sum.hits += point.hits;
    sum.misses += point.misses;
    sum.stale += point.stale;
    sum.errors += point.errors;
    sum.bytesToClients += point.bytesToClients;
    sum.bytesFromOrigin += point.bytesFromOrigin;
    sum.bytesSaved += point.bytesSaved;
    firstByteMsTotal += (point.firstByteMsMean ?? 0) * point.requests;
    point.statusClasses.forEach((count, index) => {
      sum.statusClasses[index as 0] += count;
    });
  }
  if (sum.requests === 0) return sum;
  return {
    ...sum,
    hitRatio: (sum.hits + sum.stale) / sum.requests,
    firstByteMsMean: firstByteMsTotal / sum.requests,
  };
}

/** Leaves out the last step, which is the one going on: half filled, it would look like a drop. */
export function viewTraffic(answer: TrafficView): TrafficView {
  return { ...answer, series: answer.series.slice(0, -1) };
}

export function answeredFromCache(traffic: Traffic): number {
  return traffic.hits + traffic.stale;
}

/** Share of requests that failed, 0..1; null without requests. */
export function errorRatio(traffic: Traffic): number | null {
  return traffic.requests === 0 ? null : traffic.errors / traffic.requests;
}

/** Share of the bytes users got that the origin did not send, 0..1; null without bytes. */
export function savedRatio(traffic: Traffic): number | null {
  return traffic.bytesToClients === 0 ? null : traffic.bytesSaved / traffic.bytesToClients;
}
