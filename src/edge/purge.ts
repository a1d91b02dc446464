/** Carries out purges on this worker: before the answer is given, nothing purged can be served any more. */
import { cacheKey } from '#core/caching/cache-key.ts';
import { authorityOfTarget, normaliseTarget } from '#core/http/request-target.ts';
import type { Purge } from '#core/model/purge.ts';
import type { Road } from './road.ts';

/** Returns how many stored responses were dropped at once; the others are passed over when looked up. */
export function applyPurge(road: Road, purge: Purge): number {
  const { target } = purge;
  road.recorder.count('purges');
  road.purges.apply(purge);
  if (target.kind === 'url') return purgeUrl(road, purge, target.url);
  // Fetches under way are not joined any more; what they bring is judged when it is to be stored.
  road.collapse.detachSite(target.siteId);
  return 0;
}

/** One URL under every host of its site and both schemes: they are one page to its owner. */
function purgeUrl(road: Road, purge: Purge, url: string): number {
  const fragment = url.indexOf('#');
  const withoutFragment = fragment === -1 ? url : url.slice(0, fragment);
  const authority = authorityOfTarget(withoutFragment);
  const normalTarget = normaliseTarget(withoutFragment);
  if (authority === null || normalTarget === null) return 0;
  const site = road.configuration?.siteOfHost(authority) ?? null;
  let dropped = 0;
  for (const host of new Set([authority, ...(site?.hosts ?? [])])) {
    road.purges.apply({ ...purge, target: { kind: 'url', url: `http://${host}${normalTarget}` } });
    for (const scheme of ['http', 'https'] as const) {
      const key = cacheKey({ scheme, host, normalTarget });
      road.collapse.invalidate(key);
      dropped += road.storage.remove(key);
    }
  }
  return dropped;
}
