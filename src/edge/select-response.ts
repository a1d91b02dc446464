/** Lookup and selection (RFC 9111 §4, §4.1): from a place and a request's fields to the stored response, if any. */
import { NOT_PURGED, PURGED, type PurgeTable } from '#core/caching/purge-table.ts';
import { matchesVary, selectStored } from '#core/caching/select.ts';
import { soften } from '#core/caching/soften.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { FieldReader } from '#core/http/fields.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { type Place, settingsFor } from './configuration.ts';
import { replaceHead, withHead } from './fill.ts';
import type { Road } from './road.ts';
import type { StoredResponse } from './storage/storage.ts';

/** All stored responses for a place that no purge and no invalidation has made unusable; those that soft purges name are stale by now. */
export function lookUp(road: Road, place: Place): readonly StoredResponse[] {
  return judged(road, place, road.storage.lookup(place.cacheKey));
}

/** The same where no disk has to be waited for; else a promise, after which `lookUp` does not wait. */
export function lookUpAtOnce(road: Road, place: Place): readonly StoredResponse[] | Promise<void> {
  const found = road.storage.lookupAtOnce(place.cacheKey);
  return found instanceof Promise ? found : judged(road, place, found);
}

function judged(road: Road, place: Place, found: readonly StoredResponse[]): readonly StoredResponse[] {
  // The head is replaced for good, so that this is done once for a purge.
  return usable(road, ofSearch(place, found), (stored, head) =>
    replaceHead(road, place.cacheKey, stored, head),
  );
}

/** The same for an onlooker: changes nothing. */
export function peekAt(road: Road, place: Place): readonly StoredResponse[] {
  return usable(road, ofSearch(place, road.storage.peek(place.cacheKey)), withHead);
}

/** Under a key that several queries share, what is for this one: its own, or what itself says the rule. */
function ofSearch(place: Place, found: readonly StoredResponse[]): readonly StoredResponse[] {
  return place.search === null ? found : found.filter(({ head }) => answersSearch(place, head));
}

/** Whether a response under the place's key is for its query. */
export function answersSearch({ search, keyTarget }: Place, head: StoredHead): boolean {
  return search === null || head.path === keyTarget || head.fields.get('no-vary-search') === search.text;
}

type HeadChange = (stored: StoredResponse, head: StoredHead) => StoredResponse;

function usable(
  { purges, storage }: Road,
  found: readonly StoredResponse[],
  change: HeadChange,
): readonly StoredResponse[] {
  const { invalidations } = storage;
  for (const { head } of found) {
    if (invalidations.isInvalidated(head) || purges.staleAsOf(head) !== NOT_PURGED) {
      const valid = found.filter((stored) => !invalidations.isInvalidated(stored.head));
      return judgeAll(purges, valid, change);
    }
  }
  return found;
}

function judgeAll(
  purges: PurgeTable,
  found: readonly StoredResponse[],
  change: HeadChange,
): readonly StoredResponse[] {
  const usable: StoredResponse[] = [];
  for (const stored of found) {
    const asOf = purges.staleAsOf(stored.head);
    if (asOf === PURGED) continue;
    usable.push(asOf === NOT_PURGED ? stored : change(stored, soften(stored.head, asOf, purges.position)));
  }
  return usable;
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

/** The settings that apply to a stored response. */
export function settingsOfStored(place: Place, stored: StoredResponse): CacheSettings {
  if (place.settingsByType === null) return place.settings;
  return settingsFor(place, stored.head.fields.get('content-type') ?? '');
}
