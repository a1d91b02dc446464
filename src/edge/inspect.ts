/** All that this worker has stored for a URL, wherever it lies and whether or not it may still be used. */
import { currentAgeSeconds, isFresh } from '#core/caching/freshness.ts';
import { NOT_PURGED, PURGED } from '#core/caching/purge-table.ts';
import type { CacheInspection, InspectedResponse, PartName } from '#core/model/messages.ts';
import { placeOfUrl } from './place-of-url.ts';
import type { Road } from './road.ts';
import { DiskResponse } from './storage/disk/disk-response.ts';
import { SharedResponse } from './storage/shared/shared-response.ts';
import type { StoredResponse } from './storage/storage.ts';

/** `url`: complete, http or https. */
export function inspectCache(road: Road, part: PartName, url: string): CacheInspection {
  const place = placeOfUrl(road, url);
  if (typeof place === 'string') return { part, siteId: null, cacheKey: null, responses: [] };
  const now = road.clock.now();
  const responses = road.storage.peek(place.cacheKey).map((stored) => inspected(road, stored, now));
  return { part, siteId: place.site.id, cacheKey: place.cacheKey, responses };
}

function inspected(road: Road, stored: StoredResponse, now: number): InspectedResponse {
  const { head, bodyLength } = stored;
  return {
    tier: tierOf(stored),
    state: stateOf(road, stored, now),
    status: head.status,
    contentType: head.fields.get('content-type'),
    variesOn: head.varyNames.map((name, i) => `${name}: ${head.varyValues[i] ?? ''}`),
    bodyLength,
    ageSeconds: Math.floor(currentAgeSeconds(head, now)),
    freshnessLifetimeSeconds: head.freshnessLifetimeSeconds,
    etag: head.etag,
    lastModified: head.fields.get('last-modified'),
    tags: [...head.tags],
  };
}

function stateOf(
  { purges, storage }: Road,
  { head }: StoredResponse,
  now: number,
): InspectedResponse['state'] {
  if (storage.invalidations.isInvalidated(head)) return 'invalidated';
  const asOf = purges.staleAsOf(head);
  if (asOf === PURGED) return 'purged';
  if (asOf !== NOT_PURGED) return 'stale';
  return isFresh(head, now) ? 'fresh' : 'stale';
}

/** Where it is served from: what is in memory may lie on a disk as well. */
function tierOf(stored: StoredResponse): InspectedResponse['tier'] {
  if (stored instanceof SharedResponse) return 'shared memory';
  return stored instanceof DiskResponse ? 'disk' : 'memory';
}
