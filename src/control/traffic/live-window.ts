/**
 * The last minute of traffic, in memory, in steps of the edges' rollups: what a map that moves shows. Steps
 * are a ring by time; a rollup that comes after its step has left the window is not counted here.
 */
import { LIVE_WINDOW_SECONDS, type LiveStats } from '#core/contract/stats.ts';
import { ROLLUP_INTERVAL_MS, type Rollup } from '#core/model/messages.ts';
import type { Clock } from '#platform/clock.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { addCounters, type Counters, emptyCounters, hitRatio, toTraffic } from './counters.ts';

const WINDOW_MS = LIVE_WINDOW_SECONDS * 1000;
/** Rates are taken over the last whole steps before this one, whose rollups are still on their way. */
const RATE_MS = 5 * ROLLUP_INTERVAL_MS;
const LATE_MS = ROLLUP_INTERVAL_MS;

interface Step {
  readonly all: Counters;
  readonly sites: Map<string, Counters>;
  readonly pops: Map<string, Counters>;
}

export class LiveWindow {
  readonly #clock: Clock;
  /** By start, ms since the epoch. */
  readonly #steps = new Map<number, Step>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(rollup: Rollup): void {
    const now = this.#clock.now();
    const startedAt = stepOf(rollup.startedAt);
    if (startedAt <= now - WINDOW_MS || startedAt > now + WINDOW_MS) return;
    let step = this.#steps.get(startedAt);
    if (step === undefined) {
      this.#forget(now);
      step = { all: emptyCounters(), sites: new Map(), pops: new Map() };
      this.#steps.set(startedAt, step);
    }
    addCounters(step.all, rollup);
    addTo(step.sites, rollup.siteId, rollup);
    addTo(step.pops, rollup.popId, rollup);
  }

  view(): LiveStats {
    const now = this.#clock.now();
    this.#forget(now);
    const end = stepOf(now - LATE_MS);
    const recent = [...this.#steps].filter(([start]) => start >= end - RATE_MS && start < end);
    const all = emptyCounters();
    for (const [, step] of recent) addCounters(all, step.all);
    const series: LiveStats['series'] = [];
    const first = stepOf(now - WINDOW_MS) + ROLLUP_INTERVAL_MS;
    for (let at = first; at < end; at += ROLLUP_INTERVAL_MS) {
      series.push({ at, ...toTraffic(this.#steps.get(at)?.all ?? emptyCounters()) });
    }
    return {
      at: now,
      windowSeconds: RATE_MS / 1000,
      ...rates(all),
      sites: ratesById(recent.map(([, step]) => step.sites)),
      pops: ratesById(recent.map(([, step]) => step.pops)),
      stepSeconds: ROLLUP_INTERVAL_MS / 1000,
      series,
    };
  }

  #forget(now: number): void {
    for (const start of this.#steps.keys()) {
      if (start <= now - WINDOW_MS || start > now + WINDOW_MS) this.#steps.delete(start);
    }
  }
}

function stepOf(moment: number): number {
  return Math.floor(moment / ROLLUP_INTERVAL_MS) * ROLLUP_INTERVAL_MS;
}

function addTo(counters: Map<string, Counters>, id: string, rollup: Rollup): void {
  let sum = counters.get(id);
  if (sum === undefined) {
    if (counters.size >= CONTROL_LIMITS.liveSitesMax) return;
    sum = emptyCounters();
    counters.set(id, sum);
  }
  addCounters(sum, rollup);
}

function ratesById(steps: readonly ReadonlyMap<string, Counters>[]): LiveStats['sites'] {
  const sums = new Map<string, Counters>();
  for (const step of steps) {
    for (const [id, counters] of step) {
      const sum = sums.get(id) ?? emptyCounters();
      addCounters(sum, counters);
      sums.set(id, sum);
    }
  }
  return [...sums].map(([id, counters]) => ({ id, ...rates(counters) }));
}

function rates(counters: Counters) {
  const seconds = RATE_MS / 1000;
  return {
    requestsPerSecond: counters.requests / seconds,
    bytesPerSecond: counters.bytesToClients / seconds,
    hitRatio: hitRatio(counters),
  };
}
