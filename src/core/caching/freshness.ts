/**
 * Age and freshness of a stored response (RFC 9111 §4.2) and how long it may be served stale (§4.2.4,
 * RFC 5861). Only numbers are read: everything was computed when the response was stored or freshened.
 */
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { AGE_SECONDS_MAX } from './limits.ts';
import type { StoredHead } from './stored-head.ts';

/** A stale window in a stored head: the origin said nothing, so the site's default in force applies. */
export const ORIGIN_SILENT = -1;

/** current_age (§4.2.3) in seconds, with fraction; `now` in ms. */
export function currentAgeSeconds(head: StoredHead, now: number): number {
  // A clock set back never makes a response younger than it was when it came.
  const residentMs = now > head.respondedAt ? now - head.respondedAt : 0;
  return head.initialAgeSeconds + residentMs / 1000;
}

/** The Age field's value: whole seconds, within what the field can say (§1.2.2). */
export function ageFieldValue(head: StoredHead, now: number): number {
  return Math.min(Math.floor(currentAgeSeconds(head, now)), AGE_SECONDS_MAX);
}

/** Fresh iff freshness lifetime > current age (§4.2). Whether it must be validated all the same is another question. */
export function isFresh(head: StoredHead, now: number): boolean {
  return head.freshnessLifetimeSeconds > currentAgeSeconds(head, now);
}

/** Seconds since it became stale; negative while fresh. */
function stalenessSeconds(head: StoredHead, now: number): number {
  return currentAgeSeconds(head, now) - head.freshnessLifetimeSeconds;
}

/** Whether it may answer now while it is validated behind the answer (RFC 5861 §3). */
export function mayServeStaleWhileRevalidate(
  head: StoredHead,
  now: number,
  settings: CacheSettings,
): boolean {
  if (head.mustValidateAlways || head.mustNotServeStale) return false;
  const windowSeconds =
    head.staleWhileRevalidateSeconds === ORIGIN_SILENT
      ? settings.staleWhileRevalidateSeconds
      : head.staleWhileRevalidateSeconds;
  return windowSeconds > 0 && stalenessSeconds(head, now) < windowSeconds;
}

/**
 * Whether it may cover for an origin that failed (RFC 9111 §4.2.4, RFC 5861 §4). `disconnect`: no usable
 * response came; the longer of the origin's and the site's window counts, because being cut off needs
 * nobody's leave. `status`: the origin answered with an error; its own stale-if-error counts before the
 * site's default.
 */
export function mayServeStaleOnError(
  head: StoredHead,
  now: number,
  settings: CacheSettings,
  failure: 'disconnect' | 'status',
): boolean {
  // One error in place of another helps nobody, and would hide that the origin is back.
  if (head.mustValidateAlways || head.status >= 500) return false;
  const staleness = stalenessSeconds(head, now);
  if (staleness < 0) return true;
  if (head.mustNotServeStale) return false;
  const own = head.staleIfErrorSeconds;
  const windowSeconds =
    own === ORIGIN_SILENT || (failure === 'disconnect' && settings.staleIfErrorSeconds > own)
      ? settings.staleIfErrorSeconds
      : own;
  return staleness < windowSeconds;
}

/** The answers of an origin that a stale response may cover for (RFC 5861 §4). */
export function isServerFailure(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504;
}
