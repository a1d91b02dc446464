/**
 * One snapshot as the road uses it: from a request to its place, that is site, settings and cache key. Built when a
 * snapshot is swapped in, dropped with it. Requests for the same authority and target find their place in
 * a bounded memo instead of being parsed again.
 */
import { keyTargetOf, urlKeyOf } from '#core/caching/cache-key.ts';
import { normaliseTarget } from '#core/http/request-target.ts';
import {
  type CacheSettings,
  hasTypedRules,
  resolveSettings,
  settingsOf,
} from '#core/model/cache-settings.ts';
import { compileRoutes, hostOf, type RouteTable, routeSite } from '#core/model/route.ts';
import type { Site } from '#core/model/site.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import { type TlsPolicy, tlsPolicyOf } from '#core/model/tls-policy.ts';
import type { Exchange } from './exchange.ts';
import { ROAD_LIMITS } from './limits.ts';

/** Where a request belongs; shared by all requests for the same URL, never changed. */
export interface Place {
  readonly site: Site;
  readonly tlsPolicy: TlsPolicy | null;
  /** Host, with the port where it is the listener's own: what the origin learns of whom the user asked. */
  readonly authority: string;
  /** The URL's, until the request's own part of the key is put behind it (`key-place.ts`). */
  readonly cacheKey: string;
  /** What keys begin with: scheme and host. */
  readonly origin: string;
  /** Normalised path and query: what the origin is asked where nothing is stored. */
  readonly normalTarget: string;
  /** As far as it is in the key: what the origin is asked where its answer may be stored. */
  readonly keyTarget: string;
  /** Normalised path. */
  readonly path: string;
  /** By path alone; with the response's type others may apply (`settingsFor`). */
  readonly settings: CacheSettings;
  /** By Content-Type, where rules ask for types. Null: `settings` always apply. */
  readonly settingsByType: Map<string, CacheSettings> | null;
  /** Fields that tell the origin what of the request is in the key (flat). */
  readonly keyFields: readonly string[];
  /** Where the key has only what counts of the query (`search-rules.ts`): by what rule, and the place without it. */
  readonly search: { readonly text: string; readonly own: Place } | null;
}

const NO_FIELDS: readonly string[] = [];

/** The settings for a response of that type; '': it has none. */
export function settingsFor(place: Place, contentType: string): CacheSettings {
  const { settingsByType, site, path } = place;
  if (settingsByType === null) return place.settings;
  const known = settingsByType.get(contentType);
  if (known !== undefined) return known;
  const settings = settingsOf(site, path, contentType);
  // Origins may write what they like there: a bounded number is remembered.
  if (settingsByType.size < ROAD_LIMITS.typesPerPlaceMax) settingsByType.set(contentType, settings);
  return settings;
}

/** The key of a URL of the site, by its normalised target. */
export function urlKeyAt(site: Site, scheme: 'http' | 'https', host: string, normalTarget: string): string {
  return urlKeyOf({ scheme, host, keyTarget: keyTargetAt(site, normalTarget) });
}

/** The target as far as it is in the key. */
export function keyTargetAt(site: Site, normalTarget: string): string {
  return keyTargetOf(normalTarget, settingsOf(site, pathOf(normalTarget), null).queryKey);
}

/** Without the query. */
export function pathOf(normalTarget: string): string {
  const question = normalTarget.indexOf('?');
  return question === -1 ? normalTarget : normalTarget.slice(0, question);
}

export type NoPlace = 'unknown-host' | 'bad-target';

export class Configuration {
  readonly generation: number;
  /** This installation's cdn-id in CDN-Loop (RFC 8586 §2): unique where zone names are. */
  readonly cdnLoopName: string;
  /** By host, of the sites that have one. */
  readonly tlsPolicies: ReadonlyMap<string, TlsPolicy>;
  readonly #routes: RouteTable;
  readonly #sites: ReadonlyMap<string, Site>;
  #http = new Map<string, Map<string, Place>>();
  #https = new Map<string, Map<string, Place>>();
  #memoised = 0;

