/** Purges in words. */
import type { PurgeView } from '#core/contract/purges.ts';
import type { SiteView } from '#core/contract/sites.ts';
import type { PurgeTarget } from '#core/model/purge.ts';

export function describeTarget(target: PurgeTarget): string {
  switch (target.kind) {
    case 'url':
      return target.url;
    case 'prefix':
      return `Everything below ${target.prefix}`;
    case 'tag':
      return `Everything tagged “${target.tag}”`;
    case 'host':
      return `Everything under ${target.host}`;
    case 'everything':
      return 'Everything';
  }
}

/** "applied by 6 of 6". */
export function describeReceipts(purge: Pick<PurgeView, 'receipts'>): string {
  const applied = purge.receipts.filter((receipt) => receipt.applied).length;
  return purge.receipts.length === 0
    ? 'no edge was live'
    : `applied by ${applied} of ${purge.receipts.length}`;
}

export function concernsSite(target: PurgeTarget, site: Pick<SiteView, 'id' | 'hosts'>): boolean {
  if (target.kind !== 'url') return target.siteId === site.id;
  return URL.canParse(target.url) && site.hosts.includes(new URL(target.url).hostname);
}
