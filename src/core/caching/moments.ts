/**
 * What is computed once from a response's fields when it is stored or freshened: age, lifetime, stale
 * windows, validators. Shared by `admit.ts` and `freshen.ts`, so that a 304 is judged as the 200 was.
 */
import { type DirectiveSeconds, parseAge, type ResponseDirectives } from '#core/http/cache-control.ts';
import { parseHttpDate } from '#core/http/dates.ts';
import type { FieldReader } from '#core/http/fields.ts';
import { trimWhitespace } from '#core/http/syntax.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { effectiveDirectives } from './directives.ts';
import { ORIGIN_SILENT } from './freshness.ts';
import { freshnessLifetime, isOverridden, type Lifetime } from './lifetime.ts';
import type { StoredHead } from './stored-head.ts';

export interface MomentsInput {
  readonly status: number;
  /** The response's fields; for a 304, those of the stored response after the update. */
  readonly fields: FieldReader;
  /** Age of the response that came, not of the one stored before. */
  readonly ageValue: string | null;
  /** ms since the epoch. */
  readonly requestedAt: number;
  readonly respondedAt: number;
  readonly settings: CacheSettings;
}

/** The part of a stored head that time and validation rest on. */
export type Moments = Pick<
  StoredHead,
  | 'initialAgeSeconds'
  | 'freshnessLifetimeSeconds'
  | 'isHeuristic'
  | 'browserTtlSeconds'
  | 'mustValidateAlways'
  | 'mustNotServeStale'
  | 'staleWhileRevalidateSeconds'
  | 'staleIfErrorSeconds'
  | 'etag'
  | 'lastModifiedAt'
  | 'dateAt'
>;

export interface DerivedMoments {
  readonly moments: Moments;
  readonly lifetime: Lifetime;
  readonly directives: ResponseDirectives;
  readonly isTargeted: boolean;
}

export function deriveMoments(input: MomentsInput): DerivedMoments {
  const { fields, settings, status, respondedAt } = input;
  const { directives, isTargeted } = effectiveDirectives(fields);
  // Without a readable Date the moment of arrival stands for it (RFC 9110 §6.6.1).
  const dateAt = readDate(fields.get('date'), respondedAt) ?? respondedAt;
  const lastModifiedAt = readDate(fields.get('last-modified'), respondedAt);
  const lifetime = freshnessLifetime({
    status,
    fields,
    directives,
    isTargeted,
    settings,
    dateAt,
    lastModifiedAt,
  });
  const isRuled = isOverridden(settings, status);
  const moments: Moments = {
    initialAgeSeconds: initialAge(input, dateAt),
    freshnessLifetimeSeconds: lifetime.seconds,
    isHeuristic: lifetime.source === 'heuristic',
    browserTtlSeconds: settings.browserTtlSeconds,
    mustValidateAlways: directives.noCache && !isRuled,
    mustNotServeStale: forbidsStale(directives),
    staleWhileRevalidateSeconds: windowSeconds(directives.staleWhileRevalidate),
    staleIfErrorSeconds: windowSeconds(directives.staleIfError),
    etag: readEtag(fields.get('etag')),
    lastModifiedAt,
    dateAt,
  };
  return { moments, lifetime, directives, isTargeted };
}

/** corrected_initial_age (RFC 9111 §4.2.3). */
function initialAge(input: MomentsInput, dateAt: number): number {
  const apparentAge = Math.max(0, Math.floor((input.respondedAt - dateAt) / 1000));
  const responseDelay = Math.max(0, input.respondedAt - input.requestedAt) / 1000;
  return Math.max(apparentAge, parseAge(input.ageValue) + responseDelay);
}

/**
 * RFC 9111 §4.2.4: must-revalidate and proxy-revalidate forbid stale answers, and so does s-maxage
 * (§5.2.2.10), unless the same origin grants a stale window in so many words (RFC 5861).
 */
function forbidsStale(directives: ResponseDirectives): boolean {
  if (directives.mustRevalidate || directives.proxyRevalidate) return true;
  const grantsWindow = directives.staleWhileRevalidate !== null || directives.staleIfError !== null;
  return directives.sMaxAge !== null && !grantsWindow;
}

function windowSeconds(stated: DirectiveSeconds): number {
  if (stated === null) return ORIGIN_SILENT;
  return stated === 'invalid' ? 0 : stated;
}

function readDate(value: string | null, now: number): number | null {
  return value === null ? null : parseHttpDate(trimWhitespace(value), now);
}

/** An entity tag as it is; quotes are not insisted on, for it is only ever sent back and compared. */
function readEtag(value: string | null): string | null {
  const etag = value === null ? '' : trimWhitespace(value);
  return etag === '' ? null : etag;
}
