/** The bounds of HTTP/1.1 connections alone, beside those all connections share (`connection/limits.ts`). */

export interface Http1Limits {
  /** Bytes of requests that came before their turn; then the socket is paused. */
  readonly pipelinedBytesMax: number;
  /** Pipelined requests answered before other connections get their turn. */
  readonly pipelinedRequestsPerTurn: number;
  /** Unread body swallowed so that the connection can be used again; more, and it is closed. */
  readonly unreadBodyBytesMax: number;
  /** Parts in which a large body goes to the socket, so that a slow client holds no copy of the whole. */
  readonly writePartBytes: number;
  /** Blocks of field lines that are recognised when they come again; a power of two. With their bytes and fields, some 6 MiB at most. */
  readonly rememberedLinesMax: number;
  readonly rememberedLinesBytesMax: number;
}

const KIB = 1024;

export const HTTP1_LIMITS: Http1Limits = {
  pipelinedBytesMax: 64 * KIB,
  pipelinedRequestsPerTurn: 64,
  unreadBodyBytesMax: 256 * KIB,
  writePartBytes: 256 * KIB,
  rememberedLinesMax: 1024,
  rememberedLinesBytesMax: 2 * KIB,
};
