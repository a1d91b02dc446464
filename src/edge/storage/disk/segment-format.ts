/**
 * A segment file: records, each a multiple of 64 octets, then a footer that lists them, by which the index is made again
 * without reading them, and a trailer that says where the footer is. Checksums are CRC-32.
 *
 *   record    header (64) │ head (`head-codec.ts`) │ key │ body
 *   whole     a response with its body
 *   head      a response whose body is elsewhere, in chunks of 1 MiB under an object's number
 *   chunk     one of those
 */
import { crc32 } from 'node:zlib';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { decodeHead, type EncodedHead } from '../head-codec.ts';
import type { Octets } from '../octets.ts';
import type { Location, RecordName } from './disk-index.ts';
import { UNIT_BYTES } from './disk-layout.ts';

export const WHOLE = 1;
export const HEAD = 2;
export const CHUNK = 3;
export type RecordKind = typeof WHOLE | typeof HEAD | typeof CHUNK;

export const CHUNK_BYTES = 1024 * 1024;

/** "PGSR", "PGSF". */
const RECORD_MAGIC = 0x50_47_53_52;
const FOOTER_MAGIC = 0x50_47_53_46;
const HEADER_BYTES = 64;
/** Where a chunk's octets begin within its record: it has neither head nor key. */
export const CHUNK_BODY_AT = HEADER_BYTES;

/** Words of a record's header. */
const MAGIC = 0;
const KIND = 1;
const UNITS = 2;
const HASH = 3;
const CHECK = 4;
const VARIANT = 5;
const HEAD_LENGTH = 6;
const KEY_LENGTH = 7;
const BODY_LENGTH = 8;
const BODY_CRC = 9;
/** Of header (with 0 here), head and key. */
const META_CRC = 10;
const OBJECT = 11;
const OBJECT_CHECK = 12;
const URL_HASH = 13;
/** Doubles: how long all of the body is; how far invalidations were when its fetch began. */
const TOTAL_LENGTH = 7;

/** Which chunks are a response's: a number by chance. */
export interface ObjectId {
  readonly hash: number;
  readonly check: number;
}

export interface DiskRecord extends RecordName {
  readonly kind: RecordKind;
  /** Null: a chunk has none. */
  readonly head: EncodedHead | null;
  readonly key: string;
  readonly body: Uint8Array;
  /** Of all chunks together; of a chunk itself 0 where that was not known yet. */
  readonly totalLength: number;
  readonly object: ObjectId;
  /** Of the URL's key, and how far invalidations were when the fetch began: what removals go by at recovery. */
  readonly urlHash: number;
  readonly sequence: number;
  /** When the response came or was validated, ms since the epoch: the newer of two of one name is the one that is true. */
  readonly respondedAt: number;
}

export interface ReadDiskRecord {
  readonly kind: RecordKind;
  readonly head: StoredHead | null;
  readonly key: string;
  /** Empty where the octets given ended before it. */
  readonly body: Uint8Array;
  readonly totalLength: number;
  readonly object: ObjectId;
}

export function recordBytes({ head, key, body }: Pick<DiskRecord, 'head' | 'key' | 'body'>): number {
  const byteLength = HEADER_BYTES + (head?.byteLength ?? 0) + key.length + body.byteLength;
  return Math.ceil(byteLength / UNIT_BYTES) * UNIT_BYTES;
}

/** `offset`: a multiple of 64. */
export function writeDiskRecord(to: Octets, offset: number, record: DiskRecord): void {
  const { words, doubles, bytes } = to;
  const first = offset / 4;
  const headLength = record.head?.byteLength ?? 0;
  const byteLength = recordBytes(record);
  bytes.fill(0, offset, offset + HEADER_BYTES);
  words[first + MAGIC] = RECORD_MAGIC;
  words[first + KIND] = record.kind;
  words[first + UNITS] = byteLength / UNIT_BYTES;
  words[first + HASH] = record.hash;
  words[first + CHECK] = record.check;
  words[first + VARIANT] = record.variant;
  words[first + HEAD_LENGTH] = headLength;
  words[first + KEY_LENGTH] = record.key.length;
  words[first + BODY_LENGTH] = record.body.byteLength;
  words[first + BODY_CRC] = crc32(record.body);
  words[first + OBJECT] = record.object.hash;
  words[first + OBJECT_CHECK] = record.object.check;
  words[first + URL_HASH] = record.urlHash;
  doubles[offset / 8 + TOTAL_LENGTH] = record.totalLength;
  record.head?.write(to, offset + HEADER_BYTES);
  const keyAt = offset + HEADER_BYTES + headLength;
  bytes.latin1Write(record.key, keyAt, record.key.length);
  bytes.set(record.body, keyAt + record.key.length);
  words[first + META_CRC] = crc32(bytes.subarray(offset, keyAt + record.key.length));
}

/** How many octets from `offset` on are needed to know the head of the record there; null when no record is there. */
export function metaBytes({ words }: Octets, offset: number): number | null {
  const first = offset / 4;
  if (words[first + MAGIC] !== RECORD_MAGIC) return null;
  const metaLength =
    HEADER_BYTES + (words[first + HEAD_LENGTH] as number) + (words[first + KEY_LENGTH] as number);
  return metaLength > (words[first + UNITS] as number) * UNIT_BYTES ? null : metaLength;
}

