/** A purge: an operator's order that stored responses be used no more. */
import { z } from 'zod';
import { siteIdSchema } from './site.ts';

export const purgeTargetSchema = z.discriminatedUnion('kind', [
  /** One URL, all its variants: a complete URL with the site's host. */
  z.strictObject({ kind: z.literal('url'), url: z.string().max(8192) }),
  /** Everything of a site whose normalised path begins with these characters. */
  z.strictObject({
    kind: z.literal('prefix'),
    siteId: siteIdSchema,
    prefix: z.string().startsWith('/').max(2048),
  }),
  /** Everything of a site that carries the tag (Cache-Tag, Surrogate-Key). */
  z.strictObject({ kind: z.literal('tag'), siteId: siteIdSchema, tag: z.string().min(1).max(256) }),
  z.strictObject({ kind: z.literal('everything'), siteId: siteIdSchema }),
]);

export type PurgeTarget = z.output<typeof purgeTargetSchema>;

/** A purge in the ordered log. */
export interface Purge {
  /** Position in the log, from 1, without gaps. */
  readonly position: number;
  readonly target: PurgeTarget;
  /** Milliseconds since the epoch. */
  readonly requestedAt: number;
}
