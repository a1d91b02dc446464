/**
 * The immutable configuration in force, compiled by the control plane and swapped in whole by edges and
 * name servers. Whoever receives one validates it before use and keeps the last good one on disk.
 */
import { z } from 'zod';
import { ipAddressSchema, locationSchema, popSchema } from './pop.ts';
import { hostNameSchema, SITE_LIMITS, siteSchema } from './site.ts';

export const SNAPSHOT_FORMAT = 1;
export const SNAPSHOT_LIMITS = {
  sitesMax: 1_000_000,
  popsMax: 10_000,
  networksMax: 1_000_000,
} as const;

/** An operator's word on where a network is; it wins over the geo database. */
export const networkLocationSchema = z.strictObject({
  /** CIDR, such as "192.0.2.0/24" or "2001:db8::/32". */
  network: z.union([z.cidrv4(), z.cidrv6()], 'must be a network such as "192.0.2.0/24"'),
  location: locationSchema,
  /** ISO 3166 country code, upper case. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .nullable()
    .default(null),
  /** Access network (carrier) name, used by steering's carrier tier. */
  carrier: z.string().max(64).nullable().default(null),
});

/** A host's certificate. The key is secret: snapshots are kept with mode 0600 and never logged. */
const certificateSchema = z.strictObject({
  hosts: z.array(hostNameSchema).min(1),
  certificatePem: z.string().max(65_536),
  privateKeyPem: z.string().max(16_384),
});

const zoneSchema = z.strictObject({
  name: hostNameSchema,
  /** Host names of the name servers, relative to nothing (complete names). */
  nameServers: z.array(z.strictObject({ name: hostNameSchema, addresses: z.array(ipAddressSchema) })).min(1),
  /** Responsible person's mailbox in SOA form, such as "hostmaster.cdn.test". */
  mailbox: hostNameSchema,
  /** TTL of steered answers and of negative answers, seconds. */
  steeringTtlSeconds: z.int().min(1).max(3600),
  negativeTtlSeconds: z.int().min(1).max(3600),
});

/** In a snapshot a site's hosts include its own name in the zone. */
const snapshotSiteSchema = siteSchema.extend({
  hosts: z
    .array(hostNameSchema)
    .min(1)
    .max(SITE_LIMITS.hostsMax + 1),
});

export const snapshotSchema = z.strictObject({
  format: z.literal(SNAPSHOT_FORMAT),
  /** Increases with every change that was published. */
  generation: z.int().min(1),
  /** SHA-256 (hex) of the canonical JSON of everything below; computed by control, checked by receivers. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  zone: zoneSchema,
  sites: z.array(snapshotSiteSchema).max(SNAPSHOT_LIMITS.sitesMax),
  pops: z.array(popSchema).max(SNAPSHOT_LIMITS.popsMax),
  networks: z.array(networkLocationSchema).max(SNAPSHOT_LIMITS.networksMax),
  certificates: z.array(certificateSchema),
});

export type NetworkLocation = z.output<typeof networkLocationSchema>;
export type Certificate = z.output<typeof certificateSchema>;
export type Zone = z.output<typeof zoneSchema>;
export type Snapshot = z.output<typeof snapshotSchema>;
