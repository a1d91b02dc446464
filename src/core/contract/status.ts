/** Operations that show the state of the whole system. */
import { z } from 'zod';
import { API_PREFIX, defineRoute } from './route.ts';

const tierSchema = z.object({
  /** `memory` is a worker's own, the others are the same for all workers of an edge. */
  tier: z.enum(['memory', 'shared memory', 'disk']),
  storedResponses: z.number(),
  bodyBytes: z.number(),
  budgetBytes: z.number(),
  /** Lookups of this worker that found something there. */
  hits: z.number(),
  /** Taken out to make room. */
  evictions: z.number(),
  /** Not taken: too large, or no room. */
  refusals: z.number(),
});

const storageSchema = z.object({
  storedResponses: z.number(),
  bodyBytes: z.number(),
  budgetBytes: z.number(),
  /** Why responses are kept otherwise than the options say, such as for want of shared memory; null: they are not. */
  problem: z.string().nullable(),
  tiers: z.array(tierSchema),
});

const partStatusSchema = z.object({
  /** `control`, `nameserver`, `edge:<edge id>/<worker number>` or `edge:<edge id>/http3`; with `~former<n>` behind it while it finishes after a reload. */
  part: z.string(),
  /** `ready`: has the current generation; `behind`: has an older one; `silent`: expected, did not answer. */
  state: z.enum(['ready', 'behind', 'silent']),
  generation: z.int().nullable(),
  startedAt: z.number().nullable(),
  residentBytes: z.number().nullable(),
  /** Cache figures for edges, null for other parts. */
  storage: storageSchema.nullable(),
  /** Why it is not ready, null when it is. */
  error: z.string().nullable(),
});
export type PartView = z.output<typeof partStatusSchema>;

const edgeHealthSchema = z.object({
  edgeId: z.string(),
  popId: z.string(),
  state: z.enum(['up', 'down', 'unknown']),
  reason: z.string(),
  since: z.number(),
});

const statusSchema = z.object({
  /** `ok`: all parts ready; `starting`: not once so yet; `degraded`: was ok, is not. */
  status: z.enum(['ok', 'starting', 'degraded']),
  version: z.string(),
  zone: z.string(),
  generation: z.int(),
  /** Where clients reach the name server, `address:port`. */
  dnsAddress: z.string(),
  parts: z.array(partStatusSchema),
  /** Expected parts that are not ready. */
  missing: z.array(z.string()),
  /** The name server's view of the edges; empty while no name server answers. */
  health: z.array(edgeHealthSchema),
  totals: z.object({
    sites: z.int(),
    pops: z.int(),
    edges: z.int(),
    networks: z.int(),
    purges: z.int(),
  }),
});
export type Status = z.output<typeof statusSchema>;

const healthSchema = z.object({
  status: z.enum(['ok', 'starting', 'degraded']),
  zone: z.string(),
  generation: z.int(),
  /** Expected parts that did not answer with the current generation; only when not `ok`. */
  missing: z.array(z.string()).optional(),
});
export type Health = z.output<typeof healthSchema>;

export const STATUS_ROUTES = {
  getStatus: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/status`,
    summary: 'Parts, generation, health of the edges and totals',
    tag: 'status',
    auth: 'token',
    status: 200,
    response: statusSchema,
  }),
  getHealth: defineRoute({
    method: 'get',
    path: '/health',
    summary: '200 once every expected part has the current generation, else 503 with the missing ones',
    tag: 'status',
    auth: 'none',
    status: 200,
    response: healthSchema,
  }),
} as const;