  constructor(snapshot: Snapshot) {
    this.generation = snapshot.generation;
    this.cdnLoopName = snapshot.zone.name;
    this.#routes = compileRoutes(snapshot.sites);
    this.#sites = new Map(snapshot.sites.map((site) => [site.id, site]));
    this.tlsPolicies = policiesOf(snapshot.sites, this.#routes);
  }

  locate(exchange: Exchange): Place | NoPlace {
    const { authority, target } = exchange.request;
    const { scheme, localPort } = exchange.connection;
    const memo = scheme === 'http' ? this.#http : this.#https;
    const known = memo.get(authority)?.get(target);
    if (known !== undefined) return known;
    const place = this.find(scheme, authority, target, localPort);
    if (typeof place !== 'string') this.#remember(memo, authority, target, place);
    return place;
  }

  /** The same without the memo; `localPort` is the listener's, null where no listener is concerned. */
  find(
    scheme: 'http' | 'https',
    authority: string,
    target: string,
    localPort: number | null,
  ): Place | NoPlace {
    const site = routeSite(this.#routes, authority);
    if (site === null) return 'unknown-host';
    const sentAuthority = authorityForOrigin(scheme, authority, localPort);
    const tlsPolicy = this.tlsPolicies.get(hostOf(authority)) ?? null;
    if (target === '*') return placeOfServer(site, tlsPolicy, scheme, sentAuthority);
    const normalTarget = normaliseTarget(target);
    if (normalTarget === null) return 'bad-target';
    const path = pathOf(normalTarget);
    const settings = settingsOf(site, path, null);
    const keyTarget = keyTargetOf(normalTarget, settings.queryKey);
    const origin = urlKeyOf({ scheme, host: authority, keyTarget: '' });
    return {
      site,
      tlsPolicy,
      authority: sentAuthority,
      cacheKey: origin + keyTarget,
      origin,
      normalTarget,
      keyTarget,
      path,
      settings,
      settingsByType: hasTypedRules(site) ? new Map() : null,
      keyFields: NO_FIELDS,
      search: null,
    };
  }

  site(siteId: string): Site | null {
    return this.#sites.get(siteId) ?? null;
  }

  /** The site that a host names, with or without a port. */
  siteOfHost(host: string): Site | null {
    return routeSite(this.#routes, host);
  }

  #remember(memo: Map<string, Map<string, Place>>, authority: string, target: string, place: Place): void {
    if (authority.length + target.length > ROAD_LIMITS.routeMemoCharactersMax) return;
    if (this.#memoised >= ROAD_LIMITS.routeMemoEntriesMax) {
      // Begun anew as a whole: what is in use comes back with the next request for it.
      this.#http = new Map();
      this.#https = new Map();
      this.#memoised = 0;
      return;
    }
    let targets = memo.get(authority);
    if (targets === undefined) {
      targets = new Map();
      memo.set(authority, targets);
    }
    targets.set(target, place);
    this.#memoised++;
  }
}

/**
 * Port and trailing dot are no part of the cache key, so an origin must not see what a stranger writes there:
 * a redirect to his port would be stored for everybody. Only the port that we listen at is passed on.
 */
function authorityForOrigin(scheme: 'http' | 'https', authority: string, localPort: number | null): string {
  const host = hostOf(authority);
  const isDefaultPort = localPort === (scheme === 'http' ? 80 : 443);
  return !isDefaultPort && authority.endsWith(`:${localPort}`) ? `${host}:${localPort}` : host;
}

/** `OPTIONS *` asks about the server (RFC 9110 §9.3.7): it is forwarded, and nothing is stored. */
function placeOfServer(
  site: Site,
  tlsPolicy: TlsPolicy | null,
  scheme: 'http' | 'https',
  authority: string,
): Place {
  return {
    site,
    tlsPolicy,
    authority,
    cacheKey: `${scheme}://${hostOf(authority)}*`,
    origin: `${scheme}://${hostOf(authority)}`,
    normalTarget: '*',
    keyTarget: '*',
    path: '*',
    settings: resolveSettings(site, null, null),
    settingsByType: null,
    keyFields: NO_FIELDS,
    search: null,
  };
}

function policiesOf(sites: readonly Site[], routes: RouteTable): ReadonlyMap<string, TlsPolicy> {
  const policies = new Map<string, TlsPolicy>();
  for (const site of sites) {
    const policy = tlsPolicyOf(site);
    if (policy === null) continue;
    for (const host of site.hosts) if (routes.sites.get(host) === site) policies.set(host, policy);
  }
  return policies;
}
