/**
 * When the listener is renewed. Bun can neither change certificates nor close a single connection, so both are done by
 * closing all connections and listening anew on the same port; clients connect again, and what was under way breaks
 * off in their sight. Pure: time, in ms on any clock, comes in with each call.
 *
 *   certificates   with no response under way, after `renewalWaitMs` regardless
 *   memory         at once, but seldom
 *   unfinished     seldom, and with no other response under way: those left without an end get an error this way
 */
import type { Http3Limits } from './limits.ts';

export type RenewalReason = 'certificates' | 'memory' | 'unfinished';

export class Renewal {
  readonly #limits: Http3Limits;
  /** Since when each is wanted. */
  readonly #wanted = new Map<RenewalReason, number>();
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(limits: Http3Limits) {
    this.#limits = limits;
  }

  want(reason: RenewalReason, now: number): void {
    if (!this.#wanted.has(reason)) this.#wanted.set(reason, now);
  }

  /** The reason for which it is time; null when it is not. `isQuiet`: no response that is to end is under way. */
  due(now: number, isQuiet: boolean): RenewalReason | null {
    const sinceLast = now - this.#lastAt;
    for (const [reason, since] of this.#wanted) {
      if (sinceLast >= this.#intervalOf(reason) && (isQuiet || this.#mayDisturb(reason, now - since))) {
        return reason;
      }
    }
    return null;
  }

  done(now: number): void {
    this.#lastAt = now;
    this.#wanted.clear();
  }

  #intervalOf(reason: RenewalReason): number {
    const { renewalIntervalMs, forcedRenewalIntervalMs } = this.#limits;
    return reason === 'certificates' ? renewalIntervalMs : forcedRenewalIntervalMs;
  }

  #mayDisturb(reason: RenewalReason, waitedMs: number): boolean {
    switch (reason) {
      case 'certificates':
        return waitedMs >= this.#limits.renewalWaitMs;
      case 'memory':
        return true;
      case 'unfinished':
        return false;
    }
  }
}
