/** Carries out purges on this worker: before the answer is given, nothing purged can be served any more. */
import { urlKeyOf } from '#core/caching/cache-key.ts';
import { pathOfUrl } from '#core/caching/purge-table.ts';
import { authorityOfTarget } from '#core/http/request-target.ts';
import type { Purge } from '#core/model/purge.ts';
import type { Site } from '#core/model/site.ts';
import { keyTargetAt } from './configuration.ts';
import type { Road } from './road.ts';

/** Returns how many stored responses were dropped at once; the others are judged when looked up. */
export function applyPurge(road: Road, purge: Purge): number {
  const { target, siteId, soft } = purge;
  road.recorder.count('purges');
  // By a clock that is ahead of ours a response would stay fresh until ours is there.
  const requestedAt = Math.min(purge.requestedAt, road.clock.now());
  road.purges.apply({ ...purge, requestedAt });
  if (target.kind !== 'url') {
    // Fetches under way are not joined any more; what they bring is judged when it is to be stored, or looked up.
    road.collapse.detachSite(siteId);
    return 0;
  }
  const normalTarget = pathOfUrl(target.url);
  const site = road.configuration?.site(siteId) ?? null;
  if (normalTarget === null || site === null) return 0;
  const keyTarget = keyTargetAt(site, normalTarget);
  if (keyTarget !== normalTarget) {
    // What is stored goes by what of the query is in the key.
    road.purges.apply({
      ...purge,
      requestedAt,
      target: { kind: 'url', url: `http://${site.hosts[0]}${keyTarget}` },
    });
  }
  road.collapse.detachTarget(siteId, keyTarget);
  return soft ? 0 : dropStored(road, site, target.url, keyTarget);
}

/** Frees memory at once: one URL under every host of its site and both schemes is one page to its owner. */
function dropStored(road: Road, site: Site, url: string, keyTarget: string): number {
  const hosts = new Set(site.hosts);
  const authority = authorityOfTarget(url);
  if (authority !== null) hosts.add(authority);
  let dropped = 0;
  for (const host of hosts) {
    for (const scheme of ['http', 'https'] as const) {
      dropped += road.storage.remove(urlKeyOf({ scheme, host, keyTarget }));
    }
  }
  return dropped;
}
