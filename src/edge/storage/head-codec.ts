/**
 * A stored head as octets, for the tiers outside of the JavaScript heap:
 *
 *   numbers (8 octets each) │ status, flags, counts (2 each) │ lengths of the texts (2 each) │ texts, latin1
 *
 * The texts: reason, site, host, path, search path, ETag; then name and value of each field, name and value of each
 * Vary member, and the tags. What is decoded may be anything, as another process may be writing over it: it
 * gives a head or null, and never more work than its length.
 */
import type { StoredHead } from '#core/caching/stored-head.ts';
import { Fields } from '#core/http/fields.ts';
import type { Octets } from './octets.ts';

const NUMBERS = 13;
const STATUS = NUMBERS * 4;
const FLAGS = STATUS + 1;
const FIELD_COUNT = STATUS + 2;
const VARY_COUNT = STATUS + 3;
const TAG_COUNT = STATUS + 4;
const LENGTHS = STATUS + 5;

const IS_HEURISTIC = 1;
const MUST_VALIDATE_ALWAYS = 2;
const MUST_NOT_SERVE_STALE = 4;

/** Texts that are always there, before those of fields, Vary and tags. */
const FIXED_TEXTS = 6;
/** Of all texts: a head with more is not kept here. Fields are bounded where they come in, far below. */
const TEXTS_MAX = 4_096;
/** A length that says the text is not there. */
const ABSENT = 0xffff;

/** An encoded head: the texts are written last, where the head is to lie. */
export interface EncodedHead {
  /** All of it, octets. */
  readonly byteLength: number;
  /** At `offset`, a multiple of 8. */
  write(to: Octets, offset: number): void;
}

/** Null: it does not fit this form (a text of 64 KiB, or thousands of them). */
export function encodeHead(head: StoredHead): EncodedHead | null {
  const texts = textsOf(head);
  if (texts.length > TEXTS_MAX) return null;
  const text = texts.join('');
  for (const each of texts) if (each !== null && each.length >= ABSENT) return null;
  return {
    byteLength: 2 * (LENGTHS + texts.length) + text.length,
    write: (to, offset) => {
      writeNumbers(to.doubles, offset / 8, head);
      const { halves } = to;
      const first = offset / 2;
      halves[first + STATUS] = head.status;
      halves[first + FLAGS] = flagsOf(head);
      halves[first + FIELD_COUNT] = head.fields.size;
      halves[first + VARY_COUNT] = head.varyNames.length;
      halves[first + TAG_COUNT] = head.tags.length;
      let at = first + LENGTHS;
      for (const each of texts) halves[at++] = each === null ? ABSENT : each.length;
      to.bytes.latin1Write(text, at * 2, text.length);
    },
  };
}

function textsOf(head: StoredHead): (string | null)[] {
  const { fields, varyNames, varyValues } = head;
  const texts = [head.reason, head.siteId, head.host, head.path, head.searchPath, head.etag];
  for (let i = 0, count = fields.size; i < count; i++) texts.push(fields.nameAt(i), fields.valueAt(i));
  for (let i = 0; i < varyNames.length; i++) texts.push(varyNames[i] as string, varyValues[i] ?? null);
  texts.push(...head.tags);
  return texts;
}

function flagsOf(head: StoredHead): number {
  return (
    (head.isHeuristic ? IS_HEURISTIC : 0) |
    (head.mustValidateAlways ? MUST_VALIDATE_ALWAYS : 0) |
    (head.mustNotServeStale ? MUST_NOT_SERVE_STALE : 0)
  );
}

function writeNumbers(doubles: Float64Array, at: number, head: StoredHead): void {
  doubles[at] = head.requestedAt;
  doubles[at + 1] = head.respondedAt;
  doubles[at + 2] = head.initialAgeSeconds;
  doubles[at + 3] = head.freshnessLifetimeSeconds;
  doubles[at + 4] = head.browserTtlSeconds ?? Number.NaN;
  doubles[at + 5] = head.staleWhileRevalidateSeconds;
  doubles[at + 6] = head.staleIfErrorSeconds;
  doubles[at + 7] = head.completeLength ?? Number.NaN;
  doubles[at + 8] = head.lastModifiedAt ?? Number.NaN;
  doubles[at + 9] = head.dateAt;
  doubles[at + 10] = head.purgePosition;
  doubles[at + 11] = head.softPurgePosition;
  doubles[at + 12] = head.sequence;
}

