/** Looks into what edges have stored: by URL, and what is used most. */
import { z } from 'zod';
import { API_PREFIX, defineRoute } from './route.ts';

const inspectedResponseSchema = z.object({
  /** Where it is served from; what is in memory may lie on a disk as well. */
  tier: z.enum(['memory', 'shared memory', 'disk']),
  /** `purged` and `invalidated`: no request gets it any more. */
  state: z.enum(['fresh', 'stale', 'purged', 'invalidated']),
  status: z.int(),
  contentType: z.string().nullable(),
  /** Request fields it was selected by, `name: value`. */
  variesOn: z.array(z.string()),
  bodyLength: z.number(),
  ageSeconds: z.number(),
  freshnessLifetimeSeconds: z.number(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  tags: z.array(z.string()),
});

const inspectionSchema = z.object({
  /** One per edge worker; what lies in shared memory and on disks each worker of an edge tells of. */
  edges: z.array(
    z.object({
      part: z.string(),
      /** Null: no site has the host. */
      siteId: z.string().nullable(),
      cacheKey: z.string().nullable(),
      responses: z.array(inspectedResponseSchema),
    }),
  ),
  /** Sentences about edges that did not answer. */
  notes: z.array(z.string()),
});
export type CacheInspectionView = z.output<typeof inspectionSchema>;

const popularSchema = z.object({
  edges: z.array(
    z.object({
      part: z.string(),
      /** From when on uses are counted, ms since the epoch: five to ten minutes ago at most. */
      since: z.number(),
      /** The most used first. */
      responses: z.array(
        z.object({
          url: z.string(),
          siteId: z.string(),
          /** Estimated from one use in 32. */
          uses: z.number(),
          bodyLength: z.number(),
        }),
      ),
    }),
  ),
  notes: z.array(z.string()),
});
export type PopularView = z.output<typeof popularSchema>;

export const CACHE_ROUTES = {
  inspectCache: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/cache/inspect`,
    summary: 'All that each edge worker has stored for a URL',
    tag: 'cache',
    auth: 'token',
    query: z.strictObject({ url: z.string().trim().min(1).max(8192) }),
    status: 200,
    response: inspectionSchema,
  }),
  listPopular: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/cache/top`,
    summary: 'The stored responses that each edge worker used most of late',
    tag: 'cache',
    auth: 'token',
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
    status: 200,
    response: popularSchema,
  }),
} as const;
