/**
 * What the judgement knows of a stored response: its head, the request fields it was selected by, and
 * the moments computed once at admission (RFC 9111 §4.2), so that a hit parses no stored field.
 * The body is the storage's.
 */
import type { Fields } from '#core/http/fields.ts';

export interface StoredHead {
  readonly status: number;
  readonly reason: string;
  /** End-to-end fields as they will be sent; without hop-by-hop fields, Age, and fields we must not store. */
  readonly fields: Fields;

  /** Lower-case names of Vary, sorted, and the normalised request values they selected (null: absent). */
  readonly varyNames: readonly string[];
  readonly varyValues: readonly (string | null)[];

  /** When the request that produced (or last freshened) it was sent, and when its head arrived; ms. */
  readonly requestedAt: number;
  readonly respondedAt: number;
  /** corrected_initial_age of RFC 9111 §4.2.3, in seconds, as of `respondedAt`. */
  readonly initialAgeSeconds: number;
  /** Freshness lifetime at the edge, from the site's rule or from the origin (§4.2.1), in seconds. */
  readonly freshnessLifetimeSeconds: number;
  /** Whether the lifetime is a heuristic (§4.2.2), not explicit. */
  readonly isHeuristic: boolean;
  /** Cache-Control max-age towards browsers when the site sets one apart from the edge's, else null. */
  readonly browserTtlSeconds: number | null;

  /** May only be reused after successful validation (no-cache without fields). */
  readonly mustValidateAlways: boolean;
  /** Never served stale (must-revalidate, proxy-revalidate, s-maxage without proxy permission; §4.2.4, §5.2.2). */
  readonly mustNotServeStale: boolean;
  /** RFC 5861 windows after freshness, in seconds; 0: not allowed; -1 (`ORIGIN_SILENT`): the site's default in force. */
  readonly staleWhileRevalidateSeconds: number;
  readonly staleIfErrorSeconds: number;

  /** Of the parts of a response that is not stored whole (`slices.ts`): how long all of it is, bytes; null: it is whole. */
  readonly completeLength: number | null;

  /** Validators (RFC 9110 §8.8); null when absent or unusable. */
  readonly etag: string | null;
  /** Last-Modified in ms since the epoch. */
  readonly lastModifiedAt: number | null;
  readonly dateAt: number;

  /** For purges: which site, host (lower case, without port) and normalised path-and-query it answers, and its tags. */
  readonly siteId: string;
  readonly host: string;
  readonly path: string;
  /** The path alone, where it answers other queries, too (No-Vary-Search); else null. */
  readonly searchPath: string | null;
  readonly tags: readonly string[];
  /** How far the purge log was read when the fetch of its body began: hard purges after it count. Validation never moves it. */
  readonly purgePosition: number;
  /** Soft purges up to this position have been taken into its lifetime; later ones count. */
  readonly softPurgePosition: number;
  /** How far invalidations were when the fetch of its body began (`invalidations.ts`). */
  readonly sequence: number;
}
