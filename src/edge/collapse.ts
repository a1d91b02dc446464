/**
 * Request collapsing (RFC 9111 §4): while a response for a cache key is being fetched, further requests
 * for it wait for that fetch instead of going to the origin. One leader fetches, followers are told how
 * it went and decide for themselves what that means for them.
 *
 *   begin ──▶ waiting ──settle──▶ shared ──▶ end       newcomers may join while the beginning is still held
 *                        └──────▶ anything else, end   fetched, stored: look there; alone: go yourself; failed: the same for all
 *
 * A fetch is listed under its cache key, or under key and Vary values where it is known what the response
 * varies on, so that several variants are fetched side by side. A response that turned out to be one
 * person's is remembered for a while, so that its page is never serialised: requests for it do not wait.
 */
import type { StoredHead } from '#core/caching/stored-head.ts';
import { KindIndex } from './kind-index.ts';
import { ROAD_LIMITS } from './limits.ts';
import { RecentKeys } from './recent-keys.ts';
import type { SharedBody } from './shared-body.ts';
import type { StoredResponse } from './storage/storage.ts';

/** How a fetch ended for those who waited for it. */
export type FillOutcome =
  /** A response to share as it arrives; whoever does not match its Vary looks again. */
  | {
      readonly kind: 'shared';
      readonly head: StoredHead;
      /** For the request that fetched it: also with the fields that must not be stored. */
      readonly askersHead: StoredHead;
      readonly body: SharedBody;
      /** Whether it is being stored, and if not, why not where that is known. */
      readonly isStored: boolean;
      readonly detail: string | null;
      /** Whether the origin's answer carried an Age, so that another cache had it first. */
      readonly hasOriginAge: boolean;
    }
  /** A response that came whole, and is stored: answer from it; whoever does not match its Vary looks again. */
  | {
      readonly kind: 'fetched';
      readonly response: StoredResponse;
      /** As with `shared`; null: the response's own. */
      readonly askersHead: StoredHead | null;
      readonly hasOriginAge: boolean;
    }
  /** The stored response was validated: answer from it. */
  | { readonly kind: 'stored'; readonly response: StoredResponse; readonly forwardStatus: number }
  /** The response is not to be shared: each request asks the origin itself. */
  | { readonly kind: 'alone' }
  /** No response came. `error` is what the fetch was rejected with. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The origin answered with a server error: those who may serve stale do, the others ask themselves. */
  | { readonly kind: 'server-failure'; readonly status: number };

export type Waiter = (outcome: FillOutcome) => void;

/** One fetch that others may wait for. */
export class Fill {
  readonly cacheKey: string;
  /** What it is listed under: the cache key, or one variant of it; '' when nobody may wait for it. */
  readonly collapseKey: string;
  readonly siteId: string;
  /** Set by an unsafe request: what arrives is served to those who wait, and not kept. */
  isInvalidated = false;
  /** Most fetches have one waiter, the request that began it: a set is made for the second. */
  #firstWaiter: Waiter | null = null;
  /** Those who came later, in order of arrival. */
  #laterWaiters: Set<Waiter> | null = null;
  #outcome: FillOutcome | null = null;
  /** What to do when everybody who waited has left; null: it goes on for those who come. */
  onDeserted: (() => void) | null = null;

  constructor(cacheKey: string, collapseKey: string, siteId: string) {
    this.cacheKey = cacheKey;
    this.collapseKey = collapseKey;
    this.siteId = siteId;
  }

  /** Whether others may wait for it. */
  get isShared(): boolean {
    return this.collapseKey !== '';
  }

  /** Null until the fetch is decided. */
  get outcome(): FillOutcome | null {
    return this.#outcome;
  }

