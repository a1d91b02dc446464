/** Between what a site or a rule says about caching beside how long, and what stands in the fields of a form. */
import type { CachingOptions } from '#core/model/caching-options.ts';
import { NO_BYPASS, PLAIN_KEY } from '#core/model/caching-text.ts';
import { durationToTyped, parseDuration } from '../../format/duration.ts';

/** As a rule has them: null is "as the site". */
export type Said = { readonly [Name in keyof CachingOptions]: CachingOptions[Name] | null };

/** Of choices, '' is "as the site". */
export interface CachingValues {
  /** `404=30s` */
  readonly statusTtls: readonly string[];
  readonly hasOwnKey: boolean;
  readonly keyQuery: CachingOptions['cacheKey']['query']['include'];
  readonly keyNames: readonly string[];
  readonly keySorted: boolean;
  readonly keyHeaders: readonly string[];
  readonly keyCookies: readonly string[];
  readonly keyDevice: boolean;
  readonly keyCountry: boolean;
  readonly hasOwnBypass: boolean;
  readonly bypassCookies: readonly string[];
  readonly bypassHeaders: readonly string[];
  readonly bypassQuery: readonly string[];
  readonly setCookie: CachingOptions['setCookie'] | '';
  readonly requestDirectives: CachingOptions['requestDirectives'] | '';
  readonly requestHeaders: 'all' | 'listed' | '';
  readonly requestNames: readonly string[];
  readonly checkContentType: 'on' | 'off' | '';
  readonly finishFills: 'on' | 'off' | '';
  readonly slices: CachingOptions['slices'] | '';
  readonly staleIfError: string;
  readonly staleWhileRevalidate: string;
}

const switched = (value: boolean | null): 'on' | 'off' | '' => (value === null ? '' : value ? 'on' : 'off');
const unswitched = (value: 'on' | 'off' | ''): boolean | null => (value === '' ? null : value === 'on');
const typed = (seconds: number | null): string => (seconds === null ? '' : durationToTyped(seconds));
const seconds = (text: string): number | null => (text.trim() === '' ? null : (parseDuration(text) ?? -1));

export function toCachingValues(said: Said): CachingValues {
  const key = said.cacheKey ?? PLAIN_KEY;
  const bypass = said.bypassWhen ?? NO_BYPASS;
  return {
    statusTtls: (said.statusTtls ?? []).map((ttl) => `${ttl.status}=${durationToTyped(ttl.seconds)}`),
    hasOwnKey: said.cacheKey !== null,
    keyQuery: key.query.include,
    keyNames: key.query.names,
    keySorted: key.query.sorted,
    keyHeaders: key.headers,
    keyCookies: key.cookies,
    keyDevice: key.deviceClass,
    keyCountry: key.country,
    hasOwnBypass: said.bypassWhen !== null,
    bypassCookies: bypass.cookies,
    bypassHeaders: bypass.headers,
    bypassQuery: bypass.query,
    setCookie: said.setCookie ?? '',
    requestDirectives: said.requestDirectives ?? '',
    requestHeaders: Array.isArray(said.requestFields) ? 'listed' : (said.requestFields ?? ''),
    requestNames: Array.isArray(said.requestFields) ? said.requestFields : [],
    checkContentType: switched(said.checkContentType),
    finishFills: switched(said.finishFills),
    slices: said.slices ?? '',
    staleIfError: typed(said.staleIfErrorSeconds),
    staleWhileRevalidate: typed(said.staleWhileRevalidateSeconds),
  };
}

/** What cannot be read becomes what the schema refuses. */
export function toCaching(values: CachingValues): Said {
  const usesNames = values.keyQuery === 'only' || values.keyQuery === 'except';
  const { requestHeaders, requestNames } = values;
  return {
    statusTtls: values.statusTtls.length === 0 ? null : values.statusTtls.map(readStatusTtl),
    cacheKey: values.hasOwnKey
      ? {
          query: {
            include: values.keyQuery,
            names: usesNames ? [...values.keyNames] : [],
            sorted: values.keySorted,
          },
          headers: [...values.keyHeaders],
          cookies: [...values.keyCookies],
          deviceClass: values.keyDevice,
          country: values.keyCountry,
        }
      : null,
    bypassWhen: values.hasOwnBypass
      ? {
          headers: [...values.bypassHeaders],
          cookies: [...values.bypassCookies],
          query: [...values.bypassQuery],
        }
      : null,
    setCookie: values.setCookie || null,
    requestDirectives: values.requestDirectives || null,
    requestFields: requestHeaders === 'listed' ? [...requestNames] : requestHeaders || null,
    checkContentType: unswitched(values.checkContentType),
    finishFills: unswitched(values.finishFills),
    slices: values.slices || null,
    staleIfErrorSeconds: seconds(values.staleIfError),
    staleWhileRevalidateSeconds: seconds(values.staleWhileRevalidate),
  };
}

/** As a rule with a media type has it: what concerns requests is the site's. */
export function withoutRequests<Values extends CachingValues>(values: Values): Values {
  const asTheSite = { hasOwnKey: false, hasOwnBypass: false, requestDirectives: '', requestHeaders: '' };
  return { ...values, ...asTheSite, finishFills: '', slices: '' };
}

function readStatusTtl(text: string): CachingOptions['statusTtls'][number] {
  const [status = '', duration = ''] = text.split('=');
  return { status: status.trim(), seconds: parseDuration(duration) ?? -1 };
}

/** The same for a site, which says something of everything. */
export function toSiteCaching(values: CachingValues): Partial<CachingOptions> {
  const { staleIfErrorSeconds: _, staleWhileRevalidateSeconds: __, statusTtls, ...rest } = toCaching(values);
  return { ...(rest as Partial<CachingOptions>), statusTtls: statusTtls ?? [] };
}

const FIELDS: readonly (readonly [path: string, field: keyof CachingValues])[] = [
  ['statusTtls', 'statusTtls'],
  ['cacheKey.query', 'keyNames'],
  ['cacheKey.headers', 'keyHeaders'],
  ['cacheKey.cookies', 'keyCookies'],
  ['cacheKey', 'hasOwnKey'],
  ['bypassWhen.headers', 'bypassHeaders'],
  ['bypassWhen.cookies', 'bypassCookies'],
  ['bypassWhen.query', 'bypassQuery'],
  ['bypassWhen', 'hasOwnBypass'],
  ['requestFields', 'requestNames'],
  ['requestDirectives', 'requestDirectives'],
  ['finishFills', 'finishFills'],
  ['slices', 'slices'],
  ['staleIfErrorSeconds', 'staleIfError'],
  ['staleWhileRevalidateSeconds', 'staleWhileRevalidate'],
];

/** The form's field for a path of a site or rule; null when it is about something else. */
export function fieldOfCaching(path: string): string | null {
  return FIELDS.find(([beginning]) => path.startsWith(beginning))?.[1] ?? null;
}

/** What the schema cannot say about how things are typed. */
export function typingErrors({
  statusTtls,
  staleIfError,
  staleWhileRevalidate,
}: CachingValues): Record<string, string> {
  const errors: Record<string, string> = {};
  const isTtl = (text: string): boolean => text.includes('=') && readStatusTtl(text).seconds >= 0;
  if (!statusTtls.every(isTtl)) errors.statusTtls = 'must be a status and a duration, such as 404=30s';
  for (const [field, text] of Object.entries({ staleIfError, staleWhileRevalidate })) {
    if (text.trim() !== '' && parseDuration(text) === null)
      errors[field] = 'must be a duration such as 30s, 10m or 1d';
  }
  return errors;
}
