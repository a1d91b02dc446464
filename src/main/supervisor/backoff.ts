/** How long to wait before a part that died is started again: at once-ish at first, ever longer while it keeps dying. */

export const BACKOFF = { firstMs: 100, longestMs: 10_000, healthyAfterMs: 10_000 } as const;

/**
 * @param failures how many times in a row the part died young (0: it had been healthy)
 * @returns the wait in ms: 100, 200, 400 … 10 000
 */
export function restartDelayMs(failures: number): number {
  return Math.min(BACKOFF.longestMs, BACKOFF.firstMs * 2 ** Math.min(failures, 20));
}
