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
  /** Single lines of responses that are recognised when they come again, and names; powers of two. Some 2 MiB at most. */
  readonly knownLinesMax: number;
  readonly knownNamesMax: number;
  readonly knownLineCharactersMax: number;
  /** Lines and names learnt from one block: each costs a few copies, and a stranger may send ever new ones. */
  readonly linesLearntPerBlockMax: number;
  /** Names of fields whose lines' beginnings are remembered, and their characters. */
  readonly beginningsMax: number;
  readonly beginningCharactersMax: number;
}

const KIB = 1024;

export const HTTP1_LIMITS: Http1Limits = {
  pipelinedBytesMax: 64 * KIB,
  pipelinedRequestsPerTurn: 64,
  unreadBodyBytesMax: 256 * KIB,
  writePartBytes: 256 * KIB,
  rememberedLinesMax: 1024,
  rememberedLinesBytesMax: 2 * KIB,
  knownLinesMax: 1024,
  knownNamesMax: 256,
  knownLineCharactersMax: KIB,
  linesLearntPerBlockMax: 8,
  beginningsMax: 1024,
  beginningCharactersMax: 64,
};
