/** Points of presence: places with edges. */
import { z } from 'zod';
import { siteIdSchema } from './site.ts';

export const locationSchema = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});

export const ipAddressSchema = z.union([z.ipv4(), z.ipv6()], 'must be an IPv4 or IPv6 address');

/** Addresses of no machine: "this host", multicast and beyond (RFC 6890), in the spellings people use. */
const NO_MACHINE = /^(?:0\.|22[4-9]\.|2[345]\d\.|ff[\da-f]{2}:|[0:]+$)/i;

/** What DNS can send users to. */
export const edgeAddressSchema = ipAddressSchema.refine(
  (address) => !NO_MACHINE.test(address),
  'must be the address of a machine that users can connect to',
);

/** A cache server. `addresses` are what DNS answers with. */
export const edgeSchema = z.strictObject({
  id: siteIdSchema,
  addresses: z.array(edgeAddressSchema).min(1).max(8),
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
