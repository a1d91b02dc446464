/**
 * From what we hold to an answer: preconditions and ranges (RFC 9110 §13, §14), Age, Cache-Status, the
 * browser's TTL. A stored response whose body lies in memory is answered synchronously, in one write.
 */
import { randomBytes } from 'node:crypto';
import { browserCacheControl } from '#core/caching/browser-ttl.ts';
import { ageFieldValue } from '#core/caching/freshness.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { evaluatePreconditions, isRangeCurrent } from '#core/http/conditions.ts';
import { Fields, lowerCaseName } from '#core/http/fields.ts';
import {
  type ByteRange,
  formatContentRange,
  formatUnsatisfiedRange,
  parseRanges,
} from '#core/http/ranges.ts';
import type { BodySource, Exchange } from './exchange.ts';
import { MultipartSource } from './multipart-source.ts';
import { CACHE_NAME, VIA_PSEUDONYM } from './names.ts';
import { PartialSource } from './partial-source.ts';
import { recallLines, rememberLines } from './recent-hits.ts';
import type { Handling } from './record.ts';
import { relay } from './relay.ts';
import type { Road } from './road.ts';
import { browserTtlLine, prepareHead, type StoredPreparedHead } from './storage/prepared-head.ts';
import type { StoredResponse } from './storage/storage.ts';

/** How an answer came about, for Cache-Status and the record. */
export interface Provenance {
  readonly handling: Handling;
  /** Our member of Cache-Status; null: a hit with what is left of its lifetime. */
  readonly cacheStatus: string | null;
  /** Why the origin did not answer, where a stale response covers for it (RFC 9209). */
  readonly proxyStatus?: string;
}

export const HIT: Provenance = { handling: 'hit', cacheStatus: null };
export const SERVED_STALE: Provenance = { handling: 'served-stale', cacheStatus: null };

/** Answers from a stored response. */
export function respondStored(
  road: Road,
  exchange: Exchange,
  stored: StoredResponse,
  now: number,
  provenance: Provenance,
): void {
  const { head, prepared, body, bodyLength } = stored;
  const lines = dynamicLines(exchange, head, prepared, now, provenance);
  if (isPlain(exchange.request.fields)) {
    if (body === null) {
      void streamStored(road, exchange, stored, now, provenance);
      return;
    }
    exchange.respondPrepared(prepared, lines, body, bodyLength);
    recordWhole(road, exchange, head, head.status, bodyLength, provenance, now);
    return;
  }
  respondConditionally(road, exchange, stored, lines, now, provenance);
}

/** Answers a request that has preconditions or asks for a range. */
function respondConditionally(
  road: Road,
  exchange: Exchange,
  stored: StoredResponse,
  lines: string,
  now: number,
  provenance: Provenance,
): void {
  const { head, prepared, body, bodyLength } = stored;
  const { method, fields } = exchange.request;
  const outcome = evaluatePreconditions(method, fields, head, now);
  if (outcome !== 'proceed') {
    const status = outcome === 'not-modified' ? 304 : 412;
    const answer = withoutContent(head, status);
    const answerLines = dynamicLines(exchange, head, answer, now, provenance);
    exchange.respondPrepared(answer, answerLines, null, 0);
    recordWhole(road, exchange, head, status, 0, provenance, now);
    return;
  }
  const ranges = requestedRanges(method, fields, head, bodyLength, now);
  if (ranges === 'unsatisfiable') {
    refuseRange(road, exchange, head, bodyLength, now, provenance);
  } else if (ranges === null) {
    if (body === null) {
      void streamStored(road, exchange, stored, now, provenance);
      return;
    }
    exchange.respondPrepared(prepared, lines, body, bodyLength);
    recordWhole(road, exchange, head, head.status, bodyLength, provenance, now);
  } else if (ranges.length > 1) {
    void respondMultipart(road, exchange, stored, ranges, now, provenance);
  } else if (body === null) {
    const range = ranges[0] as ByteRange;
    const source = stored.open(range.start, range.end);
    void respondPartial(road, exchange, head, source, range, bodyLength, now, provenance);
  } else {
    const range = ranges[0] as ByteRange;
    const { start, end } = range;
    const partial = { status: 206, reason: '', lines: prepared.lines, block: null };
    const rangeLine = `Content-Range: ${formatContentRange(range, bodyLength)}\r\n`;
    exchange.respondPrepared(partial, lines + rangeLine, body.subarray(start, end), end - start);
    recordWhole(road, exchange, head, 206, end - start, provenance, now);
  }
}

