/**
 * The small grammar that HTTP field values share (RFC 9110 §5.6): tokens, optional whitespace, quoted
 * strings, lists. Everything scans by character code, once, and never throws.
 */

/** One bit per ASCII character: is it a tchar (RFC 9110 §5.6.2)? */
const TOKEN_CHARACTERS = new Uint8Array(128);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN_CHARACTERS[character.charCodeAt(0)] = 1;
}

export function isTokenCode(code: number): boolean {
  return code < 128 && TOKEN_CHARACTERS[code] === 1;
}

export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenCode(text.charCodeAt(i))) return false;
  return text.length > 0;
}

export function isDigitCode(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Removes spaces and tabs at both ends (OWS; nothing else is whitespace in HTTP). */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespaceCode(text.charCodeAt(start))) start++;
  while (end > start && isWhitespaceCode(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

export function isWhitespaceCode(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * The members of a comma-separated list, trimmed, empty ones left out (RFC 9110 §5.6.1.2). Commas within
 * quoted strings do not separate; a quote that is never closed runs to the end.
 */
export function splitList(value: string): string[] {
  return splitOutsideQuotes(value, 0x2c);
}

/** The same for parameters, separated by semicolons; an empty first part is kept out as well. */
export function splitParameters(value: string): string[] {
  return splitOutsideQuotes(value, 0x3b);
}

function splitOutsideQuotes(value: string, separator: number): string[] {
  const members: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i <= value.length; i++) {
    const code = i === value.length ? separator : value.charCodeAt(i);
    if (isQuoted && i < value.length) {
      if (code === 0x5c) i++;
      else if (code === 0x22) isQuoted = false;
      continue;
    }
    if (code === 0x22) {
      isQuoted = true;
    } else if (code === separator) {
      const member = trimWhitespace(value.slice(start, i));
      if (member !== '') members.push(member);
      start = i + 1;
    }
  }
  // A backslash at the end of a quoted string that is never closed.
  if (start < value.length) members.push(trimWhitespace(value.slice(start)));
  return members;
}

/** Whether a quoted string in `value` is never closed. */
export function hasOpenQuote(value: string): boolean {
  let isQuoted = false;
  for (let i = value.indexOf('"'); i !== -1 && i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (isQuoted && code === 0x5c) i++;
    else if (code === 0x22) isQuoted = !isQuoted;
  }
  return isQuoted;
}

/** The text within a quoted string, or null when `text` is not exactly one quoted string. */
export function unquote(text: string): string | null {
  if (text.length < 2 || text.charCodeAt(0) !== 0x22 || text.charCodeAt(text.length - 1) !== 0x22)
    return null;
  let result = '';
  let start = 1;
  for (let i = 1; i < text.length - 1; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return null;
    if (code !== 0x5c) continue;
    if (i + 1 >= text.length - 1) return null;
    result += text.slice(start, i);
    start = i + 1;
    i++;
  }
  return result + text.slice(start, -1);
}

/** delta-seconds are never read above this: RFC 9111 §1.2.2 names it as what overflows become. */
const DELTA_SECONDS_MAX = 2_147_483_648;

/** delta-seconds (RFC 9111 §1.2.2): digits only, capped; null when it is anything else. */
export function parseDeltaSeconds(text: string): number | null {
  if (text.length === 0) return null;
  let seconds = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (!isDigitCode(code)) return null;
    if (seconds < DELTA_SECONDS_MAX) seconds = seconds * 10 + (code - 0x30);
  }
  return Math.min(seconds, DELTA_SECONDS_MAX);
}
