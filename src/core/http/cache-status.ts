/**
 * Cache-Status (RFC 9211): how the cache handled the request, in one member per cache. The words of `fwd`
 * are the decision's own reasons, so that header, log and metric print the same.
 */
import { serialiseString, serialiseTokenOrString } from './structured-fields.ts';

/** What the member of this cache says. Left-out properties are left out of the field. */
export interface CacheStatus {
  /** The answer came from the cache without asking the origin. */
  readonly isHit: boolean;
  /** Why the request went forward (RFC 9211 §2.2); only when it did. */
  readonly forward?: string;
  /** Status of the origin's answer, when it differs from the one sent (§2.3). */
  readonly forwardStatus?: number;
  readonly isStored?: boolean;
  /** Shared another request's forward request. */
  readonly isCollapsed?: boolean;
  /** Remaining freshness lifetime in whole seconds; negative: stale. */
  readonly ttlSeconds?: number;
  /** The cache key, only for authorised debugging. */
  readonly key?: string;
  /** One word where there is one: a `PassReason`, a failure. */
  readonly detail?: string;
}

/** The member for the cache `name` (a Token or a String), such as `Perigee; hit; ttl=290`. */
export function formatCacheStatus(name: string, status: CacheStatus): string {
  let value = serialiseTokenOrString(name);
  if (status.isHit) value += '; hit';
  else if (status.forward !== undefined) value += `; fwd=${serialiseTokenOrString(status.forward)}`;
  if (status.forwardStatus !== undefined) value += `; fwd-status=${status.forwardStatus}`;
  if (status.ttlSeconds !== undefined) value += `; ttl=${Math.trunc(status.ttlSeconds)}`;
  if (status.isStored) value += '; stored';
  if (status.isCollapsed) value += '; collapsed';
  if (status.key !== undefined) value += `; key=${serialiseString(status.key)}`;
  if (status.detail !== undefined) value += `; detail=${serialiseTokenOrString(status.detail)}`;
  return value;
}

/** The field's value with ours added: caches nearer to the origin come first (§2). */
export function appendCacheStatus(existing: string | null, member: string): string {
  return existing === null || existing === '' ? member : `${existing}, ${member}`;
}
