/** A stored response after a soft purge: stale as of the purge's moment, and otherwise as it was. */
import type { StoredHead } from './stored-head.ts';

/**
 * `staleAsOf` in ms; `position`: how far the purge log is taken into account by this, so that it happens once. What is
 * stale already stays as stale as it is.
 */
export function soften(head: StoredHead, staleAsOf: number, position: number): StoredHead {
  const ageSeconds = head.initialAgeSeconds + (staleAsOf - head.respondedAt) / 1000;
  return {
    ...head,
    freshnessLifetimeSeconds: Math.max(0, Math.min(head.freshnessLifetimeSeconds, ageSeconds)),
    softPurgePosition: position,
  };
}
