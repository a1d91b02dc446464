/** Points of presence: places with edges. */
import { z } from 'zod';
import { siteIdSchema } from './site.ts';

export const locationSchema = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});

export const ipAddressSchema = z.union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address');

/** A cache server. `addresses` are what DNS answers with. */
export const edgeSchema = z.strictObject({
  id: siteIdSchema,
  addresses: z.array(ipAddressSchema).min(1).max(8),
});

export const popSchema = z.strictObject({
  id: siteIdSchema,
  /** For people: a city's name. */
  name: z.string().min(1).max(100),
  /** Null: nowhere in particular; such a POP is used when no placed one can be. */
  location: locationSchema.nullable().default(null),
  /** `drained`: no new users are sent here. */
  state: z.enum(['active', 'drained']).default('active'),
  edges: z.array(edgeSchema).min(1).max(64),
});

export type GeoPoint = z.output<typeof locationSchema>;
export type Edge = z.output<typeof edgeSchema>;
export type Pop = z.output<typeof popSchema>;
export type PopInput = z.input<typeof popSchema>;
