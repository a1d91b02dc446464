/** Every bound of the origin client, with its unit and reason. Tests and operators may set others. */

export const ORIGIN_LIMITS = {
  /** Milliseconds for name lookup and TCP connect together; healthy origins need well under one second. */
  connectMs: 5_000,
  /** Milliseconds for the TLS handshake after that. */
  tlsMs: 5_000,
  /** Milliseconds between attempts on the next address of a name (RFC 8305 §5). */
  nextAddressMs: 250,
  /** Milliseconds from the request written to the head of the response: slow pages are real, dead ones too. */
  firstByteMs: 30_000,
  /** Milliseconds without any byte of a response body, while somebody is reading it. */
  bodyIdleMs: 60_000,
  /** Milliseconds in which the origin takes no byte of a request body. */
  requestIdleMs: 60_000,
  /**
   * Milliseconds from the request to the end of its response, however steadily that trickles: frees what would
   * never end. Long enough for 10 GB at 6 Mbit/s.
   */
  totalMs: 14_400_000,
  /** Milliseconds in which nobody reads a response body whose buffer is full; frees what a reader forgot. */
  readerIdleMs: 300_000,

  /**
   * Milliseconds an unused connection is kept. Servers commonly close after five seconds; leaving first
   * avoids requests that cross with their close.
   */
  idleConnectionMs: 4_000,
  /** Connections to one origin, and in all: each costs a descriptor here and memory there. */
  connectionsPerOriginMax: 512,
  connectionsMax: 4_096,
  /** Requests waiting for a connection of one origin, and how many milliseconds each may wait. */
  queuePerOriginMax: 2_048,
  queueMs: 10_000,

  /** Bytes of a response's status line and field lines; lines among them. */
  headBytesMax: 65_536,
  fieldLinesMax: 256,
  /** Interim responses before the final one. */
  informsMax: 16,
  /** Bytes of a response body held for a reader that is slower than the origin. */
  bodyBufferBytesMax: 262_144,
  /** Bytes of an abandoned body that are read and dropped to keep the connection. */
  drainBytesMax: 65_536,
  /** Milliseconds for that. */
  drainMs: 1_000,

  /** Names whose addresses are remembered, and for how many milliseconds (the system tells no TTL). */
  namesMax: 4_096,
  nameMs: 10_000,
  /** Milliseconds a failed lookup is remembered, so that a dead name is not asked for by each request. */
  nameFailureMs: 1_000,
  /** Milliseconds after `nameMs` in which the old addresses serve when the lookup fails. */
  nameStaleMs: 3_600_000,
  /** Addresses of one name that are tried. */
  addressesMax: 8,
} as const;

export type OriginLimits = { readonly [Name in keyof typeof ORIGIN_LIMITS]: number };