/** The range begins beyond the end (RFC 9110 §15.5.17). */
export function refuseRange(
  road: Road,
  exchange: Exchange,
  head: StoredHead,
  length: number,
  now: number,
  provenance: Provenance,
): void {
  const answer = withoutContent(head, 416);
  const rangeLine = `Content-Range: ${formatUnsatisfiedRange(length)}\r\n`;
  const answerLines = dynamicLines(exchange, head, answer, now, provenance) + rangeLine;
  exchange.respondPrepared(answer, answerLines, null, 0);
  recordWhole(road, exchange, head, 416, 0, provenance, now);
}

/** What of a body of that length is asked for; null: all of it. */
export function requestedRanges(
  method: string,
  fields: Fields,
  head: StoredHead,
  bodyLength: number,
  now: number,
): readonly ByteRange[] | 'unsatisfiable' | null {
  if (method !== 'GET' || head.status !== 200) return null;
  const value = fields.get('range');
  if (value === null || !isRangeCurrent(fields.get('if-range'), head, now)) return null;
  return parseRanges(value, bodyLength);
}

/** Answers with a body that lies outside this process's memory. */
async function streamStored(
  road: Road,
  exchange: Exchange,
  stored: StoredResponse,
  now: number,
  provenance: Provenance,
): Promise<void> {
  const { head, bodyLength } = stored;
  const fields = sentFields(exchange, head, now, provenance, true);
  const source = stored.open(0, exchange.request.method === 'HEAD' ? 0 : bodyLength);
  exchange.onGone(() => source.cancel('the client has gone'));
  await stream(
    road,
    exchange,
    { head, status: head.status, fields, source, length: bodyLength },
    now,
    provenance,
  );
}

/** Answers with one range of a body of `length` bytes; `source` gives that range. Who leaves is seen to by the caller. */
export async function respondPartial(
  road: Road,
  exchange: Exchange,
  head: StoredHead,
  source: BodySource,
  range: ByteRange,
  length: number,
  now: number,
  provenance: Provenance & { readonly showsAge?: boolean },
): Promise<void> {
  const fields = sentFields(exchange, head, now, provenance, provenance.showsAge ?? true);
  fields.append('Content-Range', formatContentRange(range, length));
  const answer = { head, status: 206, fields, source, length: range.end - range.start };
  await stream(road, exchange, answer, now, provenance);
}

/** Of the boundary between the parts of a multipart: not to be met by chance, nor known in advance. */
const BOUNDARY_BYTES = 12;

/** Answers with several ranges (RFC 9110 §15.3.7.2). */
async function respondMultipart(
  road: Road,
  exchange: Exchange,
  stored: StoredResponse,
  ranges: readonly ByteRange[],
  now: number,
  provenance: Provenance,
): Promise<void> {
  const { head } = stored;
  const boundary = randomBytes(BOUNDARY_BYTES).toString('hex');
  const source = new MultipartSource(stored, ranges, boundary);
  const fields = sentFields(exchange, head, now, provenance, true);
  fields.set('Content-Type', `multipart/byteranges; boundary=${boundary}`);
  exchange.onGone(() => source.cancel('the client has gone'));
  await stream(road, exchange, { head, status: 206, fields, source, length: source.length }, now, provenance);
}

interface Streamed {
  readonly head: StoredHead;
  readonly status: number;
  readonly fields: Fields;
  readonly source: BodySource;
  readonly length: number | null;
}

