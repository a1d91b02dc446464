/**
 * Whether an origin's response is stored (RFC 9111 §3), and the head that is kept of it. Each refusal names
 * its reason; the first that applies is given. Where the RFC leaves a choice, ours is in docs/spec/caching.md.
 */
import { parseRequestDirectives, type ResponseDirectives } from '#core/http/cache-control.ts';
import { formatHttpDate } from '#core/http/dates.ts';
import { type FieldReader, Fields, lowerCaseName } from '#core/http/fields.ts';
import { isSetPerClient } from '#core/http/forwarding.ts';
import { copyEndToEnd } from '#core/http/hop-by-hop.ts';
import { NameSet } from '#core/http/name-set.ts';
import { resolveSameHost } from '#core/http/references.ts';
import { parseVary } from '#core/http/vary.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { hasValidator } from './conditional-request.ts';
import type { Admission, PassReason } from './decision.ts';
import { isMistypedFile } from './file-type.ts';
import { isServerFailure } from './freshness.ts';
import { isHeuristicallyCacheable, isOverridden } from './lifetime.ts';
import { VARY_NAMES_MAX } from './limits.ts';
import { type DerivedMoments, deriveMoments } from './moments.ts';
import { varyValuesOf } from './select.ts';
import type { StoredHead } from './stored-head.ts';
import { tagsOf } from './tags.ts';

export interface AdmitInput {
  readonly method: string;
  /** The request as the user sent it (Vary, Authorization and Cache-Control are read). */
  readonly requestFields: FieldReader;
  /** Whether the origin was told of a certificate that the client showed. */
  readonly hasClientCertificate: boolean;
  readonly status: number;
  readonly reason: string;
  /** As received from the origin. */
  readonly responseFields: Fields;
  /** ms since the epoch. */
  readonly requestedAt: number;
  readonly respondedAt: number;
  /** With the response's Content-Type. */
  readonly settings: CacheSettings;
  /** Lower case, without port. */
  readonly host: string;
  /** Normalised path and query. */
  readonly path: string;
  /** How far the purge log was read, and invalidations were, when the fetch began. */
  readonly purgePosition: number;
  readonly sequence: number;
}

/** Partial answers, or answers to a condition, a range or one client's behaviour: wrong for the next request. */
const UNSHAREABLE_STATUSES: ReadonlySet<number> = new Set([
  206, 304, 401, 407, 412, 416, 417, 421, 425, 428, 429, 431, 511,
]);

/** Final status codes whose caching requirements we implement (RFC 9110 §15; must-understand, §5.2.2.3). */
const UNDERSTOOD_STATUSES: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 402, 403, 404, 405, 406, 408, 409, 410,
  411, 413, 414, 415, 422, 426, 500, 501, 502, 503, 504, 505,
]);

export function admit(input: AdmitInput): Admission {
  const { status, responseFields, settings } = input;
  if (status === 206 || status === 416) return pass('range');
  if (status < 200 || status > 599 || UNSHAREABLE_STATUSES.has(status)) return pass('status');
  if (settings.mode === 'bypass') return pass('rule-bypass');

  const { requestedAt, respondedAt } = input;
  const ageValue = responseFields.get('age');
  const derived = deriveMoments({
    status,
    fields: responseFields,
    ageValue,
    requestedAt,
    respondedAt,
    settings,
  });
  const refusal =
    refusedMethod(input, derived) ?? refusedByDirectives(input, derived) ?? refusedBySafety(input, derived);
  if (refusal !== null) return pass(refusal);

  const varyNames = parseVary(responseFields.get('vary'));
  if (varyNames === null || varyNames.length > VARY_NAMES_MAX) return pass('vary-star');
  // What the next user sends under these names is not what the origin would see.
  if (varyNames.some(isSetPerClient)) return pass('vary-client');
  const tags = tagsOf(responseFields);
  if (tags === null) return pass('too-large');
  const head = headOf(input, derived, varyNames, tags);
  if (isWorthStoring(status, derived)) return { action: 'store', head };
  const reason = derived.directives.noCache ? 'no-cache' : 'no-lifetime';
  return isServerFailure(status) ? { action: 'share', head, reason } : pass(reason);
}

function pass(reason: PassReason): Admission {
  return { action: 'pass', reason };
}

/**
 * GET; and POST where the answer says with explicit freshness that it is also what GET would return
 * (RFC 9110 §9.3.3).
 */
function refusedMethod(input: AdmitInput, derived: DerivedMoments): PassReason | null {
  if (input.method === 'GET') return null;
  const contentLocation = input.responseFields.get('content-location');
  if (input.method !== 'POST' || contentLocation === null || derived.lifetime.source !== 'explicit') {
    return 'method';
  }
  const authority = input.requestFields.get('host') ?? '';
  return resolveSameHost(contentLocation, input.path, authority) === input.path ? null : 'method';
}

function refusedByDirectives(input: AdmitInput, derived: DerivedMoments): PassReason | null {
  const { directives } = derived;
  const requestControl = input.settings.honoursRequestDirectives
    ? input.requestFields.get('cache-control')
    : null;
  if (requestControl !== null && parseRequestDirectives(requestControl).noStore) return 'no-store';
  if (directives.mustUnderstand && !UNDERSTOOD_STATUSES.has(input.status)) return 'must-understand';
  if (isOverridden(input.settings, input.status)) return null;
  // A cache that knows the status ignores the no-store that stands beside must-understand (§5.2.2.3).
  if (directives.noStore && !directives.mustUnderstand) return 'no-store';
  if (directives.private) return 'private';
  return null;
}

