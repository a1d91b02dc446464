/**
 * Purges in force. Nothing is scanned: a purge writes the log position at which it stands beside what it names (an
 * epoch), and a stored response, which remembers how far the log had been read when its fetch began, is purged
 * iff an epoch that names it is higher. So a response fetched before a purge never comes back after it, however
 * late it is stored.
 *
 *   site ─┬─ everything
 *         ├─ host · path and query · tag → epoch
 *         └─ length of prefix → prefix → epoch   (one lookup per distinct length)
 *
 * A hard purge makes a response unusable, a soft one stale; an epoch knows the latest of either. Bounded: when a
 * site's epochs, or all, outgrow their room, the older half is forgotten and becomes one of everything fetched before
 * the last of them. Too much is purged then, never too little.
 */
import { normaliseTarget } from '#core/http/request-target.ts';
import type { Purge } from '#core/model/purge.ts';
import { PURGES_PER_SITE_MAX, PURGES_TOTAL_MAX } from './limits.ts';
import type { StoredHead } from './stored-head.ts';

/** What `staleAsOf` says of a response that no purge names. */
export const NOT_PURGED = Number.POSITIVE_INFINITY;
/** What it says of one that a hard purge names: unusable, whatever the time. */
export const PURGED = Number.NEGATIVE_INFINITY;

class Epoch {
  hardPosition = 0;
  softPosition = 0;
  /** When the latest soft purge was ordered, ms. */
  softAt = 0;

  get position(): number {
    return Math.max(this.hardPosition, this.softPosition);
  }

  raiseHard(position: number): void {
    if (position > this.hardPosition) this.hardPosition = position;
  }

  raiseSoft(position: number, at: number): void {
    if (position <= this.softPosition) return;
    this.softPosition = position;
    this.softAt = at;
  }

  /** As of when it makes the response stale. */
  judge(head: StoredHead): number {
    if (this.hardPosition > head.purgePosition) return PURGED;
    return this.softPosition > head.softPurgePosition ? this.softAt : NOT_PURGED;
  }
}

type Epochs = Map<string, Epoch>;
/** What an epoch takes of a purge. */
type Moment = Pick<Purge, 'position' | 'soft' | 'requestedAt'>;

interface SitePurges {
  readonly everything: Epoch;
  readonly hosts: Epochs;
  readonly targets: Epochs;
  readonly tags: Epochs;
  readonly prefixes: Map<number, Epochs>;
  /** Epochs of all but everything. */
  count: number;
}

export interface PurgeTableLimits {
  readonly perSiteMax: number;
  readonly totalMax: number;
}

const DEFAULT_LIMITS: PurgeTableLimits = { perSiteMax: PURGES_PER_SITE_MAX, totalMax: PURGES_TOTAL_MAX };

export class PurgeTable {
  readonly #limits: PurgeTableLimits;
  readonly #sites = new Map<string, SitePurges>();
  #total = 0;
  #position = 0;
  /** What was fetched before it is purged, whatever it is. */
  #unknownBefore = 0;

