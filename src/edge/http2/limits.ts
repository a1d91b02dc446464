/**
 * The bounds of HTTP/2 connections alone, beside those all connections share (`connection/limits.ts`). A rate
 * has a burst that a connection may use at once and what it regains per second; beyond it the connection
 * ends with ENHANCE_YOUR_CALM (RFC 9113 §10.5).
 */

export interface Http2Limits {
  /**
   * Streams open at a time on one connection; more are refused (RFC 9113 §5.1.2). Those open and those whose
   * priority is known before they open must not be more together (RFC 9218 §7.1).
   */
  readonly streamsMax: number;
  /** What a client may send of one request body before the road has read it. */
  readonly streamWindowBytes: number;
  /** The same for all streams of a connection together: the memory that bodies can take. */
  readonly connectionWindowBytes: number;
  /** Largest payload of a frame we take: the smallest bound that may be set. */
  readonly frameBytesMax: number;
  /** Memory of the HPACK decoder's dynamic table: the value that holds until a client knows another. */
  readonly tableBytesMax: number;
  /** Compressed bytes of one field block, and the CONTINUATION frames it may come in. */
  readonly blockBytesMax: number;
  readonly continuationsMax: number;
  /** Streams reset by us whose late frames are passed over in silence; older ones end the connection. */
  readonly resetStreamsRemembered: number;
  /** Bytes that wait in the socket; beyond it no further frame is read, so that answers cannot pile up. */
  readonly unsentBytesMax: number;
  /** In each `writeProgressMs` in which its windows hold up a response, the client must take this many bytes of it. */
  readonly writeProgressBytesMin: number;
  /** Bytes of a request body that are dropped after its response, before the client is told to stop. */
  readonly unreadStreamBytesMax: number;
  /** From saying that we go to taking no more streams, ms, when the client does not say that it knows. */
  readonly goAwayMs: number;

  /**
   * Streams reset, by the client or by us for its mistakes: rapid reset and MadeYouReset (CVE-2023-44487,
   * CVE-2025-8671); and field blocks that come for them afterwards.
   */
  readonly resetsBurst: number;
  readonly resetsPerSecond: number;
  /** SETTINGS frames, which have to be acknowledged, and acknowledgements, of which we expect one. */
  readonly settingsBurst: number;
  readonly settingsPerSecond: number;
  /** PING frames and answers to them; some clients send one per round trip while data flows. */
  readonly pingsBurst: number;
  readonly pingsPerSecond: number;
  /** PRIORITY and PRIORITY_UPDATE frames. */
  readonly prioritiesBurst: number;
  readonly prioritiesPerSecond: number;
  /** DATA and CONTINUATION frames without content that end nothing. */
  readonly emptyFramesBurst: number;
  readonly emptyFramesPerSecond: number;
  /** WINDOW_UPDATE frames; each DATA frame sent allows two more. */
  readonly windowUpdatesBurst: number;
  readonly windowUpdatesPerSecond: number;
  /** Frames of unknown types. */
  readonly unknownFramesBurst: number;
  readonly unknownFramesPerSecond: number;
}

const KIB = 1024;

export const HTTP2_LIMITS: Http2Limits = {
  streamsMax: 128,
  streamWindowBytes: 256 * KIB,
  connectionWindowBytes: 1024 * KIB,
  frameBytesMax: 16 * KIB,
  tableBytesMax: 4 * KIB,
  blockBytesMax: 64 * KIB,
  continuationsMax: 16,
  resetStreamsRemembered: 256,
  unsentBytesMax: 1024 * KIB,
  writeProgressBytesMin: 1024,
  unreadStreamBytesMax: 256 * KIB,
  goAwayMs: 1_000,

  resetsBurst: 400,
  resetsPerSecond: 40,
  settingsBurst: 40,
  settingsPerSecond: 2,
  pingsBurst: 1_000,
  pingsPerSecond: 200,
  prioritiesBurst: 1_000,
  prioritiesPerSecond: 100,
  emptyFramesBurst: 100,
  emptyFramesPerSecond: 10,
  windowUpdatesBurst: 4_000,
  windowUpdatesPerSecond: 1_000,
  unknownFramesBurst: 100,
  unknownFramesPerSecond: 10,
};
