/**
 * How often an address may fail to authenticate. Guessing a token of 256 bits is hopeless anyhow; this keeps
 * a client with a wrong token from filling the log and tells it to stop. A right token always passes, so that
 * one broken script does not lock out its neighbours behind the same address.
 */
import type { Clock } from '#platform/clock.ts';
import { CONTROL_LIMITS } from '../limits.ts';

const WINDOW_MS = 60_000;

export class FailureLimit {
  readonly #clock: Clock;
  /** In order of the window's start: the first is the least recent. */
  readonly #windows = new Map<string, { readonly startedAt: number; failures: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a failure. Answers 0 while it is within the limit, else the seconds to wait. */
  countFailure(address: string): number {
    const now = this.#clock.now();
    const window = this.#windows.get(address);
    if (window === undefined || now - window.startedAt >= WINDOW_MS) {
      this.#windows.delete(address);
      this.#windows.set(address, { startedAt: now, failures: 1 });
      this.#forgetLeastRecent();
      return 0;
    }
    window.failures++;
    if (window.failures <= CONTROL_LIMITS.authFailuresPerMinuteMax) return 0;
    return Math.ceil((window.startedAt + WINDOW_MS - now) / 1000);
  }

  #forgetLeastRecent(): void {
    if (this.#windows.size <= CONTROL_LIMITS.authAddressesMax) return;
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined) this.#windows.delete(oldest);
  }
}
