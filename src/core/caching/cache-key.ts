/**
 * The cache key: how a stored response is found (RFC 9111 §2). In this release it is the whole effective
 * URI in one normal form: scheme, host without port, normalised target. Vary does the rest (`select.ts`).
 */
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
