/** The times that traffic is shown for, and the traffic of one of them. */
import { LIVE_WINDOW_SECONDS, type LiveStats } from '#core/contract/stats.ts';
import { useLiveStats, useStats } from './queries.ts';
import { sumTraffic, type TrafficView, viewTraffic } from './traffic.ts';

export const TIME_RANGES = [
  { value: '1m', label: '1 min', minutes: null },
  { value: '15m', label: '15 min', minutes: 15 },
  { value: '1h', label: '1 hour', minutes: 60 },
  { value: '24h', label: '24 hours', minutes: 1_440 },
  { value: '7d', label: '7 days', minutes: 10_080 },
] as const;

export type TimeRange = (typeof TIME_RANGES)[number]['value'];

const SHORTEST_KEPT_MINUTES = 15;

/** Minutes to ask the kept figures for; the last minute comes from the live ones. */
export function minutesOf(range: TimeRange): number {
  return TIME_RANGES.find(({ value }) => value === range)?.minutes ?? SHORTEST_KEPT_MINUTES;
}

function viewLive(live: LiveStats): TrafficView {
  const { at, series, stepSeconds } = live;
  const view = { from: at - LIVE_WINDOW_SECONDS * 1000, to: at, stepSeconds, series };
  return viewTraffic({ ...view, totals: sumTraffic(series) });
}

/** All traffic over a range; undefined before the first answer. */
export function useTraffic(range: TimeRange): {
  readonly view: TrafficView | undefined;
  readonly error: unknown;
} {
  const live = useLiveStats();
  const stats = useStats(minutesOf(range));
  if (range === '1m') return { view: live.data && viewLive(live.data), error: live.error };
  return { view: stats.data && viewTraffic(stats.data), error: stats.error };
}
