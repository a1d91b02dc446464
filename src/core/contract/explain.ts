/** The operation that says why: where a client is sent for a URL, and what the edge there would do. */
import { z } from 'zod';
import { placeTextSchema } from './pops.ts';
import { API_PREFIX, defineRoute } from './route.ts';

const steeringExplanationSchema = z.object({
  name: z.string(),
  client: z.object({
    address: z.string(),
    network: z.string(),
    place: z.string(),
    latitude: z.number().nullable(),
    longitude: z.number().nullable(),
    country: z.string().nullable(),
    /** Where the place is known from; `given`: the question named it; `none`: it is not known. */
    source: z.enum(['operator', 'geo-database', 'given', 'none']),
  }),
  /** In order of preference. */
  candidates: z.array(
    z.object({
      popId: z.string(),
      name: z.string(),
      distanceKm: z.number().nullable(),
      costMs: z.number().nullable(),
      isUsable: z.boolean(),
      reason: z.string(),
      addresses: z.array(z.string()),
    }),
  ),
  chosenPopId: z.string().nullable(),
});

const cacheExplanationSchema = z.object({
  part: z.string(),
  siteId: z.string().nullable(),
  cacheKey: z.string().nullable(),
  rule: z.object({ index: z.int(), description: z.string() }).nullable(),
  decision: z.string(),
  stored: z
    .object({
      status: z.int(),
      ageSeconds: z.number(),
      freshnessLifetimeSeconds: z.number(),
      isFresh: z.boolean(),
      bodyLength: z.number(),
      etag: z.string().nullable(),
      tags: z.array(z.string()),
    })
    .nullable(),
});

const explanationSchema = z.object({
  url: z.string(),
  host: z.string(),
  /** The site that has the host, null when none. */
  site: z.object({ id: z.string(), cname: z.string() }).nullable(),
  /** Null when no name server answered; then `notes` says so. */
  steering: steeringExplanationSchema.nullable(),
  /** One per worker of the chosen POP's edges; what one worker has stored another may not. */
  caches: z.array(cacheExplanationSchema),
  /** Sentences for what could not be found out, or deserves a word. */
  notes: z.array(z.string()),
});
export type Explanation = z.output<typeof explanationSchema>;

export const EXPLAIN_ROUTES = {
  explain: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/explain`,
    summary: 'Explain where a client is sent for a URL and what the cache there would do',
    tag: 'explain',
    auth: 'token',
    query: z.strictObject({
      url: z.string().trim().min(1).max(8192),
      /** The client: an IP address, a city or `latitude,longitude`; by default the caller's address. */
      from: placeTextSchema.optional(),
    }),
    status: 200,
    response: explanationSchema,
  }),
} as const;
