/** What a site or a rule says about caching beside how long, in a few words each; what is as by default is left out. */
import type { CachingOptions } from './caching-options.ts';
import { siteCachingShape } from './caching-options.ts';

type Said = { readonly [Name in keyof CachingOptions]: CachingOptions[Name] | null };

/** `duration`: seconds in words. Of a rule (`isRule`) stale windows are told as well, and defaults where it says them. */
export function describeCaching(
  said: Said,
  duration: (seconds: number) => string,
  isRule: boolean,
): string[] {
  const { statusTtls, cacheKey, bypassWhen, requestFields } = said;
  const isTold = <Name extends keyof CachingOptions>(name: Name, usual: CachingOptions[Name]): boolean =>
    said[name] !== null && (isRule || said[name] !== usual);
  const phrases: (string | false)[] = [
    ...(statusTtls ?? []).map(({ status, seconds }) => `${status} for ${duration(seconds)}`),
    ...(cacheKey === null ? [] : describeKey(cacheKey, isRule)),
    ...(bypassWhen === null ? [] : describeBypass(bypassWhen)),
    isTold('setCookie', 'explicit') && `Set-Cookie: ${said.setCookie}`,
    isTold('requestDirectives', 'honour') &&
      `request directives ${said.requestDirectives === 'ignore' ? 'ignored' : 'honoured'}`,
    isRule && said.staleIfErrorSeconds !== null && `stale if error ${duration(said.staleIfErrorSeconds)}`,
    isRule &&
      said.staleWhileRevalidateSeconds !== null &&
      `stale while revalidate ${duration(said.staleWhileRevalidateSeconds)}`,
    isTold('finishFills', true) &&
      `fetches ${said.finishFills === true ? 'finished' : 'given up'} when clients leave`,
    isTold('checkContentType', true) &&
      `content type ${said.checkContentType === true ? 'checked' : 'not checked'}`,
    isTold('slices', 'auto') && `slices ${said.slices}`,
    Array.isArray(requestFields) && `request headers: ${listed(requestFields)}`,
    isRule && requestFields === 'all' && 'all request headers',
  ];
  return phrases.filter((phrase) => phrase !== false);
}

function describeKey(
  { query, headers, cookies, deviceClass, country }: CachingOptions['cacheKey'],
  isRule: boolean,
): string[] {
  const { include, names, sorted } = query;
  const parts = [
    include === 'none' && 'no query',
    (include === 'only' || include === 'except') && `query ${include} ${names.join(', ')}`,
    sorted && 'query sorted',
    headers.length > 0 && `header ${headers.join(', ')}`,
    cookies.length > 0 && `cookie ${cookies.join(', ')}`,
    deviceClass && 'device',
    country && 'country',
  ].filter((part) => part !== false);
  if (parts.length > 0) return [`key: ${parts.join('; ')}`];
  return isRule ? ['key: the URL'] : [];
}

function describeBypass({ headers, cookies, query }: CachingOptions['bypassWhen']): string[] {
  const parts = [
    headers.length > 0 && `header ${headers.join(', ')}`,
    cookies.length > 0 && `cookie ${cookies.join(', ')}`,
    query.length > 0 && `parameter ${query.join(', ')}`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? [] : [`bypass: ${parts.join('; ')}`];
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'the usual ones' : names.join(', ');

/** A key that is the URL alone. */
export const PLAIN_KEY: CachingOptions['cacheKey'] = siteCachingShape.cacheKey.parse({});
export const NO_BYPASS: CachingOptions['bypassWhen'] = siteCachingShape.bypassWhen.parse({});
