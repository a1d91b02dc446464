/**
 * What to do with a request, given what is stored (RFC 9111 §4). Pure: the road performs the decision.
 *
 *   method, body, settings        stored, request directives             decision
 *   ----------------------------  -------------------------------------  -----------------------------
 *   not GET/HEAD, or with a body  any                                    forward (method, bypass)
 *   a rule or condition: bypass   any                                    forward (bypass)
 *   GET/HEAD                      none                                   forward (uri-miss, vary-miss)
 *   GET/HEAD                      fresh, request content with its age    reuse
 *   GET/HEAD                      fresh, request wants better            validate (request)
 *   GET/HEAD                      stale within max-stale                 reuse, stale
 *   GET/HEAD                      stale within stale-while-revalidate    reuse and revalidate behind
 *   GET/HEAD                      otherwise stale, or no-cache           validate (stale)
 *
 * `only-if-cached` turns whatever would go to the origin into 504 (§5.2.1.7). `Pragma` is not read (§5.4).
 */
import {
  parseRequestDirectives,
  parseResponseDirectives,
  type RequestDirectives,
} from '#core/http/cache-control.ts';
import type { Fields } from '#core/http/fields.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { meetsBypass } from './bypass.ts';
import { hasConditions } from './conditional-request.ts';
import type { Decision, ForwardReason } from './decision.ts';
import { currentAgeSeconds, mayServeStaleOnError, mayServeStaleWhileRevalidate } from './freshness.ts';
import type { StoredHead } from './stored-head.ts';

export interface DecideInput {
  readonly method: string;
  readonly fields: Fields;
  readonly hasBody: boolean;
  /** Whether the origin is told of a certificate that the client showed. */
  readonly hasClientCertificate: boolean;
  /** What `selectStored` chose, null when nothing matched. */
  readonly selected: StoredHead | null;
  /** Whether anything is stored under the key. */
  readonly hasVariants: boolean;
  /** Normalised path and query. */
  readonly target: string;
  readonly settings: CacheSettings;
  /** ms since the epoch. */
  readonly now: number;
}

export function decide(input: DecideInput): Decision {
  const { method, fields, selected, settings } = input;
  const isCacheable = method === 'GET' || method === 'HEAD';
  if (!isCacheable) return forwardUncached('method', method === 'POST' && !isBypassed(input));
  // Content in a GET has no defined meaning (RFC 9110 §9.3.1); an origin that gives it one must see it.
  if (input.hasBody || settings.mode === 'bypass' || isBypassed(input))
    return forwardUncached('bypass', false);

  const cacheControl = settings.honoursRequestDirectives ? fields.get('cache-control') : null;
  const wanted = cacheControl === null ? null : parseRequestDirectives(cacheControl);
  if (selected === null) return forwardMiss(input, wanted, input.hasVariants ? 'vary-miss' : 'uri-miss');
  return wanted === null ? decidePlain(input, selected) : decideWanted(input, selected, wanted);
}

function isBypassed({ settings, fields, target }: DecideInput): boolean {
  return settings.bypassWhen !== null && meetsBypass(settings.bypassWhen, fields, target);
}

/** Past the cache; the answer to a POST may still be stored when it says so itself (RFC 9110 §9.3.3). */
function forwardUncached(forward: ForwardReason, mayStore: boolean): Decision {
  return { action: 'forward', forward, mayCollapse: false, mayStore };
}

function forwardMiss(input: DecideInput, wanted: RequestDirectives | null, forward: ForwardReason): Decision {
  if (wanted?.onlyIfCached) return refuse('not stored');
  const { method, fields } = input;
  const mayStore = method === 'GET' && wanted?.noStore !== true;
  return {
    action: 'forward',
    forward,
    // Others can share the answer only if it is whole and not one person's.
    mayCollapse: mayStore && !hasConditions(fields) && !hasCredentials(input),
    mayStore,
  };
}

function hasCredentials({ fields, hasClientCertificate }: DecideInput): boolean {
  return hasClientCertificate || fields.get('authorization') !== null;
}

function refuse(detail: string): Decision {
  return { action: 'refuse', status: 504, detail };
}

/** A request without Cache-Control: the hot path. */
function decidePlain(input: DecideInput, selected: StoredHead): Decision {
  const { now, settings } = input;
  if (!selected.mustValidateAlways && selected.freshnessLifetimeSeconds > currentAgeSeconds(selected, now)) {
    return { action: 'reuse', selected, isStale: false };
  }
  if (mayServeStaleWhileRevalidate(selected, now, settings))
    return { action: 'reuse-and-revalidate', selected };
  return validate(input, selected, 'stale');
}

/** A request with directives of its own (§5.2.1). Unreadable arguments are taken as the strictest. */
function decideWanted(input: DecideInput, selected: StoredHead, wanted: RequestDirectives): Decision {
  const { now, settings } = input;
  if (wanted.noCache) return validateUnless(wanted, input, selected, 'request');

  const age = currentAgeSeconds(selected, now);
  const isTooOld = wanted.maxAge !== null && age > secondsOr(wanted.maxAge, -1);
  const remaining = selected.freshnessLifetimeSeconds - age;
  const isTooNearItsEnd = wanted.minFresh !== null && remaining < secondsOr(wanted.minFresh, Infinity);
  const isFreshNow = remaining > 0 && !selected.mustValidateAlways;
  if (isFreshNow) {
    const isYoungEnough = !isTooOld || isImmutable(selected);
    if (isYoungEnough && !isTooNearItsEnd) return { action: 'reuse', selected, isStale: false };
    return validateUnless(wanted, input, selected, 'request');
  }
  if (!isTooOld && !isTooNearItsEnd) {
    const mayBeStale = !selected.mustValidateAlways && !selected.mustNotServeStale;
    if (mayBeStale && wanted.maxStale !== null && -remaining <= secondsOr(wanted.maxStale, -1)) {
      return { action: 'reuse', selected, isStale: true };
    }
    if (!wanted.onlyIfCached && mayServeStaleWhileRevalidate(selected, now, settings)) {
      return { action: 'reuse-and-revalidate', selected };
    }
  }
  return validateUnless(wanted, input, selected, 'stale');
}

/** It will not change while it is fresh (RFC 8246 §2): `max-age=0`, by which browsers reload, changes nothing. */
function isImmutable({ fields }: StoredHead): boolean {
  return parseResponseDirectives(fields.get('cache-control')).immutable;
}

function secondsOr(value: number | 'invalid', whenInvalid: number): number {
  return value === 'invalid' ? whenInvalid : value;
}

function validateUnless(
  wanted: RequestDirectives,
  input: DecideInput,
  selected: StoredHead,
  forward: ForwardReason,
): Decision {
  if (wanted.onlyIfCached) {
    return refuse(forward === 'stale' ? 'stored response is stale' : 'not fresh enough');
  }
  // Nothing of the answer may be kept (§5.2.1.5), so the stored response is left as it is.
  if (wanted.noStore) return forwardMiss(input, wanted, forward);
  return validate(input, selected, forward);
}

function validate(input: DecideInput, selected: StoredHead, forward: ForwardReason): Decision {
  return {
    action: 'validate',
    selected,
    forward,
    mayServeStaleOnError: mayServeStaleOnError(selected, input.now, input.settings, 'disconnect'),
  };
}
