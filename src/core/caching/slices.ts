/**
 * Parts of large responses (RFC 9111 §3.3, §3.4): where only a range is asked for, the origin is asked for the aligned
 * slices around it, and these are stored as parts of one response with one strong validator.
 *
 *   slices' head   what all slices of a representation have in common: fields, moments, validator, length; no body
 *   slice          bytes [n · SLICE_BYTES, …) of that representation, under its validator and length
 *
 * Slices of another validator or length are another representation's and never met with these.
 */
import { parseHttpDate } from '#core/http/dates.ts';
import { Fields } from '#core/http/fields.ts';
import { type ByteRange, parseContentRange } from '#core/http/ranges.ts';
import { trimWhitespace } from '#core/http/syntax.ts';
import { SLICE_BYTES, STRONG_DATE_MS_MIN } from './limits.ts';
import type { StoredHead } from './stored-head.ts';

/** Number of the slice that a byte is in. */
export function sliceAt(position: number): number {
  return Math.floor(position / SLICE_BYTES);
}

/** The bytes of a slice; `length` of the whole, null while that is not known. */
export function sliceRange(slice: number, length: number | null): ByteRange {
  const start = slice * SLICE_BYTES;
  return { start, end: Math.min(start + SLICE_BYTES, length ?? Number.MAX_SAFE_INTEGER) };
}

/** What asks for a slice. */
export function formatSliceRequest(slice: number): string {
  const { start, end } = sliceRange(slice, null);
  return `bytes=${start}-${end - 1}`;
}

/** The key under which the common head of a response's slices is stored. */
export function slicesKeyOf(cacheKey: string): string {
  return `${cacheKey} slices`;
}

/** The key of one slice of the representation that the head is of. */
export function sliceKeyOf(cacheKey: string, head: StoredHead, slice: number): string {
  return `${cacheKey} slices ${encodeURIComponent(representationOf(head))} ${slice}`;
}

/** What tells representations of one response apart: validator and length. */
export function representationOf({ etag, lastModifiedAt, completeLength }: StoredHead): string {
  return `${etag ?? lastModifiedAt}/${completeLength}`;
}

export interface SlicePart {
  /** Of the whole representation. */
  readonly length: number;
  /** As if the whole had come: without what is about this part. */
  readonly fields: Fields;
}

/**
 * Reads a 206 as the slice that was asked for. Null: it is another range, its length is not known, or nothing proves
 * that other slices will be of the same representation (§3.4, RFC 9110 §8.8.1).
 */
export function readSlice(slice: number, responseFields: Fields): SlicePart | null {
  const content = parseContentRange(responseFields.get('content-range'));
  if (content === null || !hasStrongValidator(responseFields)) return null;
  const { range, length } = content;
  const expected = sliceRange(slice, length);
  if (range.start !== expected.start || range.end !== expected.end) return null;
  const announced = responseFields.get('content-length');
  if (announced !== null && trimWhitespace(announced) !== String(range.end - range.start)) return null;
  const fields = new Fields([]);
  for (const [name, value] of responseFields) {
    if (!/^content-(?:length|range)$/i.test(name)) fields.append(name, value);
  }
  return { length, fields };
}

function hasStrongValidator(fields: Fields): boolean {
  const etag = fields.get('etag');
  if (etag !== null) return /^"[^"]*"$/.test(trimWhitespace(etag));
  // A date is strong when nothing can have changed twice since (RFC 9110 §8.8.2.2).
  const modifiedAt = parseHttpDate(trimWhitespace(fields.get('last-modified') ?? ''), 0);
  const dateAt = parseHttpDate(trimWhitespace(fields.get('date') ?? ''), 0);
  return modifiedAt !== null && dateAt !== null && dateAt - modifiedAt >= STRONG_DATE_MS_MIN;
}
