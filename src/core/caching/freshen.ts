/**
 * Updating a stored response from a newer answer without a body: a 304 (RFC 9111 §3.2, §4.3.4) or a 200 to
 * HEAD (§4.3.5).
 */

import { isStrongMatch, isWeakMatch } from '#core/http/conditions.ts';
import { Fields, lowerCaseName } from '#core/http/fields.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { storedFields } from './admit.ts';
import { isOverridden } from './lifetime.ts';
import { deriveMoments } from './moments.ts';
import type { StoredHead } from './stored-head.ts';
import { tagsOf } from './tags.ts';

export interface FreshenInput {
  /** Of the 304 or the HEAD response, as received. */
  readonly responseFields: Fields;
  /** ms since the epoch. */
  readonly requestedAt: number;
  readonly respondedAt: number;
  readonly settings: CacheSettings;
}

/** Describe the stored bytes: replaced only when a strong validator proves that they are the same (§3.2). */
const BOUND_TO_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-range']);

/** The stored head after the update; its body stays. */
export function freshen(head: StoredHead, input: FreshenInput): StoredHead {
  const { responseFields, settings } = input;
  const merged = mergeFields(head, responseFields);
  const { moments, directives } = deriveMoments({
    status: head.status,
    fields: merged,
    ageValue: responseFields.get('age'),
    requestedAt: input.requestedAt,
    respondedAt: input.respondedAt,
    settings,
  });
  // The origin now forbids what it allowed when the body was stored: never reused without asking.
  const isForbidden = directives.private || (directives.noStore && !directives.mustUnderstand);
  const isWithdrawn = isForbidden && !isOverridden(settings, head.status);
  return {
    ...head,
    ...moments,
    fields: storedFields(merged, directives, moments.dateAt, settings),
    mustValidateAlways: moments.mustValidateAlways || isWithdrawn,
    requestedAt: input.requestedAt,
    respondedAt: input.respondedAt,
    tags: tagsOf(merged) ?? head.tags,
  };
}

/** Each field of the new answer replaces the stored lines of its name; other stored fields stay. */
function mergeFields(head: StoredHead, update: Fields): Fields {
  const etag = update.get('etag');
  const isSameBytes = etag !== null && head.etag !== null && isStrongMatch(etag, head.etag);
  const replaced = new Set<string>();
  for (let i = 0; i < update.size; i++) {
    const name = lowerCaseName(update.nameAt(i));
    if (isSameBytes || !BOUND_TO_BODY.has(name)) replaced.add(name);
  }
  // Without a Date of its own the answer is as old as its arrival, not as the stored one.
  replaced.add('date');
  const flat: string[] = [];
  for (const [name, value] of head.fields) if (!replaced.has(lowerCaseName(name))) flat.push(name, value);
  for (const [name, value] of update) if (replaced.has(lowerCaseName(name))) flat.push(name, value);
  return new Fields(flat);
}

/**
 * Whether a 304 speaks of this stored response (§4.3.4): a validator it carries must be the stored one; one
 * that carries none speaks of the response that was being validated.
 */
export function mayFreshen(head: StoredHead, responseFields: Fields): boolean {
  const etag = responseFields.get('etag');
  return etag === null || head.etag === null || isWeakMatch(etag, head.etag);
}

/**
 * What a 200 to HEAD means for a stored response to GET (§4.3.5): `update` it when validators and length do
 * not contradict, else `outdate` it.
 */
export function judgeHead(
  head: StoredHead,
  bodyLength: number,
  status: number,
  responseFields: Fields,
): 'update' | 'outdate' | 'ignore' {
  if (status !== 200 || head.status !== 200) return 'ignore';
  const etag = responseFields.get('etag');
  if (etag !== null && head.etag !== etag) return 'outdate';
  const lastModified = responseFields.get('last-modified');
  if (lastModified !== null && lastModified !== head.fields.get('last-modified')) return 'outdate';
  const length = responseFields.get('content-length');
  if (length !== null && length !== String(bodyLength)) return 'outdate';
  return 'update';
}

/** The head of a stored response that must be validated before its next use. */
export function outdate(head: StoredHead): StoredHead {
  return { ...head, freshnessLifetimeSeconds: 0, staleWhileRevalidateSeconds: 0, staleIfErrorSeconds: 0 };
}