function refusedBySafety(input: AdmitInput, derived: DerivedMoments): PassReason | null {
  const { directives } = derived;
  const hasAuthorization = input.requestFields.get('authorization') !== null;
  if (hasAuthorization || input.hasClientCertificate) {
    // A rule never makes one person's answer everybody's: only the origin's own word does (§3.5, RFC 9440 §2.4).
    const isShared = directives.public || directives.mustRevalidate || directives.sMaxAge !== null;
    if (!isShared || directives.private || directives.noStore) {
      return hasAuthorization ? 'authorization' : 'client-certificate';
    }
  }
  if (isMistyped(input, derived)) return 'type-mismatch';
  return refusesCookie(input, derived) ? 'set-cookie' : null;
}

/** Whether the response sets a cookie that the site does not let be stored along. */
function refusesCookie({ responseFields, settings }: AdmitInput, derived: DerivedMoments): boolean {
  if (responseFields.get('set-cookie') === null) return false;
  switch (settings.setCookie) {
    case 'explicit':
      // A cookie is usually one person's: no TTL of ours, and no heuristic, makes it everybody's.
      return (
        !isWithheld('set-cookie', derived.directives) &&
        derived.lifetime.source !== 'explicit' &&
        !isMarkedShared(derived)
      );
    case 'shared':
      return !isWithheld('set-cookie', derived.directives) && !isMarkedShared(derived);
    case 'strip':
      return false;
    case 'never':
      return true;
  }
}

/** The origin has said that this answer is for everybody: `public`, s-maxage, or a directive for CDNs alone. */
function isMarkedShared(derived: DerivedMoments): boolean {
  return derived.directives.public || derived.directives.sMaxAge !== null || derived.isTargeted;
}

/**
 * Web cache deception: a link to `/account/x.css` makes some origins answer with the account. A page where a static
 * file is asked for is stored only where the origin marks it as everybody's.
 */
function isMistyped(
  { settings, path, status, responseFields }: AdmitInput,
  derived: DerivedMoments,
): boolean {
  if (!settings.checksContentType || status >= 300) return false;
  return isMistypedFile(path, responseFields.get('content-type')) && !isMarkedShared(derived);
}

/** Fields that `no-cache="…"` or `private="…"` keeps out of the store. */
function isWithheld(name: string, directives: ResponseDirectives): boolean {
  return directives.noCacheFields.includes(name) || directives.privateFields.includes(name);
}

/**
 * Room is for responses that can be used again: fresh for a while, granted a stale window, or validated; the
 * last only where the status or `public` allows storing without a lifetime (§3).
 */
function isWorthStoring(status: number, derived: DerivedMoments): boolean {
  const { moments, lifetime, directives } = derived;
  const isStorable = lifetime.source !== 'none' || directives.public || isHeuristicallyCacheable(status);
  const mayValidate = isStorable && hasValidator(moments);
  if (moments.mustValidateAlways) return mayValidate;
  const hasWindow = moments.staleWhileRevalidateSeconds > 0 || moments.staleIfErrorSeconds > 0;
  return lifetime.seconds > 0 || mayValidate || hasWindow;
}

function headOf(
  input: AdmitInput,
  derived: DerivedMoments,
  varyNames: readonly string[],
  tags: readonly string[],
): StoredHead {
  return {
    status: input.status,
    reason: input.reason,
    fields: storedFields(input.responseFields, derived.directives, derived.moments.dateAt, input.settings),
    varyNames,
    varyValues: varyValuesOf(input.requestFields, varyNames),
    requestedAt: input.requestedAt,
    respondedAt: input.respondedAt,
    ...derived.moments,
    completeLength: null,
    siteId: input.settings.siteId,
    host: input.host,
    path: input.path,
    searchPath: null,
    tags,
    purgePosition: input.purgePosition,
    softPurgePosition: input.purgePosition,
    sequence: input.sequence,
  };
}

/** Computed or framed anew for every answer, so never kept. */
const NOT_STORED = new NameSet(['age', 'cache-status', 'content-length', 'date', 'proxy-status']);

/** What is kept (RFC 9111 §3.1): end-to-end fields, without withheld ones, and with a valid Date. */
export function storedFields(
  fields: Fields,
  directives: ResponseDirectives,
  dateAt: number,
  settings: CacheSettings,
): Fields {
  const flat: string[] = ['Date', formatHttpDate(dateAt)];
  const stripsCookies = settings.setCookie === 'strip';
  const hasWithheld =
    stripsCookies || directives.noCacheFields.length > 0 || directives.privateFields.length > 0;
  const isKept = (name: string): boolean => {
    if (NOT_STORED.has(name)) return false;
    if (!hasWithheld) return true;
    const lower = lowerCaseName(name);
    return !(stripsCookies && lower === 'set-cookie') && !isWithheld(lower, directives);
  };
  copyEndToEnd(fields, flat, isKept);
  return new Fields(flat);
}

/** Replaced in every answer, also in the first. */
const NEVER_SENT = new NameSet(['age', 'content-length', 'date']);

/**
 * The head for the user whose request fetched the response: with the fields that only the store must not
 * keep (`no-cache="…"`, `private="…"`, other caches' Cache-Status).
 */
export function headForAsker(head: StoredHead, responseFields: Fields): StoredHead {
  const flat: string[] = ['Date', formatHttpDate(head.dateAt)];
  copyEndToEnd(responseFields, flat, (name) => !NEVER_SENT.has(name));
  const fields = new Fields(flat);
  return fields.size === head.fields.size ? head : { ...head, fields };
}
