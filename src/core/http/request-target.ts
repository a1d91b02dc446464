/**
 * Request targets (RFC 9112 §3.2) and their one normal form (RFC 3986 §6.2.2), which cache keys and purges
 * use: percent-encoded unreserved characters decoded, other percent-encodings in upper case, bytes above
 * 127 encoded, dot segments removed. Reserved characters are never decoded: `%2F` stays, `//` stays, an
 * empty query ("?") stays. In the query a stray "%" is kept, because real links have them; in the path it
 * makes the target invalid.
 */

export interface RequestTarget {
  /** As received, beginning with "/". */
  readonly path: string;
  /** Without "?"; null when there is none. */
  readonly query: string | null;
}

/** Origin form or absolute form; null for anything else ("*", authority form, fragments, spaces, controls). */
export function parseTarget(target: string): RequestTarget | null {
  const text = target.charCodeAt(0) === 0x2f ? target : pathOfAbsoluteForm(target);
  if (text === null) return null;
  let question = -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f || code === 0x23) return null;
    if (code === 0x3f && question === -1) question = i;
  }
  if (question === -1) return { path: text, query: null };
  return { path: text.slice(0, question), query: text.slice(question + 1) };
}

/** What follows the authority of `http://…` or `https://…`, with "/" for an empty path; null otherwise. */
function pathOfAbsoluteForm(target: string): string | null {
  const schemeLength = schemePrefixLength(target);
  if (schemeLength === 0) return null;
  for (let i = schemeLength; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === 0x2f) return i === schemeLength ? null : target.slice(i);
    if (code === 0x3f) return i === schemeLength ? null : `/${target.slice(i)}`;
  }
  return target.length === schemeLength ? null : '/';
}

function schemePrefixLength(target: string): number {
  const start = target.slice(0, 8).toLowerCase();
  if (start.startsWith('http://')) return 7;
  return start === 'https://' ? 8 : 0;
}

/** The authority of an absolute-form target, in lower case; null for other forms. */
export function authorityOfTarget(target: string): string | null {
  const schemeLength = schemePrefixLength(target);
  if (schemeLength === 0) return null;
  let end = schemeLength;
  while (end < target.length && target.charCodeAt(end) !== 0x2f && target.charCodeAt(end) !== 0x3f) end++;
  return end === schemeLength ? null : target.slice(schemeLength, end).toLowerCase();
}

/** The normal form `path[?query]`, or null when the target is invalid. Idempotent. */
export function normaliseTarget(target: string): string | null {
  if (isPlain(target)) return target;
  const parsed = parseTarget(target);
  if (parsed === null) return null;
  const path = normaliseEncoding(parsed.path, true);
  if (path === null) return null;
  const query = parsed.query === null ? null : normaliseEncoding(parsed.query, false);
  const cleanPath = removeDotSegments(path);
  return query === null ? cleanPath : `${cleanPath}?${query}`;
}

/** The hot path: begins with "/", only characters that normalisation leaves alone, no dot segment possible. */
function isPlain(target: string): boolean {
  if (target.charCodeAt(0) !== 0x2f) return false;
  for (let i = 0; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x23 || code === 0x25) return false;
    if (code === 0x2e && target.charCodeAt(i - 1) === 0x2f) return false;
  }
  return true;
}

function normaliseEncoding(text: string, isStrict: boolean): string | null {
  let result = '';
  let strayAt = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      if (code > 0xff) return null;
      result += `%${code.toString(16).toUpperCase()}`;
    } else if (code === 0x25) {
      const byte = hexByte(text, i + 1);
      if (byte === -1) {
        if (isStrict) return null;
        strayAt = result.length;
        result += '%';
        continue;
      }
      // Decoded close behind a stray "%", a digit would make an encoding of it that nobody has written.
      const isKept = !isUnreserved(byte) || (result.length - strayAt <= 2 && hexDigit(byte) !== -1);
      result += isKept ? text.slice(i, i + 3).toUpperCase() : String.fromCharCode(byte);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

function hexByte(text: string, index: number): number {
  const high = hexDigit(text.charCodeAt(index));
  const low = hexDigit(text.charCodeAt(index + 1));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isUnreserved(code: number): boolean {
  const lower = code | 0x20;
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x7e
  );
}

/** RFC 3986 §5.2.4 on an absolute path; empty segments are kept. */
function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.split('/');
  // The first segment is the empty one before the leading "/".
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] as string;
    const isLast = i === segments.length - 1;
    if (segment === '.') {
      if (isLast) kept.push('');
    } else if (segment === '..') {
      kept.pop();
      if (isLast) kept.push('');
    } else {
      kept.push(segment);
    }
  }
  return `/${kept.join('/')}`;
}