async function stream(
  road: Road,
  exchange: Exchange,
  { head, status, fields, source, length }: Streamed,
  now: number,
  { handling }: Provenance,
): Promise<void> {
  const sink = exchange.respondStream(
    { status, reason: status === head.status ? head.reason : '', fields },
    length,
  );
  const { bytes } = await relay(source, sink);
  const { siteId } = head;
  road.recorder.record({ exchange, siteId, handling, status, bodyBytes: bytes, firstByteAt: now });
}

/**
 * Answers with a response that was fetched and stored just now; `askersHead`: for the request that fetched it, where
 * that is told more than what is stored.
 */
export async function respondFetched(
  road: Road,
  exchange: Exchange,
  stored: StoredResponse,
  askersHead: StoredHead | null,
  provenance: Provenance & { readonly showsAge: boolean },
): Promise<void> {
  const { head, prepared, body, bodyLength } = stored;
  if (body === null || askersHead !== null || !isPlain(exchange.request.fields)) {
    const source = stored.open(0, bodyLength);
    await respondArriving(road, exchange, askersHead ?? head, source, provenance);
    return;
  }
  const now = road.clock.now();
  const { showsAge } = provenance;
  const lines = dynamicLines(exchange, head, prepared, now, provenance, showsAge);
  exchange.respondPrepared(prepared, lines, body, bodyLength);
  recordWhole(road, exchange, head, head.status, bodyLength, provenance, now);
}

/**
 * Answers with a response that is arriving, as far as the request's preconditions allow; `source` is its
 * body. `showsAge`: false for the request that fetched it, unless the origin's answer had an Age already.
 */
export async function respondArriving(
  road: Road,
  exchange: Exchange,
  head: StoredHead,
  source: BodySource,
  provenance: Provenance & { readonly showsAge: boolean },
): Promise<void> {
  const { showsAge } = provenance;
  const now = road.clock.now();
  const { method, fields } = exchange.request;
  const isWhole = isPlain(fields);
  const outcome = isWhole ? 'proceed' : evaluatePreconditions(method, fields, head, now);
  if (outcome !== 'proceed') {
    source.cancel('the client has it already');
    const status = outcome === 'not-modified' ? 304 : 412;
    const answer = withoutContent(head, status);
    exchange.respondPrepared(answer, dynamicLines(exchange, head, answer, now, provenance), null, 0);
    recordWhole(road, exchange, head, status, 0, provenance, now);
    return;
  }
  const { length } = source;
  const ranges = isWhole || length === null ? null : requestedRanges(method, fields, head, length, now);
  if (length !== null && ranges === 'unsatisfiable') {
    source.cancel('nothing of it is wanted');
    refuseRange(road, exchange, head, length, now, provenance);
    return;
  }
  if (length !== null && ranges?.length === 1) {
    const range = ranges[0] as ByteRange;
    const part = new PartialSource(source, range);
    await respondPartial(road, exchange, head, part, range, length, now, provenance);
    return;
  }
  const sent = sentFields(exchange, head, now, provenance, showsAge);
  await stream(road, exchange, { head, status: head.status, fields: sent, source, length }, now, provenance);
}

/** A stored head's fields as they go out when the answer is streamed. */
function sentFields(
  exchange: Exchange,
  head: StoredHead,
  now: number,
  { cacheStatus, proxyStatus }: Provenance,
  showsAge: boolean,
): Fields {
  const fields = head.fields.copy();
  const age = ageFieldValue(head, now);
  if (head.browserTtlSeconds !== null) replaceBrowserTtl(fields, head.browserTtlSeconds, age);
  fields.append('Via', `1.1 ${VIA_PSEUDONYM}`);
  if (showsAge) fields.append('Age', String(age));
  fields.append('Cache-Status', cacheStatus ?? hitStatus(head, age));
  if (proxyStatus !== undefined) fields.append('Proxy-Status', proxyStatus);
  const { alternative } = exchange.connection;
  if (alternative !== null) fields.append('Alt-Svc', alternative.value);
  return fields;
}

