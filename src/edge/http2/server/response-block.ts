/**
 * The field block of a response (RFC 9113 §8.3.2, RFC 7541). Blocks refer to the static table alone, so that
 * one made for a stored response fits every connection: a hit copies it, and adds what changes from hit to
 * hit. What may not be written is left out, as in HTTP/1.1 (`http1/response-head.ts`).
 */
import { type Fields, lowerCaseName } from '#core/http/fields.ts';
import { isFieldValue, isToken } from '../../connection/characters.ts';
import { isLeftOut } from '../../connection/message-form.ts';
import type { PreparedBlock, PreparedHead } from '../../exchange.ts';
import { encodeField, encodeFieldPlain, encodeStatus, fieldBytesMax } from '../hpack/encoder.ts';

/** :status in the longest form. */
export const STATUS_BYTES_MAX = 8;
/** Content-Length: static name, length, digits. */
export const LENGTH_BYTES_MAX = 32;

/** Encodes all that may be sent of `fields`. */
export function encodeFields(fields: Fields): Buffer {
  let room = 0;
  for (let i = 0, count = fields.size; i < count; i += 1) {
    room += fieldBytesMax(fields.nameAt(i), fields.valueAt(i));
  }
  const block = Buffer.allocUnsafe(room);
  let at = 0;
  for (let i = 0, count = fields.size; i < count; i += 1) {
    const name = lowerCaseName(fields.nameAt(i));
    const value = fields.valueAt(i);
    if (isLeftOut(name) || !isToken(name) || !isFieldValue(value)) continue;
    at = encodeField(block, at, name, value);
  }
  return block.subarray(0, at);
}

/** The block of a prepared head without :status, made at its first use over HTTP/2 and kept with it. */
export function blockOf(head: PreparedHead): PreparedBlock {
  const known = head.block;
  if (known) return known;
  const fields = encodeLines(head.lines, encodeField);
  // Kept for as long as the response: not a view of something larger.
  const bytes = Buffer.allocUnsafeSlow(fields.length);
  bytes.set(fields);
  const made = { bytes, hasDate: /(?:^|\n)date:/i.test(head.lines) };
  head.block = made;
  return made;
}

type EncodeField = (target: Buffer, at: number, name: string, value: string) => number;

/** Encodes "Name: value" CRLF lines of our own making. */
function encodeLines(lines: string, encode: EncodeField): Buffer {
  // A literal takes at most its characters and a few bytes of lengths; each line has four more characters.
  let block: Buffer = Buffer.allocUnsafe(2 * lines.length + 64);
  let at = 0;
  let from = 0;
  while (from < lines.length) {
    const end = lines.indexOf('\r\n', from);
    const colon = lines.indexOf(': ', from);
    const name = lowerCaseName(lines.slice(from, colon));
    const value = lines.slice(colon + 2, end);
    const room = fieldBytesMax(name, value);
    if (block.length - at < room) block = Buffer.concat([block.subarray(0, at)], 2 * (at + room));
    at = encode(block, at, name, value);
    from = end + 2;
  }
  return block.subarray(0, at);
}

/** What hits of the same second add is the same for many of them: Age, Cache-Status. */
const DYNAMIC = new Map<string, Buffer>();
const DYNAMIC_MAX = 512;
const DYNAMIC_CHARACTERS_MAX = 512;

/** The lines a hit adds, encoded. */
export function dynamicBlock(lines: string): Buffer {
  const known = DYNAMIC.get(lines);
  if (known !== undefined) return known;
  const block = Buffer.from(encodeLines(lines, encodeFieldPlain));
  if (lines.length <= DYNAMIC_CHARACTERS_MAX) {
    // Begun anew as a whole: what is in use comes back with the next hit.
    if (DYNAMIC.size >= DYNAMIC_MAX) DYNAMIC.clear();
    DYNAMIC.set(lines, block);
  }
  return block;
}

export function encodeLength(target: Buffer, at: number, length: number): number {
  return encodeFieldPlain(target, at, 'content-length', String(length));
}

let dateSecond = -1;
let dateBlock: Buffer = Buffer.alloc(0);

/** Date of the moment `now` (ms since the epoch), encoded once a second (RFC 9110 §6.6.1). */
export function dateBlockOf(now: number): Buffer {
  const second = Math.floor(now / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateBlock = dynamicBlock(`Date: ${new Date(second * 1000).toUTCString()}\r\n`);
  }
  return dateBlock;
}

/** A whole block: :status, fields, Date when it lacks and `now` is given, Content-Length unless null. */
export function responseBlock(
  status: number,
  fields: Fields,
  length: number | null,
  now: number | null,
): Buffer {
  const block = encodeFields(fields);
  const date = now === null || fields.has('date') ? null : dateBlockOf(now);
  const dateBytes = date === null ? 0 : date.length;
  const whole = Buffer.allocUnsafe(STATUS_BYTES_MAX + block.length + dateBytes + LENGTH_BYTES_MAX);
  let at = encodeStatus(whole, 0, status);
  whole.set(block, at);
  at += block.length;
  if (date !== null) whole.set(date, at);
  at += dateBytes;
  if (length !== null) at = encodeLength(whole, at, length);
  return whole.subarray(0, at);
}
