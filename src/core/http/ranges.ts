/**
 * Byte ranges (RFC 9110 §14). One range is answered with its bytes, several with a multipart of them; what is not
 * understood, or is more trouble than it is worth, with the whole representation, which §14.2 always allows.
 */
import { RANGE_GAP_BYTES, RANGES_MAX, RANGES_READ_MAX } from './limits.ts';
import { isDigitCode, splitList, trimWhitespace } from './syntax.ts';

/** Bytes [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * `value` of the Range field against a representation of `length` bytes: what to send, ascending. Ranges that overlap,
 * or lie closer than what parts them would cost, are one (§14.2, §15.3.7.2). Null: answer the whole. `unsatisfiable`:
 * 416 with the Content-Range of `formatUnsatisfiedRange`.
 */
export function parseRanges(value: string, length: number): readonly ByteRange[] | 'unsatisfiable' | null {
  const specs = rangeSpecs(value);
  if (specs === null) return null;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, length);
    if (range === null) return null;
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (ranges.length === 0) return 'unsatisfiable';
  const coalesced = coalesce(ranges);
  return coalesced.length > RANGES_MAX ? null : coalesced;
}

/** Where a single range begins, while the length is not known; null: at an end, several, or not understood. */
export function firstPosition(value: string): number | null {
  const specs = rangeSpecs(value);
  if (specs?.length !== 1) return null;
  const range = parseSpec(specs[0] as string, Number.MAX_SAFE_INTEGER);
  const isSuffix = specs[0]?.startsWith('-') === true;
  return range === null || range === 'unsatisfiable' || isSuffix ? null : range.start;
}

/** The specs of a set of byte ranges; null: another unit, none, or more than anybody needs. */
function rangeSpecs(value: string): string[] | null {
  const equals = value.indexOf('=');
  if (equals === -1 || trimWhitespace(value.slice(0, equals)).toLowerCase() !== 'bytes') return null;
  const specs = splitList(value.slice(equals + 1));
  return specs.length === 0 || specs.length > RANGES_READ_MAX ? null : specs;
}

function parseSpec(spec: string, length: number): ByteRange | 'unsatisfiable' | null {
  const dash = spec.indexOf('-');
  if (dash === -1) return null;
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

function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const result: ByteRange[] = [];
  for (const range of [...ranges].sort((one, other) => one.start - other.start)) {
    const before = result.at(-1);
    if (before === undefined || range.start > before.end + RANGE_GAP_BYTES) result.push(range);
    else result[result.length - 1] = { start: before.start, end: Math.max(before.end, range.end) };
  }
  return result;
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

const CONTENT_RANGE = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15})$/i;

/** What a 206 says that it is: which bytes of how many. Null: not said, in another unit, or not possible (§14.4). */
export function parseContentRange(value: string | null): { range: ByteRange; length: number } | null {
  const match = CONTENT_RANGE.exec(trimWhitespace(value ?? ''));
  if (match === null) return null;
  const [start, last, length] = match.slice(1).map(Number) as [number, number, number];
  return start <= last && last < length ? { range: { start, end: last + 1 }, length } : null;
}
