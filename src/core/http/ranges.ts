/**
 * Byte ranges (RFC 9110 §14). One range is answered; a request for several, or one that is not understood,
 * is answered with the whole representation, which §14.2 always allows.
 */
import { isDigitCode, trimWhitespace } from './syntax.ts';

/** Bytes [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * `value` of the Range field against a representation of `length` bytes. Null: answer the whole.
 * `unsatisfiable`: 416 with the Content-Range of `formatUnsatisfiedRange`.
 */
export function parseRange(value: string, length: number): ByteRange | 'unsatisfiable' | null {
  const equals = value.indexOf('=');
  if (equals === -1 || trimWhitespace(value.slice(0, equals)).toLowerCase() !== 'bytes') return null;
  const spec = trimWhitespace(value.slice(equals + 1));
  const dash = spec.indexOf('-');
  if (dash === -1 || spec.includes(',')) return null;
  const first = parsePosition(spec.slice(0, dash));
  const last = parsePosition(spec.slice(dash + 1));
  if (first === 'invalid' || last === 'invalid') return null;
  if (first === null) {
    if (last === null) return null;
    if (last === 0 || length === 0) return 'unsatisfiable';
    return { start: Math.max(0, length - last), end: length };
  }
  if (last !== null && last < first) return null;
  if (first >= length) return 'unsatisfiable';
  return { start: first, end: last === null ? length : Math.min(last + 1, length) };
}

/** Null: nothing written there. Positions beyond what a number holds exactly are beyond every body. */
function parsePosition(text: string): number | null | 'invalid' {
  if (text === '') return null;
  for (let i = 0; i < text.length; i++) if (!isDigitCode(text.charCodeAt(i))) return 'invalid';
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER - 1);
}

/** The Content-Range value of a 206. */
export function formatContentRange(range: ByteRange, length: number): string {
  return `bytes ${range.start}-${range.end - 1}/${length}`;
}

/** The Content-Range value of a 416. */
export function formatUnsatisfiedRange(length: number): string {
  return `bytes */${length}`;
}
