/**
 * Location and Content-Location (RFC 9110 §10.2.2, §8.7) resolved against a request's target, as far as
 * caching needs them: the normalised target on the same host, or null.
 */
import { authorityOfTarget, normaliseTarget } from './request-target.ts';

/**
 * `reference`: a URI reference; `normalTarget`: the request's target in normal form; `authority`: its host
 * (with port). Null: another host, another scheme than http(s), or no valid reference.
 */
export function resolveSameHost(reference: string, normalTarget: string, authority: string): string | null {
  const fragment = reference.indexOf('#');
  const text = fragment === -1 ? reference : reference.slice(0, fragment);
  const ownAuthority = authority.toLowerCase();
  const absolute = text.startsWith('//') ? `http:${text}` : text;
  const named = authorityOfTarget(absolute);
  if (named !== null) return named === ownAuthority ? normaliseTarget(absolute) : null;
  if (hasScheme(text)) return null;
  if (text === '') return normalTarget;
  if (text.startsWith('/')) return normaliseTarget(text);
  const question = normalTarget.indexOf('?');
  const path = question === -1 ? normalTarget : normalTarget.slice(0, question);
  if (text.startsWith('?')) return normaliseTarget(path + text);
  return normaliseTarget(path.slice(0, path.lastIndexOf('/') + 1) + text);
}

/** A colon before any slash, query or end makes what stands before it a scheme (RFC 3986 §4.2). */
function hasScheme(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x3a) return true;
    if (code === 0x2f || code === 0x3f) return false;
  }
  return false;
}
