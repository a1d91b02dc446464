/**
 * Log lines about origins that fail: one per origin and kind of failure in an interval, with how many like it
 * there were. A dead origin under load must not turn into a flood of lines.
 */
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import { ROAD_LIMITS } from './limits.ts';

interface Line {
  readonly loggedAt: number;
  unlogged: number;
}

export interface FailedFetch {
  readonly site: string;
  readonly origin: string;
  readonly type: string;
  readonly cause: string;
  /** Whether no other origin was left to ask. */
  readonly isLast: boolean;
}

export class FailureLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  report(failed: FailedFetch): void {
    const key = `${failed.site} ${failed.origin} ${failed.type}`;
    const now = this.#clock.now();
    const line = this.#lines.get(key);
    if (line !== undefined && now - line.loggedAt < ROAD_LIMITS.failureLogIntervalMs) {
      line.unlogged++;
      return;
    }
    // Begun anew when full: a line too many is better than memory without bound.
    if (this.#lines.size >= ROAD_LIMITS.failureLogKeysMax) this.#lines.clear();
    this.#lines.set(key, { loggedAt: now, unlogged: 0 });
    this.#log.warn({ ...failed, unlogged: line?.unlogged ?? 0 }, 'origin failed');
  }
}
