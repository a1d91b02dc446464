/**
 * Collapsing as a request meets it: wait for the fetch that is under way, take part in the one that is arriving,
 * or lead a new one. What the outcome means for the request is decided on the road.
 */
import { isFresh } from '#core/caching/freshness.ts';
import { matchesVary, varyValuesOf } from '#core/caching/select.ts';
import { collapseKeyOf, type Fill, type FillOutcome } from './collapse.ts';
import type { Road } from './road.ts';
import { answersSearch } from './select-response.ts';
import type { StoredResponse } from './storage/storage.ts';
import type { Visit } from './visit.ts';

export type Joined =
  /** Waits: `onOutcome` will be called. */
  | { readonly kind: 'waiting' }
  /** A response is arriving that this request may share. */
  | { readonly kind: 'arriving'; readonly outcome: FillOutcome }
  /** Nothing is under way: lead this one. */
  | { readonly kind: 'lead'; readonly fill: Fill }
  /** No more can wait for it. */
  | { readonly kind: 'busy' }
  /** No more fetches can be listed, or none fits: go alone. */
  | { readonly kind: 'alone' };

/**
 * `stored`: what is to be validated, which says what the key varies on; else `varyNames` do, as far as
 * they are known.
 */
export function join(
  road: Road,
  visit: Visit,
  stored: StoredResponse | null,
  varyNames: readonly string[],
  onOutcome: (outcome: FillOutcome) => void,
): Joined {
  const { place, exchange } = visit;
  const { fields } = exchange.request;
  let names = stored === null ? varyNames : stored.head.varyNames;
  let values = stored === null ? varyValuesOf(fields, names) : stored.head.varyValues;
  // Once more at most: under the names that the response arriving for the plain key varies on.
  for (let round = 0; round < 2; round++) {
    const collapseKey = collapseKeyOf(place.cacheKey, names, values);
    const fill = road.collapse.find(place.cacheKey, collapseKey);
    if (fill === null) return begin(road, visit, collapseKey);
    const { outcome } = fill;
    if (outcome === null) {
      if (!fill.wait(onOutcome)) return { kind: 'busy' };
      visit.atGone(() => fill.leave(onOutcome));
      return { kind: 'waiting' };
    }
    if (outcome.kind !== 'shared' || !outcome.body.isOpenable || !isFresh(outcome.head, road.clock.now())) {
      road.collapse.detach(fill);
      return begin(road, visit, collapseKey);
    }
    if (!answersSearch(place, outcome.head)) return { kind: 'alone' };
    if (matchesVary(fields, outcome.head)) return { kind: 'arriving', outcome };
    names = outcome.head.varyNames;
    values = varyValuesOf(fields, names);
  }
  return { kind: 'alone' };
}

function begin(road: Road, visit: Visit, collapseKey: string): Joined {
  const { place } = visit;
  const fill = road.collapse.begin(place.cacheKey, collapseKey, place.site.id);
  return fill === null ? { kind: 'alone' } : { kind: 'lead', fill };
}