  get waiters(): number {
    return (this.#firstWaiter === null ? 0 : 1) + (this.#laterWaiters?.size ?? 0);
  }

  /** Waits for the outcome; false when too many wait already. Only before `settle`. */
  wait(waiter: Waiter): boolean {
    if (this.waiters >= ROAD_LIMITS.waitersPerFillMax) return false;
    if (this.#firstWaiter === null && this.#laterWaiters === null) {
      this.#firstWaiter = waiter;
    } else {
      this.#laterWaiters ??= new Set();
      this.#laterWaiters.add(waiter);
    }
    return true;
  }

  /** A waiter whose client has gone. */
  leave(waiter: Waiter): void {
    if (this.#firstWaiter === waiter) this.#firstWaiter = null;
    else this.#laterWaiters?.delete(waiter);
    if (this.#outcome === null && this.waiters === 0) this.onDeserted?.();
  }

  /**
   * Tells everybody, in order of arrival and within this turn, so that all readers of a shared body are open
   * before its first byte is taken.
   */
  settle(outcome: FillOutcome): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    this.#firstWaiter?.(outcome);
    for (const waiter of this.#laterWaiters ?? []) waiter(outcome);
    this.#firstWaiter = null;
    this.#laterWaiters = null;
  }
}

export class Collapse {
  /** Fetches that can be joined, by cache key; of each key one per collapse key. */
  readonly #fills = new Map<string, Fill[]>();
  /** Fetches that cannot, but whose response may be stored: invalidations must reach them too. */
  readonly #alone = new Map<string, Set<Fill>>();
  /** Of the fetches under way. */
  readonly #kinds = new KindIndex();
  readonly #uncollapsible = new RecentKeys(ROAD_LIMITS.uncollapsibleKeysMax, ROAD_LIMITS.uncollapsibleMs);
  /** Keys whose responses do not come, or cannot be stored, in slices. */
  readonly unsliceable = new RecentKeys(ROAD_LIMITS.unsliceableKeysMax, ROAD_LIMITS.unsliceableMs);
  #size = 0;

  /** Fetches under way whose response may be stored. */
  get size(): number {
    return this.#size;
  }

  find(cacheKey: string, collapseKey: string): Fill | null {
    const fills = this.#fills.get(cacheKey);
    if (fills === undefined) return null;
    for (const fill of fills) if (fill.collapseKey === collapseKey) return fill;
    return null;
  }

  /** Lists a new fetch; null when too many are under way. Only where `find` found none. */
  begin(cacheKey: string, collapseKey: string, siteId: string): Fill | null {
    if (this.#size >= ROAD_LIMITS.fillsMax) return null;
    const fill = new Fill(cacheKey, collapseKey, siteId);
    const fills = this.#fills.get(cacheKey);
    if (fills === undefined) this.#fills.set(cacheKey, [fill]);
    else fills.push(fill);
    this.#kinds.note(cacheKey);
    this.#size++;
    return fill;
  }

  /** A fetch that nobody joins; null when too many are under way. */
  beginAlone(cacheKey: string, siteId: string): Fill | null {
    if (this.#size >= ROAD_LIMITS.fillsMax) return null;
    const fill = new Fill(cacheKey, '', siteId);
    this.#leaveAlone(fill);
    this.#kinds.note(cacheKey);
    this.#size++;
    return fill;
  }

  /** Newcomers begin another fetch; those who wait still learn how this one ends. `end` follows. */
  detach(fill: Fill): void {
    if (this.#unlist(fill)) this.#leaveAlone(fill);
  }

  /** The fetch is over. */
  end(fill: Fill): void {
    const { cacheKey } = fill;
    if (!this.#unlist(fill)) {
      const alone = this.#alone.get(cacheKey);
      if (alone?.delete(fill) !== true) return;
      if (alone.size === 0) this.#alone.delete(cacheKey);
    }
    this.#size--;
    if (!this.#fills.has(cacheKey) && !this.#alone.has(cacheKey)) this.#kinds.forget(cacheKey);
  }

  /**
   * After an unsafe request or a purge of the URL: what was asked before must neither answer what comes after
   * nor be kept, under the URL's key and those of its kinds. `except`: the unsafe request's own fetch.
   */
  invalidate(urlKey: string, except: Fill | null = null): void {
    this.#invalidateKey(urlKey, except);
    for (const kind of this.#kinds.of(urlKey)) this.#invalidateKey(kind, except);
  }

  #invalidateKey(cacheKey: string, except: Fill | null): void {
    for (const fill of [...(this.#fills.get(cacheKey) ?? [])]) if (fill !== except) this.detach(fill);
    for (const fill of this.#alone.get(cacheKey) ?? []) if (fill !== except) fill.isInvalidated = true;
  }

  /** After a purge by host, prefix, tag or of everything: which fetches it touches shows only at their heads. */
  detachSite(siteId: string): void {
    this.#detachWhere(siteId, () => true);
  }

  /** After a purge by URL: the fetches of it under every host, scheme and whatever else is in the key behind it. */
  detachTarget(siteId: string, normalTarget: string): void {
    this.#detachWhere(siteId, (fill) => {
      const pathAt = fill.cacheKey.indexOf('/', fill.cacheKey.indexOf('://') + 3);
      return fill.cacheKey.startsWith(normalTarget, pathAt);
    });
  }

  #detachWhere(siteId: string, isMeant: (fill: Fill) => boolean): void {
    for (const fills of [...this.#fills.values()]) {
      for (const fill of [...fills]) if (fill.siteId === siteId && isMeant(fill)) this.detach(fill);
    }
  }

  /** Whether the key's last response could not be shared, so that waiting for the next is no use. */
  isUncollapsible(cacheKey: string, now: number): boolean {
    return this.#uncollapsible.has(cacheKey, now);
  }

  markUncollapsible(cacheKey: string, now: number): void {
    this.#uncollapsible.add(cacheKey, now);
  }

  /** A response for the key can be stored after all. */
  markCollapsible(cacheKey: string): void {
    this.#uncollapsible.delete(cacheKey);
  }

  /** Whether it was among those that can be joined. */
  #unlist(fill: Fill): boolean {
    const fills = this.#fills.get(fill.cacheKey);
    const at = fills?.indexOf(fill) ?? -1;
    if (fills === undefined || at === -1) return false;
    if (fills.length === 1) this.#fills.delete(fill.cacheKey);
    else fills.splice(at, 1);
    return true;
  }

  #leaveAlone(fill: Fill): void {
    const alone = this.#alone.get(fill.cacheKey);
    if (alone === undefined) this.#alone.set(fill.cacheKey, new Set([fill]));
    else alone.add(fill);
  }
}

/** Where a fetch is listed: by key alone, or by key and variant where what it varies on is known. */
export function collapseKeyOf(
  cacheKey: string,
  varyNames: readonly string[],
  varyValues: readonly (string | null)[],
): string {
  if (varyNames.length === 0) return cacheKey;
  // A space and a line end cannot occur in a key, so no key can be mistaken for a variant of another.
  return `${cacheKey} ${varyNames.map((name, i) => `${name}=${varyValues[i] ?? '\n'}`).join('\n')}`;
}
