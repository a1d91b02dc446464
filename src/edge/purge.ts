/** Carries out purges on this worker: before the answer is given, nothing purged can be served any more. */
import { urlKeyOf } from '#core/caching/cache-key.ts';
import { pathOfUrl } from '#core/caching/purge-table.ts';
import { authorityOfTarget } from '#core/http/request-target.ts';
import type { Purge } from '#core/model/purge.ts';
import type { Site } from '#core/model/site.ts';
import { keyTargetAt } from './configuration.ts';
import type { PurgeJournal } from './purge-journal.ts';
import type { Road } from './road.ts';

/** Carries out a purge and notes it for later runs. Throws when it cannot be noted: then it is in force, but not confirmed. */
export function takePurge(
  road: Road,
  journal: PurgeJournal,
  purge: Purge,
): { readonly purgedResponses: number } {
  const { purges, purgedResponses } = applyPurge(road, purge);
  for (const applied of purges) journal.append(applied);
  return { purgedResponses };
}

interface AppliedPurge {
  /** What it came to in the table of purges. */
  readonly purges: readonly Purge[];
  /** How many stored responses were dropped at once; the others are judged when looked up. */
  readonly purgedResponses: number;
}

export function applyPurge(road: Road, ordered: Purge): AppliedPurge {
  const { target, siteId, soft } = ordered;
  road.recorder.count('purges');
  // By a clock that is ahead of ours a response would stay fresh until ours is there.
  const purge = { ...ordered, requestedAt: Math.min(ordered.requestedAt, road.clock.now()) };
  road.purges.apply(purge);
  if (target.kind !== 'url') {
    // Fetches under way are not joined any more; what they bring is judged when it is to be stored, or looked up.
    road.collapse.detachSite(siteId);
    return { purges: [purge], purgedResponses: 0 };
  }
  const normalTarget = pathOfUrl(target.url);
  const site = road.configuration?.site(siteId) ?? null;
  if (normalTarget === null || site === null) return { purges: [purge], purgedResponses: 0 };
  const purges: Purge[] = [purge];
  const keyTarget = keyTargetAt(site, normalTarget);
  if (keyTarget !== normalTarget) {
    // What is stored goes by what of the query is in the key.
    const byKey: Purge = { ...purge, target: { kind: 'url', url: `http://${site.hosts[0]}${keyTarget}` } };
    road.purges.apply(byKey);
    purges.push(byKey);
  }
  road.collapse.detachTarget(siteId, keyTarget);
  return { purges, purgedResponses: soft ? 0 : dropStored(road, site, target.url, keyTarget) };
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