/** The head of `byteLength` octets at `offset`, a multiple of 8; null when they are none. */
export function decodeHead(
  { bytes, halves, doubles }: Octets,
  offset: number,
  byteLength: number,
): StoredHead | null {
  const first = offset / 2;
  if (byteLength < 2 * (LENGTHS + FIXED_TEXTS) || offset + byteLength > bytes.byteLength) return null;
  const fieldCount = halves[first + FIELD_COUNT] as number;
  const varyCount = halves[first + VARY_COUNT] as number;
  const tagCount = halves[first + TAG_COUNT] as number;
  const textCount = FIXED_TEXTS + 2 * (fieldCount + varyCount) + tagCount;
  const textAt = offset + 2 * (LENGTHS + textCount);
  const end = offset + byteLength;
  if (textCount > TEXTS_MAX || textAt > end) return null;
  const texts = new Texts(bytes.latin1Slice(textAt, end), halves, first + LENGTHS);
  const reason = texts.next();
  const siteId = texts.next();
  const host = texts.next();
  const path = texts.next();
  const searchPath = texts.nextOrNull();
  const etag = texts.nextOrNull();
  const flat: string[] = [];
  for (let i = 0; i < 2 * fieldCount; i++) flat.push(texts.next());
  const varyNames: string[] = [];
  const varyValues: (string | null)[] = [];
  for (let i = 0; i < varyCount; i++) {
    varyNames.push(texts.next());
    varyValues.push(texts.nextOrNull());
  }
  const tags: string[] = [];
  for (let i = 0; i < tagCount; i++) tags.push(texts.next());
  if (!texts.isAtEnd) return null;
  const flags = halves[first + FLAGS] as number;
  const at = offset / 8;
  return {
    status: halves[first + STATUS] as number,
    reason,
    fields: new Fields(flat),
    varyNames,
    varyValues,
    requestedAt: doubles[at] as number,
    respondedAt: doubles[at + 1] as number,
    initialAgeSeconds: doubles[at + 2] as number,
    freshnessLifetimeSeconds: doubles[at + 3] as number,
    isHeuristic: (flags & IS_HEURISTIC) !== 0,
    browserTtlSeconds: orNull(doubles[at + 4] as number),
    mustValidateAlways: (flags & MUST_VALIDATE_ALWAYS) !== 0,
    mustNotServeStale: (flags & MUST_NOT_SERVE_STALE) !== 0,
    staleWhileRevalidateSeconds: doubles[at + 5] as number,
    staleIfErrorSeconds: doubles[at + 6] as number,
    completeLength: orNull(doubles[at + 7] as number),
    etag,
    lastModifiedAt: orNull(doubles[at + 8] as number),
    dateAt: doubles[at + 9] as number,
    siteId,
    host,
    path,
    searchPath,
    tags,
    purgePosition: doubles[at + 10] as number,
    softPurgePosition: doubles[at + 11] as number,
    sequence: doubles[at + 12] as number,
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Cuts texts off one string, by their lengths. */
class Texts {
  readonly #text: string;
  readonly #lengths: Uint16Array;
  #lengthAt: number;
  #at = 0;

  constructor(text: string, lengths: Uint16Array, lengthAt: number) {
    this.#text = text;
    this.#lengths = lengths;
    this.#lengthAt = lengthAt;
  }

  /** Whether the lengths were those of the text. */
  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  next(): string {
    return this.nextOrNull() ?? '';
  }

  nextOrNull(): string | null {
    const length = this.#lengths[this.#lengthAt++] as number;
    if (length === ABSENT) return null;
    const start = this.#at;
    this.#at += length;
    return this.#text.slice(start, this.#at);
  }
}
