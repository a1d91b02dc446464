/**
 * The cache key: how a stored response is found (RFC 9111 §2). By itself it is the effective URI in one normal form:
 * scheme, host without port, normalised target. A site may leave parts of the query out, and put parts of the request
 * in (`CacheSettings`). Vary does the rest (`select.ts`).
 *
 *   https://www.example.com/a?b=1                    the URL's key: what invalidation and purges name
 *   https://www.example.com/a?b=1 c.theme=dark       the key of one of its kinds; no URL's key has a space
 */
import { cookiesOf } from '#core/http/cookies.ts';
import type { DeviceClass } from '#core/http/device-class.ts';
import type { Fields } from '#core/http/fields.ts';
import { parseQuery, queryOf } from '#core/http/query.ts';
import type { KeyExtras, QueryKey } from '#core/model/cache-settings.ts';
import { hostOf } from '#core/model/route.ts';
import { KEY_EXTRAS_CHARACTERS_MAX } from './limits.ts';
import { matchesPattern } from './name-pattern.ts';

export interface CacheKeyParts {
  readonly scheme: 'http' | 'https';
  /** Authority or host; port, case and trailing dot do not matter. */
  readonly host: string;
  /** As `keyTargetOf` gives it. */
  readonly keyTarget: string;
}

/** The key of a URL. */
export function urlKeyOf(parts: CacheKeyParts): string {
  return `${parts.scheme}://${hostOf(parts.host)}${parts.keyTarget}`;
}

/**
 * The target as far as it is in the key: path, and of the query what the site lets count, sorted if it says so. The
 * origin is asked for the same, because what it could see beside the key would be stored for everybody.
 */
export function keyTargetOf(normalTarget: string, queryKey: QueryKey | null): string {
  const query = queryKey === null ? null : queryOf(normalTarget);
  if (queryKey === null || query === null) return normalTarget;
  const path = normalTarget.slice(0, normalTarget.length - query.length - 1);
  if (queryKey.include === 'none') return path;
  const kept = parseQuery(query)
    .filter(({ name, value }) => isInKey(queryKey, name, value))
    .map(({ text }) => text);
  if (kept.length === 0) return path;
  // Stable: of one name the order counts for most origins.
  if (queryKey.isSorted) kept.sort(byName);
  return `${path}?${kept.join('&')}`;
}

function isInKey({ include, names }: QueryKey, name: string, value: string): boolean {
  if (include === 'all') return true;
  return matchesPattern(names, name, value) === (include === 'only');
}

function byName(one: string, other: string): number {
  const [first = ''] = one.split('=', 1);
  const [second = ''] = other.split('=', 1);
  return first < second ? -1 : first > second ? 1 : 0;
}

export interface KeyFacts {
  readonly fields: Fields;
  readonly deviceClass: DeviceClass;
  /** Two letters. */
  readonly country: string;
}

/** What follows the URL's key, with a space in front; null: more than fits, so that the request passes the cache by. */
export function keyExtrasOf(extras: KeyExtras, facts: KeyFacts): string | null {
  const parts: string[] = [];
  for (const name of extras.headers) {
    const value = facts.fields.get(name);
    if (value !== null) parts.push(`h.${name}=${encodeURIComponent(value)}`);
  }
  if (extras.cookies.length > 0) {
    // One name may come twice, and origins differ in which they believe: all of them are in the key.
    const wanted = new Set(extras.cookies);
    for (const { name, value } of cookiesOf(facts.fields)) {
      if (wanted.has(name)) parts.push(`c.${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    }
  }
  if (extras.hasDeviceClass) parts.push(`device=${facts.deviceClass}`);
  if (extras.hasCountry) parts.push(`country=${facts.country}`);
  const suffix = ` ${parts.join('&')}`;
  return suffix.length > KEY_EXTRAS_CHARACTERS_MAX ? null : suffix;
}

/** The URL's key within a key of one of its kinds. */
export function urlKeyWithin(cacheKey: string): string {
  const space = cacheKey.indexOf(' ');
  return space === -1 ? cacheKey : cacheKey.slice(0, space);
}
