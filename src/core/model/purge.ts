/** A purge: an operator's order that stored responses be used no more, or not without asking the origin. */
import { z } from 'zod';
import { hostNameSchema, siteIdSchema } from './site.ts';

/** One URL, all its variants under every host of its site: a complete URL with one of the hosts. */
const urlTarget = z.strictObject({ kind: z.literal('url'), url: z.string().max(8192) });
/** Everything of a site whose normalised path begins with these characters. */
const prefixTarget = z.strictObject({
  kind: z.literal('prefix'),
  siteId: siteIdSchema,
  prefix: z.string().startsWith('/').max(2048),
});
/** Everything of a site that carries the tag (Cache-Tag, Surrogate-Key, Cache-Groups). */
const tagTarget = z.strictObject({
  kind: z.literal('tag'),
  siteId: siteIdSchema,
  tag: z.string().min(1).max(256),
});
/** Everything of a site under one of its hosts. */
const hostTarget = z.strictObject({ kind: z.literal('host'), siteId: siteIdSchema, host: hostNameSchema });
const everythingTarget = z.strictObject({ kind: z.literal('everything'), siteId: siteIdSchema });

export const purgeTargetSchema = z.discriminatedUnion('kind', [
  urlTarget,
  prefixTarget,
  tagTarget,
  hostTarget,
  everythingTarget,
]);

export type PurgeTarget = z.output<typeof purgeTargetSchema>;

const SOFT = {
  /** True: what it names is only stale from now on, and may be validated, or served stale where that is allowed. */
  soft: z.boolean().default(false),
};

/** What an operator writes: the target, and how hard. */
export const purgeOrderSchema = z.discriminatedUnion('kind', [
  urlTarget.extend(SOFT),
  prefixTarget.extend(SOFT),
  tagTarget.extend(SOFT),
  hostTarget.extend(SOFT),
  everythingTarget.extend(SOFT),
]);

export type PurgeOrder = z.output<typeof purgeOrderSchema>;
export type PurgeOrderInput = z.input<typeof purgeOrderSchema>;

/** A purge in the ordered log. */
export interface Purge {
  /** Position in the log, from 1, each higher than the one before. */
  readonly position: number;
  /** The site concerned; of a URL, the one that has its host. */
  readonly siteId: string;
  readonly target: PurgeTarget;
  readonly soft: boolean;
  /** Milliseconds since the epoch. */
  readonly requestedAt: number;
}