/** The record at `offset`, of which the first `available` octets are there; null when they are none, or damaged. */
export function readDiskRecord(from: Octets, offset: number, available: number): ReadDiskRecord | null {
  const { words, doubles, bytes } = from;
  const metaLength = metaBytes(from, offset);
  if (metaLength === null || metaLength > available) return null;
  const first = offset / 4;
  const expected = words[first + META_CRC] as number;
  words[first + META_CRC] = 0;
  const actual = crc32(bytes.subarray(offset, offset + metaLength));
  words[first + META_CRC] = expected;
  if (actual !== expected) return null;
  const kind = words[first + KIND] as RecordKind;
  const headLength = words[first + HEAD_LENGTH] as number;
  const head = kind === CHUNK ? null : decodeHead(from, offset + HEADER_BYTES, headLength);
  if (kind !== CHUNK && head === null) return null;
  const bodyAt = offset + metaLength;
  const bodyEnd = bodyAt + (words[first + BODY_LENGTH] as number);
  const hasBody = bodyEnd <= offset + available;
  const body = hasBody ? bytes.subarray(bodyAt, bodyEnd) : bytes.subarray(0, 0);
  if (hasBody && crc32(body) !== words[first + BODY_CRC]) return null;
  return {
    kind,
    head,
    key: bytes.latin1Slice(offset + HEADER_BYTES + headLength, bodyAt),
    body,
    totalLength: doubles[offset / 8 + TOTAL_LENGTH] as number,
    object: { hash: words[first + OBJECT] as number, check: words[first + OBJECT_CHECK] as number },
  };
}

/** What a footer says of a record. */
export interface FooterEntry extends RecordName {
  readonly kind: RecordKind;
  readonly offset: number;
  readonly byteLength: number;
  readonly urlHash: number;
  readonly sequence: number;
  /** In whole seconds. */
  readonly respondedAt: number;
}

/** Words of an entry; a double follows the first eight. */
const ENTRY_WORDS = 10;
const ENTRY_BYTES = ENTRY_WORDS * 4;
const TRAILER_BYTES = 64;

/** Octets that footer and trailer of so many records take, with padding. */
export function footerBytes(count: number): number {
  return Math.ceil((count * ENTRY_BYTES) / UNIT_BYTES) * UNIT_BYTES + TRAILER_BYTES;
}

/** Footer and trailer; the trailer is the last 64 octets. */
export function writeFooter(to: Octets, entries: readonly FooterEntry[]): void {
  const { words, doubles, bytes } = to;
  entries.forEach((entry, i) => {
    const first = i * ENTRY_WORDS;
    words[first] = entry.hash;
    words[first + 1] = entry.check;
    words[first + 2] = entry.variant;
    words[first + 3] = entry.kind;
    words[first + 4] = entry.offset / UNIT_BYTES;
    words[first + 5] = entry.byteLength / UNIT_BYTES;
    words[first + 6] = entry.urlHash;
    words[first + 7] = entry.respondedAt / 1000;
    doubles[first / 2 + 4] = entry.sequence;
  });
  const trailer = (footerBytes(entries.length) - TRAILER_BYTES) / 4;
  words[trailer] = FOOTER_MAGIC;
  words[trailer + 1] = entries.length;
  words[trailer + 2] = crc32(bytes.subarray(0, entries.length * ENTRY_BYTES));
}

/** How long the footer that ends with this trailer is, with it; null when it is no trailer. */
export function footerBytesOf({ words, bytes }: Octets): number | null {
  const trailer = (bytes.byteLength - TRAILER_BYTES) / 4;
  return words[trailer] === FOOTER_MAGIC ? footerBytes(words[trailer + 1] as number) : null;
}

/** The entries of a footer, given with its trailer; null when it is damaged. */
export function readFooter({ words, doubles, bytes }: Octets): FooterEntry[] | null {
  const trailer = (bytes.byteLength - TRAILER_BYTES) / 4;
  const count = words[trailer + 1] as number;
  if (words[trailer] !== FOOTER_MAGIC || footerBytes(count) !== bytes.byteLength) return null;
  if (crc32(bytes.subarray(0, count * ENTRY_BYTES)) !== words[trailer + 2]) return null;
  return Array.from({ length: count }, (_, i) => {
    const first = i * ENTRY_WORDS;
    return {
      hash: words[first] as number,
      check: words[first + 1] as number,
      variant: words[first + 2] as number,
      kind: words[first + 3] as RecordKind,
      offset: (words[first + 4] as number) * UNIT_BYTES,
      byteLength: (words[first + 5] as number) * UNIT_BYTES,
      urlHash: words[first + 6] as number,
      respondedAt: (words[first + 7] as number) * 1000,
      sequence: doubles[first / 2 + 4] as number,
    };
  });
}

/** The entry of the record at `offset` of a segment that has no footer; null where no whole record is. */
export function entryOfRecord(
  from: Octets,
  at: number,
  offset: number,
  available: number,
): FooterEntry | null {
  const record = readDiskRecord(from, at, available);
  const first = at / 4;
  const { words } = from;
  const byteLength = (words[first + UNITS] as number) * UNIT_BYTES;
  if (record === null || byteLength > available) return null;
  return {
    hash: words[first + HASH] as number,
    check: words[first + CHECK] as number,
    variant: words[first + VARIANT] as number,
    kind: record.kind,
    offset,
    byteLength,
    urlHash: words[first + URL_HASH] as number,
    sequence: record.head?.sequence ?? 0,
    respondedAt: record.head?.respondedAt ?? 0,
  };
}

export const FOOTER_TRAILER_BYTES = TRAILER_BYTES;
export type { Location };
