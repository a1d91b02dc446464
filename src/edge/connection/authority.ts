/**
 * The authority of a request: `host [":" port]` as Host and absolute-form targets carry it (RFC 9110
 * §4.2, §7.2; RFC 3986 §3.2). Narrower than the grammar: no user information, no percent-encoding, no
 * sub-delimiters, because no name that resolves has them and recipients disagree on what they mean.
 */
import { isIPv6 } from 'node:net';
import { CHARACTER_CLASSES, DIGIT, REGISTERED_NAME } from './characters.ts';

const COLON = 58;
const OPENING_BRACKET = 91;
const AUTHORITY_BYTES_MAX = 255 + 6;
const PORT_MAX = 65_535;

/** The authority in lower case, an empty port dropped; null when `text` is none. */
export function parseAuthority(text: string): string | null {
  const length = text.length;
  if (length === 0 || length > AUTHORITY_BYTES_MAX) return null;
  const hostEnd = text.charCodeAt(0) === OPENING_BRACKET ? literalEnd(text) : nameEnd(text);
  if (hostEnd === 0) return null;
  if (hostEnd === length) return lowerCase(text);
  if (text.charCodeAt(hostEnd) !== COLON) return null;
  if (hostEnd + 1 === length) return lowerCase(text.slice(0, hostEnd));
  return isPort(text, hostEnd + 1) ? lowerCase(text) : null;
}

/** Where the registered name or IPv4 address ends. */
function nameEnd(text: string): number {
  let i = 0;
  while (i < text.length && ((CHARACTER_CLASSES[text.charCodeAt(i)] as number) & REGISTERED_NAME) !== 0)
    i += 1;
  return i;
}

/** Where the bracketed IPv6 address ends, 0 when it is none. */
function literalEnd(text: string): number {
  const close = text.indexOf(']');
  if (close === -1) return 0;
  const address = text.slice(1, close);
  return !address.includes('%') && isIPv6(address) ? close + 1 : 0;
}

function isPort(text: string, from: number): boolean {
  let port = 0;
  for (let i = from; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (((CHARACTER_CLASSES[code] as number) & DIGIT) === 0) return false;
    port = port * 10 + (code - 48);
    if (port > PORT_MAX) return false;
  }
  return true;
}

/** Mostly it is lower case already, and then no string is made. */
function lowerCase(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 65 && code <= 90) return text.toLowerCase();
  }
  return text;
}
