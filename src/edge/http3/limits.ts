/**
 * The bounds of HTTP/3 that are ours, beside those all connections share (`connection/limits.ts`). Bun itself
 * bounds a head at 16 KiB and a connection at 100 requests at a time, and has no bound for connections: hence
 * the one for memory.
 */

export interface Http3Limits {
  /** A connection without packets for so long is forgotten, in seconds; clients of our day say 30. */
  readonly idleSeconds: number;
  /** Requests being answered at one time in this process: each holds objects of some 10 KB. */
  readonly exchangesMax: number;
  /** Bodies up to this are copied into their response; of larger ones all responses share one copy. */
  readonly copiedBytesMax: number;
  /** Largest part of a streamed body handed to Bun at a time: what a client that stops reading holds. */
  readonly streamPartBytes: number;
  /**
   * A body is gathered up to this size before its response begins. Bun cannot end a body as incomplete, so what is
   * gathered is sent whole or not at all.
   */
  readonly gatheredBytesMax: number;
  /** How long a body of unknown length is gathered: longer, and a page that is sent bit by bit would not show. */
  readonly gatherMs: number;

  /** The listener is not renewed again within this time: each renewal closes every connection. */
  readonly renewalIntervalMs: number;
  /** New certificates wait so long for a moment without requests before the listener is renewed regardless. */
  readonly renewalWaitMs: number;
  /** The same for renewals that strangers can bring about, by holding memory or by origins that break off. */
  readonly forcedRenewalIntervalMs: number;
  /** Memory beside the cache that this process may have resident; more, and all connections are closed. */
  readonly residentBytesMax: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const HTTP3_LIMITS: Http3Limits = {
  idleSeconds: 60,
  exchangesMax: 10_000,
  copiedBytesMax: 64 * KIB,
  streamPartBytes: 64 * KIB,
  gatheredBytesMax: MIB,
  gatherMs: 100,

  renewalIntervalMs: 5_000,
  renewalWaitMs: 60_000,
  forcedRenewalIntervalMs: 60_000,
  residentBytesMax: 1024 * MIB,
};
