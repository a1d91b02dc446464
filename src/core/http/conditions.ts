/**
 * Preconditions (RFC 9110 §13) of a request, evaluated against a response we hold, and If-Range.
 *
 *   §13.2.2, in this order     holds               does not hold
 *   -----------------------    -----------------   ------------------------------------------
 *   If-Match                   go on               precondition-failed
 *   If-Unmodified-Since        go on               precondition-failed (read without If-Match)
 *   If-None-Match              go on               not-modified (GET, HEAD), else precondition-failed
 *   If-Modified-Since          go on               not-modified (GET and HEAD only, without If-None-Match)
 */
import { parseHttpDate } from './dates.ts';
import type { FieldReader } from './fields.ts';
import { trimWhitespace } from './syntax.ts';

export interface Validators {
  readonly etag: string | null;
  /** ms since the epoch. */
  readonly lastModifiedAt: number | null;
  readonly status: number;
}

export type PreconditionOutcome = 'proceed' | 'not-modified' | 'precondition-failed';

/** `now` (ms) is needed to read two-digit years only. */
export function evaluatePreconditions(
  method: string,
  fields: FieldReader,
  validators: Validators,
  now: number,
): PreconditionOutcome {
  // Only a successful answer has a representation that preconditions speak of (§13.2.1).
  if (validators.status < 200 || validators.status > 299) return 'proceed';
  const isReading = method === 'GET' || method === 'HEAD';

  const ifMatch = fields.get('if-match');
  if (ifMatch !== null) {
    if (!matchesAny(ifMatch, validators.etag, isStrongMatch)) return 'precondition-failed';
  } else {
    const unmodifiedSince = readDate(fields.get('if-unmodified-since'), now);
    if (unmodifiedSince !== null && isLaterThan(validators.lastModifiedAt, unmodifiedSince)) {
      return 'precondition-failed';
    }
  }

  const ifNoneMatch = fields.get('if-none-match');
  if (ifNoneMatch !== null) {
    if (!matchesAny(ifNoneMatch, validators.etag, isWeakMatch)) return 'proceed';
    return isReading ? 'not-modified' : 'precondition-failed';
  }
  if (!isReading || validators.lastModifiedAt === null) return 'proceed';
  const modifiedSince = readDate(fields.get('if-modified-since'), now);
  if (modifiedSince === null) return 'proceed';
  return isLaterThan(validators.lastModifiedAt, modifiedSince) ? 'proceed' : 'not-modified';
}

/** Whether a request's range may be answered from this response (RFC 9110 §13.1.5); true without If-Range. */
export function isRangeCurrent(ifRange: string | null, validators: Validators, now: number): boolean {
  if (ifRange === null) return true;
  const value = trimWhitespace(ifRange);
  if (value.startsWith('"') || value.startsWith('W/')) {
    return validators.etag !== null && isStrongMatch(value, validators.etag);
  }
  // A date is a strong validator only when it is exactly the one we hold.
  const date = parseHttpDate(value, now);
  return date !== null && validators.lastModifiedAt === date;
}

function readDate(value: string | null, now: number): number | null {
  return value === null ? null : parseHttpDate(trimWhitespace(value), now);
}

function isLaterThan(lastModifiedAt: number | null, date: number): boolean {
  return lastModifiedAt !== null && lastModifiedAt > date;
}

/** Walks the entity tags of a list; "*" matches whatever representation there is. */
function matchesAny(
  list: string,
  etag: string | null,
  isMatch: (candidate: string, etag: string) => boolean,
): boolean {
  if (trimWhitespace(list) === '*') return true;
  if (etag === null) return false;
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i <= list.length; i++) {
    const code = i === list.length ? 0x2c : list.charCodeAt(i);
    // Entity tags have no escapes (RFC 9110 §8.8.3): a quote always toggles.
    if (code === 0x22) isQuoted = !isQuoted;
    if (code !== 0x2c || (isQuoted && i < list.length)) continue;
    const candidate = trimWhitespace(list.slice(start, i));
    if (candidate !== '' && isMatch(candidate, etag)) return true;
    start = i + 1;
  }
  return false;
}

/** Equal opaque tags, weak or not (§8.8.3.2). Missing quotes are forgiven: nobody means two different things by them. */
export function isWeakMatch(first: string, second: string): boolean {
  return first === second || opaqueTag(first) === opaqueTag(second);
}

/** Equal, and neither weak. */
export function isStrongMatch(first: string, second: string): boolean {
  return !isWeak(first) && !isWeak(second) && opaqueTag(first) === opaqueTag(second);
}

function isWeak(etag: string): boolean {
  return etag.startsWith('W/');
}

function opaqueTag(etag: string): string {
  const tag = isWeak(etag) ? etag.slice(2) : etag;
  const isQuoted = tag.length >= 2 && tag.startsWith('"') && tag.endsWith('"');
  return isQuoted ? tag.slice(1, -1) : tag;
}
