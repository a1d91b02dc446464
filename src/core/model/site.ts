/**
 * A site: what a customer configures. Host names, the origins behind them, and the rules by which
 * responses are kept. These schemas are the one definition: the API, the CLI, the console and the
 * edges validate with them.
 */
import { z } from 'zod';
import { REQUEST_OPTIONS, ruleCachingShape, siteCachingShape, ttlSecondsSchema } from './caching-options.ts';

const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const SITE_ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const SITE_LIMITS = {
  hostsMax: 100,
  originsMax: 8,
  rulesMax: 200,
  patternCharactersMax: 256,
  /** Authorities of client certificates: a handshake that asks names each of them to the client. */
  clientAuthoritiesMax: 16,
  /** All of them as PEM: 16 of the larger ones in use. */
  clientAuthoritiesCharactersMax: 32_768,
} as const;

export const hostNameSchema = z
  .string()
  .trim()
  .toLowerCase()
  .regex(HOST_NAME, 'must be a host name such as "www.example.com", without scheme, port or path');

export const siteIdSchema = z
  .string()
  .regex(SITE_ID, 'must be one DNS label: lower-case letters, digits and hyphens, at most 63 characters');

const ORIGIN_URL =
  /^(https?):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})?)(?::([0-9]{1,5}))?\/?$/;

/** An origin's address: scheme, host and optional port; no path, query or credentials. */
export const originUrlSchema = z
  .string()
  .trim()
  .refine((url) => {
    const match = ORIGIN_URL.exec(url);
    return (
      match !== null && (match[3] === undefined || (Number(match[3]) >= 1 && Number(match[3]) <= 65_535))
    );
  }, 'must be an address such as "http://192.0.2.1:8080" or "https://origin.example.com", without a path');

const timeoutSecondsSchema = (max: number) => z.int().min(1).max(max).nullable().default(null);

/** How long an origin may take, in seconds; null: as long as the edges allow by themselves. */
const timeoutsSchema = z.strictObject({
  /** To look up its name and connect, and as long again for the TLS handshake. */
  connectSeconds: timeoutSecondsSchema(60),
  /** From the request to the head of the response. */
  firstByteSeconds: timeoutSecondsSchema(3_600),
  /** Between two parts of the response's body. */
  betweenBytesSeconds: timeoutSecondsSchema(3_600),
  /** From the request to the end of the response. */
  totalSeconds: timeoutSecondsSchema(86_400),
});

const originSchema = z.strictObject({
  url: originUrlSchema,
  /** Host sent to the origin; null: the host the user asked for. */
  hostHeader: hostNameSchema.nullable().default(null),
  /**
   * Speak HTTP/2 to it, many requests over few connections: over https where the origin agrees (ALPN), over http
   * with prior knowledge.
   */
  http2: z.boolean().default(false),
  /** For https origins: verify the certificate against the system's authorities. */
  verifyCertificate: z.boolean().default(true),
  /** Null: the edges' own. */
  timeouts: timeoutsSchema.nullable().default(null),
});

/**
 * What is different about some requests and responses. The first rule that matches applies, and no other; what it
 * leaves null is as the site says. No rules: the site's own options, and the origin's word.
 */
export const ruleSchema = z
  .strictObject({
    /** Path pattern, `*` matches any run of characters; null: every path. Case matters, the query is not seen. */
    path: z
      .string()
      .startsWith('/', 'must begin with "/"')
      .max(SITE_LIMITS.patternCharactersMax)
      .nullable()
      .default(null),
    /** Media type pattern of the response, such as `image/*`; null: every type. */
    contentType: z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9.+-]+\/(?:\*|[a-z0-9.+-]+)$/, 'must be a media type such as "image/*" or "text/html"')
      .nullable()
      .default(null),
    /**
     * `respect-origin`: the origin's Cache-Control wins, `edgeTtlSeconds` applies where it is silent.
     * `override-origin`: `edgeTtlSeconds` applies whatever the origin says (but never to private or no-store
     * answers of requests that carry Authorization). `bypass`: never stored.
     */
    mode: z.enum(['respect-origin', 'override-origin', 'bypass']).default('respect-origin'),
    edgeTtlSeconds: ttlSecondsSchema.nullable().default(null),
    /** Sent to browsers as Cache-Control max-age, apart from the edge's; null: the origin's field as it is. */
    browserTtlSeconds: ttlSecondsSchema.nullable().default(null),
    ...ruleCachingShape,
  })
  .superRefine((rule, context) => {
    if (rule.contentType === null) return;
    for (const name of REQUEST_OPTIONS) {
      if (rule[name] === null) continue;
      const message = 'is decided before the type of the response is known: give it to a rule without one';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });

/** Certificates that users must or may show (TLS client authentication, RFC 8446 §4.3.2). */
const clientCertificatesSchema = z.strictObject({
  /** The authorities whose certificates are trusted, as PEM. */
  authoritiesPem: z
    .string()
    .max(SITE_LIMITS.clientAuthoritiesCharactersMax)
    .includes('-----BEGIN CERTIFICATE-----', { error: 'must be certificates in PEM' }),
  /** `require`: nobody is answered without one. `request`: the origin is told of it and decides. */
  mode: z.enum(['require', 'request']).default('require'),
});

export const siteSchema = z.strictObject({
  id: siteIdSchema,
  hosts: z.array(hostNameSchema).min(1).max(SITE_LIMITS.hostsMax),
  /** In order of preference: the next one is tried when a connection cannot be made. */
  origins: z.array(originSchema).min(1).max(SITE_LIMITS.originsMax),
  rules: z.array(ruleSchema).max(SITE_LIMITS.rulesMax).default([]),
  ...siteCachingShape,
  /** Whether users may switch to other protocols, such as WebSocket, through the edges to the origins. */
  webSockets: z.boolean().default(true),
  /** The oldest version of TLS that users may speak. */
  minTlsVersion: z.enum(['1.2', '1.3']).default('1.2'),
  /** Null: users are not asked for certificates. */
  clientCertificates: clientCertificatesSchema.nullable().default(null),
});

export type Origin = z.output<typeof originSchema>;
export type OriginTimeouts = z.output<typeof timeoutsSchema>;
export type Rule = z.output<typeof ruleSchema>;
export type Site = z.output<typeof siteSchema>;
/** What a user may write: everything with a default may be left out. */
export type SiteInput = z.input<typeof siteSchema>;
