/**
 * A stored response in shared memory: eight words, then head (`head-codec.ts`), key and body. Written under the
 * shard's lock and never changed afterwards; read without, and believed when nothing moved meanwhile (`shard.ts`).
 */
import type { StoredHead } from '#core/caching/stored-head.ts';
import { decodeHead, type EncodedHead } from '../head-codec.ts';
import type { Octets } from '../octets.ts';
import { UNIT_BYTES } from './layout.ts';

/** Words of the header: the record's length in units, what it is found by, when it came, and the lengths of its parts. */
export const UNITS = 0;
export const KEY_HASH = 1;
export const VARIANT_HASH = 2;
/** A number per record of a shard; it identifies one together with its key, and the higher one is newer. */
export const STAMP = 3;
/** 0: padding at the end of a ring. */
export const HEAD_LENGTH = 4;
export const KEY_LENGTH = 5;
export const BODY_LENGTH = 6;
const HEADER_BYTES = 32;

/** A response to be stored. */
export interface NewRecord {
  readonly key: string;
  readonly keyHash: number;
  readonly variantHash: number;
  readonly head: EncodedHead;
  readonly body: Uint8Array;
}

/** What was read of a record. */
export interface ReadRecord {
  readonly head: StoredHead;
  readonly stamp: number;
  /** A copy. */
  readonly body: Uint8Array;
}

/** Of what is to be stored, the lengths alone. */
interface RecordLengths {
  readonly head: { readonly byteLength: number };
  readonly key: { readonly length: number };
  readonly body: { readonly byteLength: number };
}

export function unitsOf({ head, key, body }: RecordLengths): number {
  return Math.ceil((HEADER_BYTES + head.byteLength + key.length + body.byteLength) / UNIT_BYTES);
}

/** `offset`: a multiple of 64. */
export function writeRecord(
  to: Octets,
  offset: number,
  record: NewRecord,
  units: number,
  stamp: number,
): void {
  const { words, bytes } = to;
  const first = offset / 4;
  words[first + UNITS] = units;
  words[first + KEY_HASH] = record.keyHash;
  words[first + VARIANT_HASH] = record.variantHash;
  words[first + STAMP] = stamp;
  words[first + HEAD_LENGTH] = record.head.byteLength;
  words[first + KEY_LENGTH] = record.key.length;
  words[first + BODY_LENGTH] = record.body.byteLength;
  record.head.write(to, offset + HEADER_BYTES);
  const keyAt = offset + HEADER_BYTES + record.head.byteLength;
  bytes.latin1Write(record.key, keyAt, record.key.length);
  bytes.set(record.body, keyAt + record.key.length);
}

/** Whether the record at `offset` is of that key; anything may stand there. */
export function isRecordOf({ words, bytes }: Octets, offset: number, key: string): boolean {
  const first = offset / 4;
  if (words[first + KEY_LENGTH] !== key.length) return false;
  const keyAt = offset + HEADER_BYTES + (words[first + HEAD_LENGTH] as number);
  if (keyAt + key.length > bytes.byteLength) return false;
  return bytes.latin1Slice(keyAt, keyAt + key.length) === key;
}

/** The record at `offset`; null when what stands there is none. */
export function readRecord(from: Octets, offset: number): ReadRecord | null {
  const { words, bytes } = from;
  const first = offset / 4;
  const headLength = words[first + HEAD_LENGTH] as number;
  const bodyLength = words[first + BODY_LENGTH] as number;
  const headAt = offset + HEADER_BYTES;
  const bodyAt = headAt + headLength + (words[first + KEY_LENGTH] as number);
  if (bodyAt + bodyLength > bytes.byteLength) return null;
  const head = decodeHead(from, headAt, headLength);
  if (head === null) return null;
  const body = Buffer.allocUnsafeSlow(bodyLength);
  bytes.copy(body, 0, bodyAt, bodyAt + bodyLength);
  return { head, stamp: words[first + STAMP] as number, body };
}
