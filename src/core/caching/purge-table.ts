/**
 * Purges in force. Nothing is scanned: a purge writes the log position at which it stands
 * beside what it names, and a stored response, which remembers how far the log had been read when its fetch
 * began, is purged iff a position that names it is higher. So a response fetched before a purge never comes
 * back after it, however late it is stored.
 *
 *   everything   site → position
 *   tags         site → tag → position
 *   prefixes     site → length of prefix → prefix → position   (one lookup per distinct length)
 *   URLs         cache key → position, for fills in flight; the stored ones are removed by the storage
 *
 * Bounded: when a site's tags and prefixes outgrow their room they become one purge of everything of the
 * site; when URL purges do, every fill begun before counts as purged. Too much is purged then, never too little.
 */
import { normaliseTarget } from '#core/http/request-target.ts';
import type { Purge } from '#core/model/purge.ts';
import { cacheKeysOfUrl } from './cache-key.ts';
import { PURGES_PER_SITE_MAX, PURGES_TOTAL_MAX, URL_PURGES_MAX } from './limits.ts';
import type { StoredHead } from './stored-head.ts';

interface SitePurges {
  everythingAt: number;
  readonly tags: Map<string, number>;
  readonly prefixes: Map<number, Map<string, number>>;
  /** Tags and prefixes together. */
  count: number;
}

export interface PurgeTableLimits {
  readonly perSiteMax: number;
  readonly totalMax: number;
  readonly urlsMax: number;
}

const DEFAULT_LIMITS: PurgeTableLimits = {
  perSiteMax: PURGES_PER_SITE_MAX,
  totalMax: PURGES_TOTAL_MAX,
  urlsMax: URL_PURGES_MAX,
};

export class PurgeTable {
  readonly #limits: PurgeTableLimits;
  readonly #sites = new Map<string, SitePurges>();
  readonly #urls = new Map<string, number>();
  /** Fills begun before this position count as purged by URL. */
  #urlsForgottenAt = 0;
  #total = 0;
  #position = 0;

  constructor(limits: PurgeTableLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** The highest position applied; a fetch that begins now remembers it. */
  get position(): number {
    return this.#position;
  }

  /** Applies a purge. In any order, and again, does no harm. */
  apply(purge: Purge): void {
    const { target, position } = purge;
    this.#position = Math.max(this.#position, position);
    switch (target.kind) {
      case 'everything':
        this.#purgeEverything(this.#siteOf(target.siteId), position);
        break;
      case 'tag': {
        const site = this.#siteOf(target.siteId);
        this.#remember(site, site.tags, target.tag, position);
        break;
      }
      case 'prefix': {
        const site = this.#siteOf(target.siteId);
        // Stored paths are in normal form, so the prefix must be; half an encoding at its end stays as it is.
        const prefix = normaliseTarget(target.prefix) ?? target.prefix;
        let byPrefix = site.prefixes.get(prefix.length);
        if (byPrefix === undefined) {
          byPrefix = new Map();
          site.prefixes.set(prefix.length, byPrefix);
        }
        this.#remember(site, byPrefix, prefix, position);
        break;
      }
      case 'url':
        for (const key of cacheKeysOfUrl(target.url)) this.#rememberUrl(key, position);
        break;
    }
  }

  /** Whether a purge of everything, a tag or a prefix names this stored response. */
  isPurged(head: StoredHead): boolean {
    const site = this.#sites.get(head.siteId);
    if (site === undefined) return false;
    const since = head.purgePosition;
    if (site.everythingAt > since) return true;
    if (site.count === 0) return false;
    for (const tag of head.tags) if ((site.tags.get(tag) ?? 0) > since) return true;
    for (const [length, byPrefix] of site.prefixes) {
      if (length > head.path.length) continue;
      if ((byPrefix.get(head.path.slice(0, length)) ?? 0) > since) return true;
    }
    return false;
  }

  /** Whether the URL behind `cacheKey` was purged after `position`: asked before a fill is published. */
  isPurgedSince(cacheKey: string, position: number): boolean {
    return position < this.#urlsForgottenAt || (this.#urls.get(cacheKey) ?? 0) > position;
  }

  #siteOf(siteId: string): SitePurges {
    let site = this.#sites.get(siteId);
    if (site === undefined) {
      site = { everythingAt: 0, tags: new Map(), prefixes: new Map(), count: 0 };
      this.#sites.set(siteId, site);
    }
    return site;
  }

  #remember(site: SitePurges, purges: Map<string, number>, name: string, position: number): void {
    const known = purges.get(name);
    if (known === undefined) {
      if (site.count >= this.#limits.perSiteMax || this.#total >= this.#limits.totalMax) {
        this.#purgeEverything(site, this.#position);
        return;
      }
      site.count++;
      this.#total++;
    }
    purges.set(name, Math.max(known ?? 0, position));
  }

  /** Everything up to `position`; narrower purges below it are then told nothing any more. */
  #purgeEverything(site: SitePurges, position: number): void {
    site.everythingAt = Math.max(site.everythingAt, position);
    this.#forgetBelow(site, site.tags, site.everythingAt);
    for (const [length, byPrefix] of site.prefixes) {
      this.#forgetBelow(site, byPrefix, site.everythingAt);
      if (byPrefix.size === 0) site.prefixes.delete(length);
    }
  }

  #forgetBelow(site: SitePurges, purges: Map<string, number>, position: number): void {
    for (const [name, at] of purges) {
      if (at > position) continue;
      purges.delete(name);
      site.count--;
      this.#total--;
    }
  }

  #rememberUrl(key: string, position: number): void {
    const known = this.#urls.get(key) ?? 0;
    this.#urls.delete(key);
    if (this.#urls.size >= this.#limits.urlsMax) {
      // The oldest order goes first; fills that began before it was given cannot be judged any more.
      for (const [oldest, at] of this.#urls) {
        this.#urls.delete(oldest);
        this.#urlsForgottenAt = Math.max(this.#urlsForgottenAt, at);
        break;
      }
    }
    this.#urls.set(key, Math.max(known, position));
  }
}
