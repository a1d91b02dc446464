/**
 * Encodes field lines without state (RFC 7541): by the static table and as literals, never by the dynamic table, so
 * that a block made once can be copied into any connection. Names are lower case, and both names and values latin1
 * strings; the caller provides room (`fieldBytesMax`).
 */

import type { Latin1Buffer } from '#platform/latin1-buffer.ts';
import { encodeHuffman, huffmanBytes } from './huffman-encoder.ts';
import { STATIC_INDEX, STATIC_LINES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/**
 * By static index: fields that nobody on the way may put into a table (§7.1.3), because they are secrets that could be
 * guessed bit by bit.
 */
const IS_SECRET = new Uint8Array(STATIC_LINES + 1);
for (const name of ['authorization', 'cookie', 'proxy-authorization', 'set-cookie']) {
  IS_SECRET[STATIC_INDEX.get(name) as number] = 1;
}

/** First bits of a representation (§6). */
const INDEXED = 0x80;
const LITERAL_NEVER_INDEXED = 0x10;
const LITERAL_NOT_INDEXED = 0x00;
const HUFFMAN = 0x80;

/** Strings up to this length are written faster by character than by a call. */
const BY_CHARACTER_MAX = 16;

/** The :status of a response, of three digits: at most five bytes. Returns the position behind it, as all of these do. */
export function encodeStatus(target: Buffer, at: number, status: number): number {
  return encodeFieldPlain(target, at, ':status', String(status));
}

/** Room for a field in any encoding: its characters, and at most eleven octets of index and lengths. */
export function fieldBytesMax(lowerCaseName: string, value: string): number {
  return lowerCaseName.length + value.length + 11;
}

/** A field line, its strings in Huffman code where that is shorter. */
export function encodeField(target: Buffer, at: number, lowerCaseName: string, value: string): number {
  return encodeLine(target, at, lowerCaseName, value, encodeString);
}

/** The same without Huffman code: for short values that change with every response. */
export function encodeFieldPlain(target: Buffer, at: number, lowerCaseName: string, value: string): number {
  return encodeLine(target, at, lowerCaseName, value, encodeStringPlain);
}

type StringEncoder = (target: Buffer, at: number, text: string) => number;

function encodeLine(target: Buffer, at: number, name: string, value: string, encode: StringEncoder): number {
  const nameIndex = STATIC_INDEX.get(name);
  if (nameIndex === undefined) {
    target[at] = LITERAL_NOT_INDEXED;
    return encode(target, encode(target, at + 1, name), value);
  }
  if (IS_SECRET[nameIndex] === 1) {
    return encode(target, encodeInteger(target, at, LITERAL_NEVER_INDEXED, 0x0f, nameIndex), value);
  }
  for (let index = nameIndex; STATIC_NAMES[index] === name; index += 1) {
    if (STATIC_VALUES[index] === value) return encodeInteger(target, at, INDEXED, 0x7f, index);
  }
  return encode(target, encodeInteger(target, at, LITERAL_NOT_INDEXED, 0x0f, nameIndex), value);
}

function encodeString(target: Buffer, at: number, text: string): number {
  const bytes = huffmanBytes(text);
  if (bytes >= text.length) return encodeStringPlain(target, at, text);
  return encodeHuffman(target, encodeInteger(target, at, HUFFMAN, 0x7f, bytes), text);
}

function encodeStringPlain(target: Buffer, at: number, text: string): number {
  const { length } = text;
  const from = encodeInteger(target, at, 0, 0x7f, length);
  if (length > BY_CHARACTER_MAX) {
    (target as Latin1Buffer).latin1Write(text, from, length);
  } else {
    for (let i = 0; i < length; i += 1) target[from + i] = text.charCodeAt(i);
  }
  return from + length;
}

/** An integer (§5.1) behind the first bits of its octet; `prefixMax` has all bits of the prefix set. */
function encodeInteger(
  target: Buffer,
  at: number,
  firstBits: number,
  prefixMax: number,
  value: number,
): number {
  if (value < prefixMax) {
    target[at] = firstBits | value;
    return at + 1;
  }
  target[at] = firstBits | prefixMax;
  let end = at + 1;
  let rest = value - prefixMax;
  while (rest >= 0x80) {
    target[end] = 0x80 | (rest & 0x7f);
    end += 1;
    rest >>>= 7;
  }
  target[end] = rest;
  return end + 1;
}
