/**
 * Trailer fields on their way through (RFC 9110 §6.5). They are never merged into a head, and those that frame,
 * route, authenticate, modify or describe a message mean nothing behind it, or something dangerous to whoever
 * merges them: they stay behind.
 */
import { Fields, lowerCaseName } from './fields.ts';

const HEAD_ONLY: ReadonlySet<string> = new Set([
  // Framing and connection.
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Routing.
  'cdn-loop',
  'forwarded',
  'host',
  'max-forwards',
  'via',
  // Authentication and state.
  'authorization',
  'cookie',
  'proxy-authenticate',
  'proxy-authorization',
  'set-cookie',
  'www-authenticate',
  // Request modifiers and response control.
  'age',
  'cache-control',
  'cdn-cache-control',
  'date',
  'expect',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'pragma',
  'range',
  'retry-after',
  'surrogate-control',
  'vary',
  // Form of the content.
  'content-encoding',
  'content-range',
  'content-type',
]);

export function forwardedTrailers(trailers: Fields): Fields {
  const flat: string[] = [];
  for (const [name, value] of trailers) {
    const lower = lowerCaseName(name);
    if (!HEAD_ONLY.has(lower) && !lower.startsWith('x-forwarded-')) flat.push(name, value);
  }
  return new Fields(flat);
}
