/**
 * How long browsers keep a response when the site says so apart from the edge (`browserTtlSeconds`). The
 * Age field tells browsers how long it has lain here, so the max-age sent grows with it: what is left for
 * the browser is always the site's figure.
 */
import { parseResponseDirectives } from '#core/http/cache-control.ts';

/**
 * The Cache-Control value for browsers, in place of the origin's (`original`); Expires must be left out
 * beside it. Null: the origin's stays, because it forbids browsers to keep the response.
 */
export function browserCacheControl(
  original: string | null,
  browserTtlSeconds: number,
  ageSeconds: number,
): string | null {
  const directives = parseResponseDirectives(original);
  if (directives.noStore) return null;
  let value = `max-age=${browserTtlSeconds === 0 ? 0 : browserTtlSeconds + ageSeconds}`;
  // Never `public` of our own accord: it would let shared caches keep answers to requests with credentials.
  if (directives.private) value += ', private';
  else if (directives.public) value += ', public';
  if (directives.mustRevalidate) value += ', must-revalidate';
  if (directives.noTransform) value += ', no-transform';
  if (directives.immutable) value += ', immutable';
  return value;
}
