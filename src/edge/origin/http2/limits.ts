/** The bounds of HTTP/2 connections to origins alone, beside those of every origin connection (`../limits.ts`). */
export const ORIGIN_HTTP2_LIMITS = {
  /** Requests under way on one connection at a time, if the origin allows as many. */
  streamsPerConnectionMax: 100,
  /** Connections to one origin: one carries what it can, and few are needed. */
  connectionsPerOriginMax: 8,
  /** Bytes of one response that may be on their way beside those its reader has not taken. */
  streamWindowBytes: 512 * 1024,
  /** The same for all responses of a connection: given back on arrival, since each stream has a bound of its own. */
  connectionWindowBytes: 8 * 1024 * 1024,
  /** Milliseconds an unused connection is kept: longer than HTTP/1.1's, because GOAWAY loses no request. */
  idleMs: 30_000,
  /** Origins remembered that do not speak HTTP/2 although they should; asked again after so many milliseconds. */
  refusersMax: 4_096,
  refusalMs: 300_000,
} as const;
