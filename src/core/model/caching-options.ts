/**
 * What a site, and each of its rules, may say about caching beside how long: one set of options for both. A site has
 * a value for each; a rule that matches replaces those that it names (null: as the site says). Resolved for a request
 * and its response in `cache-settings.ts`.
 */
import { z } from 'zod';
import { isSetPerClient } from '../http/forwarding.ts';

export const CACHING_LIMITS = {
  ttlSecondsMax: 31_536_000,
  statusTtlsMax: 32,
  keyFieldsMax: 16,
  namesMax: 64,
  nameCharactersMax: 128,
} as const;

export const ttlSecondsSchema = z.int().min(0).max(CACHING_LIMITS.ttlSecondsMax);

const STATUSES = /^(?:[2-5][0-9]{2}|[2-5]xx|([2-5][0-9]{2})-([2-5][0-9]{2}))$/;

const statusTtlSchema = z.strictObject({
  /** `404`, `4xx`, or `500-504`. */
  status: z
    .string()
    .trim()
    .toLowerCase()
    .refine((text) => {
      const match = STATUSES.exec(text);
      return match !== null && (match[1] === undefined || Number(match[1]) <= Number(match[2]));
    }, 'must be a status such as "404", a class such as "5xx", or a range such as "500-504", from 200 to 599'),
  seconds: ttlSecondsSchema,
});

const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

const fieldNameSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(CACHING_LIMITS.nameCharactersMax)
  .regex(FIELD_NAME, 'must be the name of a request header, such as "x-tenant"');

