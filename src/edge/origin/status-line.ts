/** The first line of a response (RFC 9112 §4): "HTTP/1.1 200 OK". */
import { CHARACTER_CLASSES, DIGIT, FIELD_VALUE } from '../connection/characters.ts';
import type { StatusLine } from './response-framing.ts';

const BEGIN = 'HTTP/1.';
const SPACE = 32;
const ZERO = 48;

function isDigit(code: number): boolean {
  return code < 256 && ((CHARACTER_CLASSES[code] as number) & DIGIT) !== 0;
}

/**
 * Reads `text.slice(0, end)`; null when it is no status line. Any status from 100 to 999 is one: what a
 * number means is for others to judge. The space before an empty reason may be missing, as many servers
 * have it; a minor version above 1 counts as 1 (RFC 9110 §2.5).
 */
export function parseStatusLine(text: string, end: number): StatusLine | null {
  // HTTP/1.x SP 3DIGIT: twelve characters at least.
  if (end < 12 || !text.startsWith(BEGIN)) return null;
  const minor = text.charCodeAt(7);
  if (!isDigit(minor) || text.charCodeAt(8) !== SPACE) return null;
  let status = 0;
  for (let i = 9; i < 12; i += 1) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return null;
    status = status * 10 + (code - ZERO);
  }
  if (status < 100 || (end > 12 && text.charCodeAt(12) !== SPACE)) return null;
  for (let i = 13; i < end; i += 1) {
    if (((CHARACTER_CLASSES[text.charCodeAt(i)] as number) & FIELD_VALUE) === 0) return null;
  }
  // Nearly always "OK": then no string is cut out that keeps the head.
  const isOk = end === 15 && text.startsWith('OK', 13);
  const reason = isOk ? 'OK' : end > 13 ? text.slice(13, end) : '';
  return { minorVersion: minor === ZERO ? 0 : 1, status, reason };
}
