/**
 * How many frames of the kinds that cost us more than the peer one connection may send: a burst, regained
 * over time. Counted in ticks of the deadline sweep, not by a clock.
 */
import type { Http2Limits } from './limits.ts';

export type BudgetedKind =
  | 'resets'
  | 'settings'
  | 'pings'
  | 'priorities'
  | 'emptyFrames'
  | 'windowUpdates'
  | 'unknownFrames';

const KINDS: readonly BudgetedKind[] = [
  'resets',
  'settings',
  'pings',
  'priorities',
  'emptyFrames',
  'windowUpdates',
  'unknownFrames',
];

export class FrameBudget {
  readonly #limits: Http2Limits;
  readonly #tickMs: number;
  readonly #left: Record<BudgetedKind, number>;
  #tick: number;

  constructor(limits: Http2Limits, tickMs: number, tick: number) {
    this.#limits = limits;
    this.#tickMs = tickMs;
    this.#tick = tick;
    this.#left = {
      resets: limits.resetsBurst,
      settings: limits.settingsBurst,
      pings: limits.pingsBurst,
      priorities: limits.prioritiesBurst,
      emptyFrames: limits.emptyFramesBurst,
      windowUpdates: limits.windowUpdatesBurst,
      unknownFrames: limits.unknownFramesBurst,
    };
  }

  /** Takes one; false when none is left. */
  spend(kind: BudgetedKind, tick: number): boolean {
    if (tick !== this.#tick) this.#regain(tick);
    this.#left[kind] -= 1;
    return this.#left[kind] >= 0;
  }

  /** Allows `count` more of a kind, because of what we have sent ourselves. */
  earn(kind: BudgetedKind, count: number): void {
    this.#left[kind] = Math.min(this.#left[kind] + count, this.#limits[`${kind}Burst`]);
  }

  #regain(tick: number): void {
    const seconds = ((tick - this.#tick) * this.#tickMs) / 1000;
    this.#tick = tick;
    for (const kind of KINDS) this.earn(kind, seconds * this.#limits[`${kind}PerSecond`]);
  }
}
