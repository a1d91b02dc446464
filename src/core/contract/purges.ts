/** Operations on purges: operators' orders that stored responses be used no more. */
import { z } from 'zod';
import { purgeOrderSchema, purgeTargetSchema } from '../model/purge.ts';
import { API_PREFIX, defineRoute } from './route.ts';

/** What one edge worker said to a purge. */
const purgeReceiptSchema = z.object({
  part: z.string(),
  applied: z.boolean(),
  /** Stored responses that were dropped at once; purges by epoch drop none and are in force all the same. */
  purgedResponses: z.int().nullable(),
  /** Why it was not applied, null when it was. */
  error: z.string().nullable(),
});
export type PurgeReceipt = z.output<typeof purgeReceiptSchema>;

const purgeViewSchema = z.object({
  /** Position in the log, from 1. */
  position: z.int(),
  target: purgeTargetSchema,
  /** Whether what it names was only made stale. */
  soft: z.boolean(),
  /** Milliseconds since the epoch. */
  requestedAt: z.number(),
  receipts: z.array(purgeReceiptSchema),
});
export type PurgeView = z.output<typeof purgeViewSchema>;

const tag = 'purges';

export const PURGE_ROUTES = {
  createPurge: defineRoute({
    method: 'post',
    path: `${API_PREFIX}/purges`,
    summary: 'Purge; answers when every live edge worker has applied it',
    tag,
    auth: 'token',
    body: purgeOrderSchema,
    status: 200,
    response: purgeViewSchema,
    errors: ['not-found', 'unavailable'],
  }),
  listPurges: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/purges`,
    summary: 'List purges, the latest first',
    tag,
    auth: 'token',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      /** Only positions below this one. */
      before: z.coerce.number().int().min(1).optional(),
    }),
    status: 200,
    response: z.object({ purges: z.array(purgeViewSchema) }),
  }),
} as const;
