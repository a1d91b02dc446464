/**
 * The cache key: how a stored response is found (RFC 9111 §2). In this release it is the whole effective
 * URI in one normal form: scheme, host without port, normalised target. Vary does the rest (`select.ts`).
 */
import { authorityOfTarget, normaliseTarget } from '#core/http/request-target.ts';
import { hostOf } from '#core/model/route.ts';

export interface CacheKeyParts {
  readonly scheme: 'http' | 'https';
  /** Authority or host; port, case and trailing dot do not matter. */
  readonly host: string;
  /** As `normaliseTarget` gives it. */
  readonly normalTarget: string;
}

export function cacheKey(parts: CacheKeyParts): string {
  return `${parts.scheme}://${hostOf(parts.host)}${parts.normalTarget}`;
}

/**
 * The keys a purge by URL removes: what was stored over plain HTTP and over TLS alike, because an operator
 * who purges a page means the page. Empty when the text is not a complete http or https URL.
 */
export function cacheKeysOfUrl(url: string): string[] {
  // A fragment is what people copy along from a browser; it never reaches a server.
  const fragment = url.indexOf('#');
  const target = fragment === -1 ? url : url.slice(0, fragment);
  const authority = authorityOfTarget(target);
  const normalTarget = normaliseTarget(target);
  if (authority === null || normalTarget === null || authority.includes('@')) return [];
  return [
    cacheKey({ scheme: 'http', host: authority, normalTarget }),
    cacheKey({ scheme: 'https', host: authority, normalTarget }),
  ];
}
