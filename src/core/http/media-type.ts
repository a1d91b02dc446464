/** Media types (RFC 9110 §8.3.1), as far as rules need them: the type without parameters, and patterns. */
import { isToken, trimWhitespace } from './syntax.ts';

/** `type/subtype` in lower case, or null when the value is not a media type. */
export function mediaTypeOf(contentType: string): string | null {
  const semicolon = contentType.indexOf(';');
  const essence = trimWhitespace(semicolon === -1 ? contentType : contentType.slice(0, semicolon));
  const slash = essence.indexOf('/');
  if (slash === -1 || !isToken(essence.slice(0, slash)) || !isToken(essence.slice(slash + 1))) return null;
  return essence.toLowerCase();
}

/** Whether a media type (as `mediaTypeOf` gives it) fits a pattern: `image/png`, `image/*`. */
export function matchesMediaType(pattern: string, mediaType: string): boolean {
  if (pattern.endsWith('/*')) return mediaType.startsWith(pattern.slice(0, -1));
  return pattern === mediaType;
}
