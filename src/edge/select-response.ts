/** Lookup and selection (RFC 9111 §4, §4.1): from a place and a request's fields to the stored response, if any. */
import { matchesVary, selectStored } from '#core/caching/select.ts';
import type { FieldReader } from '#core/http/fields.ts';
import type { Place } from './configuration.ts';
import { isPurged, type Road } from './road.ts';
import type { StoredResponse } from './storage/storage.ts';

const NONE: readonly StoredResponse[] = [];

/** All stored responses for a place that no purge has made unusable. */
export function lookUp(road: Road, place: Place): readonly StoredResponse[] {
  return usable(road, place, road.storage.lookup(place.cacheKey));
}

/** The same for an onlooker. */
export function peekAt(road: Road, place: Place): readonly StoredResponse[] {
  return usable(road, place, road.storage.peek(place.cacheKey));
}

function usable(road: Road, place: Place, found: readonly StoredResponse[]): readonly StoredResponse[] {
  for (const { head } of found) {
    if (isPurged(road, place.cacheKey, head)) {
      return found.filter((stored) => !isPurged(road, place.cacheKey, stored.head));
    }
  }
  return found.length === 0 ? NONE : found;
}

/** The one that matches the request's Vary values, or null. */
export function select(fields: FieldReader, variants: readonly StoredResponse[]): StoredResponse | null {
  if (variants.length === 0) return null;
  if (variants.length === 1) {
    const only = variants[0] as StoredResponse;
    return matchesVary(fields, only.head) ? only : null;
  }
  const selected = selectStored(
    fields,
    variants.map(({ head }) => head),
  );
  return variants[selected] ?? null;
}
