/**
 * The site's and the rule's word on caching made one, as the judgement uses it. What concerns the request (key,
 * bypass, directives) comes from the first rule that matches by path alone; what concerns the response from the
 * first that matches by path and type. What the rule leaves null is the site's own.
 */
import { compileGlob, type Glob } from '#core/base/glob.ts';
import type { CachingOptions } from './caching-options.ts';
import { selectRule } from './route.ts';
import type { Rule, Site } from './site.ts';

/** Final status codes [first, last]. */
export interface StatusTtl {
  readonly first: number;
  readonly last: number;
  readonly seconds: number;
}

/** A name, or `name=value`, to look for among query parameters or cookies. */
export interface NamePattern {
  readonly glob: Glob;
  /** Whether it is about the name alone. */
  readonly isNameOnly: boolean;
}

export interface BypassConditions {
  /** Lower case. */
  readonly headers: readonly string[];
  readonly cookies: readonly NamePattern[];
  readonly query: readonly NamePattern[];
}

/** How the query enters the key. */
export interface QueryKey {
  readonly include: 'none' | 'only' | 'except' | 'all';
  readonly names: readonly NamePattern[];
  readonly isSorted: boolean;
}

/** What is in the key beside the URL. */
export interface KeyExtras {
  /** Lower case, sorted. */
  readonly headers: readonly string[];
  /** Sorted. */
  readonly cookies: readonly string[];
  readonly hasDeviceClass: boolean;
  readonly hasCountry: boolean;
}

export interface CacheSettings {
  readonly siteId: string;
  /** Request headers, query and key are the same for all of it. */
  readonly mode: Rule['mode'];
  readonly edgeTtlSeconds: number | null;
  readonly browserTtlSeconds: number | null;
  readonly statusTtls: readonly StatusTtl[];
  readonly staleWhileRevalidateSeconds: number;
  readonly staleIfErrorSeconds: number;
  readonly setCookie: CachingOptions['setCookie'];
  readonly checksContentType: boolean;

  readonly honoursRequestDirectives: boolean;
  readonly finishesFills: boolean;
  readonly hasSlices: boolean;
  /** Null: none. */
  readonly bypassWhen: BypassConditions | null;
  /** Null: as it is. */
  readonly queryKey: QueryKey | null;
  /** Null: the URL is the whole key. */
  readonly keyExtras: KeyExtras | null;
  /** Null: all that users may send at all. Lower case. */
  readonly requestFields: ReadonlySet<string> | null;
}

/** `contentType` as in `selectRule`: null while the response is not known. */
export function settingsOf(site: Site, path: string, contentType: string | null): CacheSettings {
  const requestRule = selectRule(site, path, null);
  const responseRule = contentType === null ? requestRule : selectRule(site, path, contentType);
  const requestIndex = requestRule?.index ?? -1;
  const responseIndex = responseRule?.index ?? -1;
  const known = memoOf(site);
  const key = (requestIndex + 1) * (site.rules.length + 1) + responseIndex + 1;
  let settings = known.get(key);
  if (settings === undefined) {
    settings = resolveSettings(site, requestRule?.rule ?? null, responseRule?.rule ?? null);
    known.set(key, settings);
  }
  return settings;
}

/** Whether rules of the site ask for a media type, so that settings may change once the response is known. */
export function hasTypedRules(site: Site): boolean {
  return site.rules.some((rule) => rule.contentType !== null);
}

export function resolveSettings(
  site: Site,
  requestRule: Rule | null,
  responseRule: Rule | null,
): CacheSettings {
  const forRequest = <Name extends keyof CachingOptions>(name: Name): CachingOptions[Name] =>
    (requestRule?.[name] ?? site[name]) as CachingOptions[Name];
  const forResponse = <Name extends keyof CachingOptions>(name: Name): CachingOptions[Name] =>
    (responseRule?.[name] ?? site[name]) as CachingOptions[Name];
  const requestFields = forRequest('requestFields');
  return {
    siteId: site.id,
    mode: responseRule?.mode ?? 'respect-origin',
    edgeTtlSeconds: responseRule?.edgeTtlSeconds ?? null,
    browserTtlSeconds: responseRule?.browserTtlSeconds ?? null,
    statusTtls: forResponse('statusTtls').map(compileStatusTtl),
    staleWhileRevalidateSeconds: forResponse('staleWhileRevalidateSeconds'),
    staleIfErrorSeconds: forResponse('staleIfErrorSeconds'),
    setCookie: forResponse('setCookie'),
    checksContentType: forResponse('checkContentType'),
    honoursRequestDirectives: forRequest('requestDirectives') === 'honour',
    finishesFills: forRequest('finishFills'),
    hasSlices: forRequest('slices') === 'auto',
    bypassWhen: compileBypass(forRequest('bypassWhen')),
    queryKey: compileQueryKey(forRequest('cacheKey').query),
    keyExtras: compileKeyExtras(forRequest('cacheKey')),
    requestFields: requestFields === 'all' ? null : new Set(requestFields),
  };
}

const MEMOS = new WeakMap<Site, Map<number, CacheSettings>>();

/** Sites are immutable and go with their snapshot. */
function memoOf(site: Site): Map<number, CacheSettings> {
  let memo = MEMOS.get(site);
  if (memo === undefined) {
    memo = new Map();
    MEMOS.set(site, memo);
  }
  return memo;
}

function compileStatusTtl({ status, seconds }: CachingOptions['statusTtls'][number]): StatusTtl {
  if (status.endsWith('xx')) {
    const first = Number(status[0]) * 100;
    return { first, last: first + 99, seconds };
  }
  const [first, last = first] = status.split('-').map(Number) as [number, number?];
  return { first, last, seconds };
}

function compileBypass({ headers, cookies, query }: CachingOptions['bypassWhen']): BypassConditions | null {
  if (headers.length + cookies.length + query.length === 0) return null;
  return { headers, cookies: cookies.map(compilePattern), query: query.map(compilePattern) };
}

function compilePattern(pattern: string): NamePattern {
  return { glob: compileGlob(pattern), isNameOnly: !pattern.includes('=') };
}

function compileQueryKey({ include, names, sorted }: CachingOptions['cacheKey']['query']): QueryKey | null {
  if (include === 'all' && !sorted) return null;
  return { include, names: names.map(compilePattern), isSorted: sorted };
}

function compileKeyExtras(key: CachingOptions['cacheKey']): KeyExtras | null {
  const { headers, cookies, deviceClass, country } = key;
  if (headers.length + cookies.length === 0 && !deviceClass && !country) return null;
  return {
    headers: [...new Set(headers)].sort(),
    cookies: [...new Set(cookies)].sort(),
    hasDeviceClass: deviceClass,
    hasCountry: country,
  };
}
