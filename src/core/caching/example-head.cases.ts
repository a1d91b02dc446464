/** A stored head for tests: fresh for a minute, received and dated at `EXAMPLE_AT`. */
import { Fields } from '#core/http/fields.ts';
import { ORIGIN_SILENT } from './freshness.ts';
import type { StoredHead } from './stored-head.ts';

/** 2026-01-01T00:00:00Z in ms. */
export const EXAMPLE_AT = 1_767_225_600_000;

export function exampleHead(changes: Partial<StoredHead> = {}): StoredHead {
  return {
    status: 200,
    reason: 'OK',
    fields: new Fields(['Date', 'Thu, 01 Jan 2026 00:00:00 GMT', 'Cache-Control', 'max-age=60']),
    varyNames: [],
    varyValues: [],
    requestedAt: EXAMPLE_AT,
    respondedAt: EXAMPLE_AT,
    initialAgeSeconds: 0,
    freshnessLifetimeSeconds: 60,
    isHeuristic: false,
    browserTtlSeconds: null,
    mustValidateAlways: false,
    mustNotServeStale: false,
    staleWhileRevalidateSeconds: ORIGIN_SILENT,
    staleIfErrorSeconds: ORIGIN_SILENT,
    completeLength: null,
    etag: null,
    lastModifiedAt: null,
    dateAt: EXAMPLE_AT,
    siteId: 'shop',
    host: 'www.example.com',
    path: '/',
    searchPath: null,
    tags: [],
    purgePosition: 0,
    softPurgePosition: 0,
    sequence: 0,
    ...changes,
  };
}
