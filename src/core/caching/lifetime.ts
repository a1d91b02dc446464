/**
 * The freshness lifetime of a response at the edge (RFC 9111 §4.2.1, §4.2.2) and what the site's settings make
 * of it.
 *
 *   override-origin with a TTL for the status             the site's TTL
 *   explicit: s-maxage, max-age, Expires − Date           that (unreadable: 0, so stale)
 *   respect-origin with a TTL for the status              the site's TTL
 *   Last-Modified, status cacheable by default or public  a tenth of its age, at most a day
 *   nothing                                               0
 */
import type { ResponseDirectives } from '#core/http/cache-control.ts';
import { parseHttpDate } from '#core/http/dates.ts';
import type { FieldReader } from '#core/http/fields.ts';
import { trimWhitespace } from '#core/http/syntax.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { HEURISTIC_FRACTION, HEURISTIC_LIFETIME_SECONDS_MAX } from './limits.ts';

export interface Lifetime {
  readonly seconds: number;
  readonly source: 'site' | 'explicit' | 'heuristic' | 'none';
}

/** RFC 9110 §15.1: heuristically cacheable, without 206, which is never stored as a whole response. */
const HEURISTIC_STATUSES: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/** A TTL that names no status is for good answers: an error is kept as the origin says, or a TTL of its own. */
const GOOD_STATUSES: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308]);

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTIC_STATUSES.has(status);
}

/** The site's TTL in seconds for answers of that status: the first that names it, else the one for good answers. */
function siteTtlSeconds(settings: CacheSettings, status: number): number | null {
  for (const { first, last, seconds } of settings.statusTtls) {
    if (status >= first && status <= last) return seconds;
  }
  return GOOD_STATUSES.has(status) ? settings.edgeTtlSeconds : null;
}

/** Whether the site's TTL counts against the origin's word. */
export function isOverridden(settings: CacheSettings, status: number): boolean {
  return settings.mode === 'override-origin' && siteTtlSeconds(settings, status) !== null;
}

export interface LifetimeInput {
  readonly status: number;
  readonly fields: FieldReader;
  readonly directives: ResponseDirectives;
  readonly isTargeted: boolean;
  readonly settings: CacheSettings;
  /** ms since the epoch. */
  readonly dateAt: number;
  readonly lastModifiedAt: number | null;
}

export function freshnessLifetime(input: LifetimeInput): Lifetime {
  const { settings, status, directives } = input;
  const siteSeconds = siteTtlSeconds(settings, status);
  if (siteSeconds !== null && settings.mode === 'override-origin') {
    return { seconds: siteSeconds, source: 'site' };
  }
  const explicit = explicitSeconds(input);
  if (explicit !== null) return { seconds: explicit, source: 'explicit' };
  if (siteSeconds !== null) return { seconds: siteSeconds, source: 'site' };
  if (input.lastModifiedAt !== null && (directives.public || isHeuristicallyCacheable(status))) {
    const sinceModified = (input.dateAt - input.lastModifiedAt) / 1000;
    const seconds = Math.min(
      Math.max(0, Math.floor(sinceModified * HEURISTIC_FRACTION)),
      HEURISTIC_LIFETIME_SECONDS_MAX,
    );
    return { seconds, source: 'heuristic' };
  }
  return { seconds: 0, source: 'none' };
}

/** Null: the origin names none. An unreadable lifetime is 0: stale (RFC 9111 §4.2.1, §5.3). */
function explicitSeconds(input: LifetimeInput): number | null {
  const { directives, fields } = input;
  const stated = directives.sMaxAge ?? directives.maxAge;
  if (stated !== null) return stated === 'invalid' ? 0 : stated;
  if (input.isTargeted) return null;
  const expires = fields.get('expires');
  if (expires === null) return null;
  const expiresAt = parseHttpDate(trimWhitespace(expires), input.dateAt);
  return expiresAt === null ? 0 : Math.max(0, Math.floor((expiresAt - input.dateAt) / 1000));
}