/** Written anew by the edge, about the message and not the content, or an option of its own. */
const UNKEYABLE: ReadonlySet<string> = new Set([
  ...['cache-control', 'cdn-loop', 'connection', 'content-length', 'cookie', 'expect', 'host', 'if-match'],
  ...['if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'via'],
]);

const keyFieldSchema = fieldNameSchema.refine(
  (name) => !UNKEYABLE.has(name) && !isSetPerClient(name) && !name.startsWith('x-forwarded-'),
  'cannot be part of the cache key: it is not the same for two users, or has an option of its own',
);

/** Names of query parameters or cookies; `*` stands for any run of characters. */
const namePatternSchema = z
  .string()
  .trim()
  .min(1)
  .max(CACHING_LIMITS.nameCharactersMax)
  .regex(/^[!-~]+$/, 'must be visible ASCII characters without spaces')
  .refine((name) => !/[;&,]/.test(name), 'must be one name, without ";", "&" or ","');

const cookieNameSchema = namePatternSchema.refine(
  (name) => !name.includes('*') && !name.includes('='),
  'must be the name of one cookie',
);

const namesOf = <Name extends z.ZodType<string>>(name: Name) => z.array(name).max(CACHING_LIMITS.namesMax);

const querySchema = z.strictObject({
  /** Which parameters count: all, none, only those named, or all but those named. */
  include: z.enum(['all', 'none', 'only', 'except']).default('all'),
  names: namesOf(namePatternSchema).default([]),
  /** Whether their order does not count. */
  sorted: z.boolean().default(false),
});

export const cacheKeySchema = z
  .strictObject({
    query: querySchema.prefault({}),
    /** Request headers whose values are part of the key. */
    headers: z.array(keyFieldSchema).max(CACHING_LIMITS.keyFieldsMax).default([]),
    cookies: z.array(cookieNameSchema).max(CACHING_LIMITS.keyFieldsMax).default([]),
    /** Phone, tablet or desktop, by User-Agent; the origin is told in Perigee-Device. */
    deviceClass: z.boolean().default(false),
    /** The user's country by address; the origin is told in Perigee-Country. */
    country: z.boolean().default(false),
  })
  .refine(
    ({ query }) => query.names.length > 0 === (query.include === 'only' || query.include === 'except'),
    { path: ['query', 'names'], error: 'belong to "only" and "except", which need at least one' },
  );

/** A request that has any of these goes past the cache. A pattern with `=` is about name and value. */
const bypassWhenSchema = z.strictObject({
  headers: namesOf(fieldNameSchema).default([]),
  cookies: namesOf(namePatternSchema).default([]),
  query: namesOf(namePatternSchema).default([]),
});

const requestFieldsSchema = z.union([z.literal('all'), namesOf(fieldNameSchema)]);

/** Each option without its default. */
const options = {
  /** TTLs for answers by status: the first that names it counts, before `edgeTtlSeconds`, in the way of the mode. */
  statusTtls: z.array(statusTtlSchema).max(CACHING_LIMITS.statusTtlsMax),
  cacheKey: cacheKeySchema,
  bypassWhen: bypassWhenSchema,
  /**
   * Responses that set cookies. `explicit`: stored, cookie and all, where the origin itself says how long. `shared`:
   * only where it says that they are for everybody (public, s-maxage, a CDN field). `strip`: stored without the
   * cookie, which only the user who asked gets. `never`: not stored.
   */
  setCookie: z.enum(['explicit', 'shared', 'strip', 'never']),
  /** Whether the Cache-Control of requests counts (RFC 9111 §5.2.1). */
  requestDirectives: z.enum(['honour', 'ignore']),
  /** Where the origin says nothing (RFC 5861), seconds. */
  staleWhileRevalidateSeconds: ttlSecondsSchema,
  /** How long a stale response may cover for an origin that cannot be reached or fails, seconds. */
  staleIfErrorSeconds: ttlSecondsSchema,
  /** Whether a fetch goes on when everybody who asked for it has left. */
  finishFills: z.boolean(),
  /** Request headers that reach the origin of requests for what may be stored, beside the usual ones and those in the key. */
  requestFields: requestFieldsSchema,
  /** Whether HTML under a path that ends like a static file is stored only where the origin marks it as for everybody. */
  checkContentType: z.boolean(),
  /** Whether large responses are fetched and stored in parts when parts are asked for. */
  slices: z.enum(['auto', 'off']),
};

export type CachingOptions = { readonly [Name in keyof typeof options]: z.output<(typeof options)[Name]> };

export const siteCachingShape = {
  statusTtls: options.statusTtls.default([]),
  cacheKey: options.cacheKey.prefault({}),
  bypassWhen: options.bypassWhen.prefault({}),
  setCookie: options.setCookie.default('explicit'),
  requestDirectives: options.requestDirectives.default('honour'),
  staleWhileRevalidateSeconds: options.staleWhileRevalidateSeconds.default(0),
  staleIfErrorSeconds: options.staleIfErrorSeconds.default(86_400),
  finishFills: options.finishFills.default(true),
  requestFields: options.requestFields.default('all'),
  checkContentType: options.checkContentType.default(true),
  slices: options.slices.default('auto'),
};

export const ruleCachingShape = {
  statusTtls: options.statusTtls.nullable().default(null),
  cacheKey: options.cacheKey.nullable().default(null),
  bypassWhen: options.bypassWhen.nullable().default(null),
  setCookie: options.setCookie.nullable().default(null),
  requestDirectives: options.requestDirectives.nullable().default(null),
  staleWhileRevalidateSeconds: options.staleWhileRevalidateSeconds.nullable().default(null),
  staleIfErrorSeconds: options.staleIfErrorSeconds.nullable().default(null),
  finishFills: options.finishFills.nullable().default(null),
  requestFields: options.requestFields.nullable().default(null),
  checkContentType: options.checkContentType.nullable().default(null),
  slices: options.slices.nullable().default(null),
};

/** To change some of a site's: what is left out stays. */
export const patchCachingShape = {
  statusTtls: options.statusTtls.optional(),
  cacheKey: options.cacheKey.optional(),
  bypassWhen: options.bypassWhen.optional(),
  setCookie: options.setCookie.optional(),
  requestDirectives: options.requestDirectives.optional(),
  staleWhileRevalidateSeconds: options.staleWhileRevalidateSeconds.optional(),
  staleIfErrorSeconds: options.staleIfErrorSeconds.optional(),
  finishFills: options.finishFills.optional(),
  requestFields: options.requestFields.optional(),
  checkContentType: options.checkContentType.optional(),
  slices: options.slices.optional(),
};

/** Decided before a response is known, so that a rule about a media type has no say in them. */
export const REQUEST_OPTIONS = [
  'cacheKey',
  'bypassWhen',
  'requestDirectives',
  'finishFills',
  'requestFields',
  'slices',
] as const satisfies readonly (keyof CachingOptions)[];
