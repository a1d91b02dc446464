/**
 * Makes a stored head ready to be copied out: once at admission, so that a hit writes no field. Shared
 * by every tier. What changes between two hits (Age, Cache-Status, the max-age of a site's browser TTL)
 * is added by the road.
 */
import { browserCacheControl } from '#core/caching/browser-ttl.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { AlternativeService } from '../alternative-service.ts';
import type { PreparedHead, RecentHits } from '../exchange.ts';
import { encodeFieldLines } from '../http1/response-head.ts';
import { VIA_LINE } from '../names.ts';

/** Cache-Control towards browsers as text around its one number, which grows with the age. */
export interface BrowserTtl {
  /** Up to and with "max-age=". */
  readonly before: string;
  readonly ttlSeconds: number;
  /** From behind the number on, with the line's end. */
  readonly after: string;
}

export interface StoredPreparedHead extends PreparedHead {
  /** Null: the origin's own Cache-Control is among the lines. */
  readonly browserTtl: BrowserTtl | null;
  recent: HitsOfSecond | null;
}

export interface HitsOfSecond extends RecentHits {
  readonly ageSeconds: number;
  readonly alternative: AlternativeService | null;
  areSeveral: boolean;
}

export function prepareHead(head: StoredHead): StoredPreparedHead {
  const browserTtl = browserTtlOf(head);
  let { fields } = head;
  if (browserTtl !== null) {
    fields = fields.copy();
    fields.delete('cache-control');
    fields.delete('expires');
  }
  // What `+` puts together stays in pieces until it is read, and the pieces would be kept with it.
  const lines = [encodeFieldLines(fields), VIA_LINE].join('');
  return { status: head.status, reason: head.reason, lines, block: null, browserTtl, recent: null };
}

/** The Cache-Control line for browsers at `ageSeconds`, with its line end. */
export function browserTtlLine(browserTtl: BrowserTtl, ageSeconds: number): string {
  const { before, ttlSeconds, after } = browserTtl;
  return `${before}${ttlSeconds === 0 ? 0 : ttlSeconds + ageSeconds}${after}`;
}

function browserTtlOf(head: StoredHead): BrowserTtl | null {
  const ttlSeconds = head.browserTtlSeconds;
  if (ttlSeconds === null) return null;
  const value = browserCacheControl(head.fields.get('cache-control'), ttlSeconds, 0);
  if (value === null) return null;
  const number = `max-age=${ttlSeconds}`;
  const at = value.indexOf(number);
  return {
    before: `Cache-Control: ${value.slice(0, at)}max-age=`,
    ttlSeconds,
    after: `${value.slice(at + number.length)}\r\n`,
  };
}