  constructor(limits: PurgeTableLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** The highest position applied; a fetch that begins now remembers it. */
  get position(): number {
    return this.#position;
  }

  /** Applies a purge. In any order, and again, does no harm. */
  apply(purge: Purge): void {
    this.#position = Math.max(this.#position, purge.position);
    const site = this.#siteOf(purge.siteId);
    const { target } = purge;
    switch (target.kind) {
      case 'everything':
        raise(site.everything, purge);
        this.#forget(site, (epoch) => isSubsumed(epoch, site.everything));
        break;
      case 'host':
        this.#remember(site, site.hosts, target.host, purge);
        break;
      case 'tag':
        this.#remember(site, site.tags, target.tag, purge);
        break;
      case 'url': {
        const path = pathOfUrl(target.url);
        if (path === null) break;
        this.#remember(site, site.targets, path, purge);
        this.#remember(site, site.targets, anySearchOf(path), purge);
        break;
      }
      case 'prefix': {
        // Stored paths are in normal form, so the prefix must be; half an encoding at its end stays as it is.
        const prefix = normaliseTarget(target.prefix) ?? target.prefix;
        const epochs: Epochs = site.prefixes.get(prefix.length) ?? new Map();
        this.#remember(site, epochs, prefix, purge);
        // Afterwards, because making room takes out maps that are empty.
        site.prefixes.set(prefix.length, epochs);
        break;
      }
    }
  }

  /** Purges before this position are not known singly: all that was fetched before it counts as purged. */
  forgetBefore(position: number): void {
    this.#unknownBefore = Math.max(this.#unknownBefore, position);
    this.#position = Math.max(this.#position, position);
  }

  /**
   * As of when purges make this stored response stale, ms: `NOT_PURGED`, `PURGED` (unusable), or the moment of the soft
   * purge that names it, the earliest where several epochs do.
   */
  staleAsOf(head: StoredHead): number {
    if (head.purgePosition < this.#unknownBefore) return PURGED;
    const site = this.#sites.get(head.siteId);
    if (site === undefined) return NOT_PURGED;
    let asOf = site.everything.judge(head);
    if (site.count === 0 || asOf === PURGED) return asOf;
    asOf = Math.min(asOf, judgeBy(site.hosts, head.host, head), judgeBy(site.targets, head.path, head));
    if (head.searchPath !== null) {
      asOf = Math.min(asOf, judgeBy(site.targets, anySearchOf(head.searchPath), head));
    }
    if (site.tags.size > 0) for (const tag of head.tags) asOf = Math.min(asOf, judgeBy(site.tags, tag, head));
    for (const [length, epochs] of site.prefixes) {
      if (length > head.path.length) continue;
      asOf = Math.min(asOf, judgeBy(epochs, head.path.slice(0, length), head));
    }
    return asOf;
  }

  /** Whether a hard purge names it. */
  isPurged(head: StoredHead): boolean {
    return this.staleAsOf(head) === PURGED;
  }

  #siteOf(siteId: string): SitePurges {
    let site = this.#sites.get(siteId);
    if (site === undefined) {
      site = {
        everything: new Epoch(),
        hosts: new Map(),
        targets: new Map(),
        tags: new Map(),
        prefixes: new Map(),
        count: 0,
      };
      this.#sites.set(siteId, site);
    }
    return site;
  }

  #remember(site: SitePurges, epochs: Epochs, name: string, purge: Moment): void {
    let epoch = epochs.get(name);
    if (epoch === undefined) {
      if (site.count >= this.#limits.perSiteMax) this.#forgetOlderHalf([site]);
      if (this.#total >= this.#limits.totalMax) this.#forgetOlderHalf([...this.#sites.values()]);
      epoch = new Epoch();
      epochs.set(name, epoch);
      site.count++;
      this.#total++;
    }
    raise(epoch, purge);
  }

  /** What is forgotten of a site raises its epoch of everything. Costs little: it happens once in so many purges. */
  #forgetOlderHalf(sites: readonly SitePurges[]): void {
    // There are some: it is because of their number.
    const positions: number[] = [];
    for (const site of sites) {
      for (const epochs of mapsOf(site)) for (const { position } of epochs.values()) positions.push(position);
    }
    positions.sort((a, b) => a - b);
    const bound = positions[Math.floor((positions.length - 1) / 2)] as number;
    for (const site of sites) {
      const { everything } = site;
      this.#forget(site, (epoch) => {
        if (epoch.position > bound) return false;
        everything.raiseHard(epoch.hardPosition);
        everything.raiseSoft(epoch.softPosition, epoch.softAt);
        return true;
      });
    }
  }

  #forget(site: SitePurges, isForgotten: (epoch: Epoch) => boolean): void {
    for (const epochs of mapsOf(site)) {
      for (const [name, epoch] of epochs) {
        if (!isForgotten(epoch)) continue;
        epochs.delete(name);
        site.count--;
        this.#total--;
      }
    }
    for (const [length, epochs] of site.prefixes) if (epochs.size === 0) site.prefixes.delete(length);
  }
}

function raise(epoch: Epoch, { position, soft, requestedAt }: Moment): void {
  if (soft) epoch.raiseSoft(position, requestedAt);
  else epoch.raiseHard(position);
}

/** Whether the epoch of everything says all that this one does. */
function isSubsumed(epoch: Epoch, everything: Epoch): boolean {
  return epoch.hardPosition <= everything.hardPosition && epoch.softPosition <= everything.position;
}

/** What stands for a path with any query, given with or without one: no target has a space. */
function anySearchOf(target: string): string {
  const question = target.indexOf('?');
  return `${question === -1 ? target : target.slice(0, question)} *`;
}

function judgeBy(epochs: Epochs, name: string, head: StoredHead): number {
  return epochs.get(name)?.judge(head) ?? NOT_PURGED;
}

function mapsOf(site: SitePurges): Epochs[] {
  return [site.hosts, site.targets, site.tags, ...site.prefixes.values()];
}

/** Normalised path and query of a URL; null when it is none. A fragment, copied along from a browser, never reaches a server. */
export function pathOfUrl(url: string): string | null {
  const fragment = url.indexOf('#');
  return normaliseTarget(fragment === -1 ? url : url.slice(0, fragment));
}