/** Puts the site's TTL for browsers in place of the origin's, where the origin allows them to keep it at all. */
export function replaceBrowserTtl(fields: Fields, ttlSeconds: number, ageSeconds: number): void {
  const value = browserCacheControl(fields.get('cache-control'), ttlSeconds, ageSeconds);
  if (value === null) return;
  fields.delete('expires');
  fields.set('Cache-Control', value);
}

/** What is left of the lifetime is told so that it and Age add up; not above 0: stale. */
function hitStatus(head: StoredHead, age: number): string {
  return `${CACHE_NAME}; hit; ttl=${head.freshnessLifetimeSeconds - age}`;
}

/** The lines that differ between two uses of a stored head. */
function dynamicLines(
  exchange: Exchange,
  head: StoredHead,
  prepared: StoredPreparedHead,
  now: number,
  { cacheStatus, proxyStatus }: Provenance,
  showsAge = true,
): string {
  const age = ageFieldValue(head, now);
  const { alternative } = exchange.connection;
  const known = cacheStatus === null ? recallLines(prepared, age, alternative) : null;
  if (known !== null) return known;
  let lines = `Cache-Status: ${cacheStatus ?? hitStatus(head, age)}\r\n`;
  if (showsAge) lines = `Age: ${age}\r\n${lines}`;
  if (proxyStatus !== undefined) lines += `Proxy-Status: ${proxyStatus}\r\n`;
  if (alternative !== null) lines += alternative.line;
  if (prepared.browserTtl !== null) lines += browserTtlLine(prepared.browserTtl, age);
  if (cacheStatus === null) rememberLines(prepared, age, alternative, lines);
  return lines;
}

/**
 * Whether the request has neither preconditions nor a range: one look at each name's length and first letter,
 * where five searches by name would be needed otherwise.
 */
function isPlain(fields: Fields): boolean {
  for (let i = 0, count = fields.size; i < count; i++) {
    const name = fields.nameAt(i);
    switch (name.length) {
      case 5:
        if (lowerCaseName(name) === 'range') return false;
        break;
      case 8:
      case 13:
      case 17:
      case 19: {
        // If-Match, If-Range; If-None-Match; If-Modified-Since; If-Unmodified-Since.
        const first = name.charCodeAt(0) | 0x20;
        if (first === 0x69 && name.charCodeAt(2) === 0x2d) return false;
        break;
      }
      default:
    }
  }
  return true;
}

/** How long the content may be kept, and by whom: of no use to an answer that is not the content. */
const LIFETIMES: ReadonlySet<string> = new Set([
  'cache-control',
  'cdn-cache-control',
  'expires',
  'perigee-cdn-cache-control',
  'surrogate-control',
]);

/**
 * The head without what describes content, for answers without any (RFC 9110 §15.4.5). One that refuses a
 * request's own condition or range must not be kept by a cache before us as the answer for everybody.
 */
function withoutContent(head: StoredHead, status: 304 | 412 | 416): StoredPreparedHead {
  const isRefusal = status !== 304;
  const flat: string[] = [];
  for (const [name, value] of head.fields) {
    const lower = lowerCaseName(name);
    if (lower.startsWith('content-') && lower !== 'content-location') continue;
    if (isRefusal && LIFETIMES.has(lower)) continue;
    flat.push(name, value);
  }
  if (isRefusal) flat.push('Cache-Control', 'no-store');
  const browserTtlSeconds = isRefusal ? null : head.browserTtlSeconds;
  return prepareHead({ ...head, status, reason: '', browserTtlSeconds, fields: new Fields(flat) });
}

function recordWhole(
  road: Road,
  exchange: Exchange,
  head: StoredHead,
  status: number,
  bodyLength: number,
  provenance: Provenance,
  now: number,
): void {
  const bodyBytes = exchange.request.method === 'HEAD' ? 0 : bodyLength;
  if (provenance === HIT) {
    road.recorder.recordHit(exchange, head.siteId, status, bodyBytes);
    return;
  }
  const { handling } = provenance;
  road.recorder.record({
    exchange,
    siteId: head.siteId,
    handling,
    status,
    bodyBytes,
    firstByteAt: now,
  });
}
