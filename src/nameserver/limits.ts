/** Bounds of the name server's listeners. */

export const NAMESERVER_LIMITS = {
  /** Octets of a UDP query that are read; longer ones are cut and so answered with a format error. */
  udpQueryOctetsMax: 4096,
  /** Octets of a TCP query; no honest one is longer, and the connection is closed. */
  tcpQueryOctetsMax: 8192,
  /** TCP connections in all, and of one address (RFC 7766 §6.1 asks for limits by client). */
  tcpConnectionsMax: 1024,
  tcpConnectionsPerClientMax: 64,
  /** A connection without a whole query for this long is closed (RFC 7766 §6.2.3), ms. */
  tcpIdleMs: 10_000,
  /** Octets of answers a client may leave unread before we stop reading its queries. */
  tcpUnsentOctetsMax: 262_144,
  /** Connections that wait to be accepted. */
  tcpBacklog: 511,
  /** Answers given to one connection in one go; then others have their turn. */
  tcpQueriesPerTurn: 256,
  /** How often leases are looked through, ms. */
  healthCheckMs: 500,
  /** How long a name server that takes over waits for the verdicts of the one that serves, ms. */
  adoptMs: 1_000,
  /** Time for the compilation of the geography database, ms. */
  geoCompileMs: 120_000,
} as const;
