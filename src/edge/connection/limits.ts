/**
 * The bounds that connections of every HTTP version and their listeners share, with unit and reason. Exceeding
 * one gives a named refusal and a counter. Times are kept by a coarse tick (`deadline-sweep.ts`): a deadline
 * passes after at least the time given and at most two ticks more.
 */

export interface ConnectionLimits {
  /** Request line and field lines together: what the larger public servers allow. HTTP/2: the size of RFC 9113 §6.5.2. */
  readonly headBytesMax: number;
  readonly methodBytesMax: number;
  /** Longer than any address a browser sends; twice what most servers take. */
  readonly targetBytesMax: number;
  readonly fieldLinesMax: number;
  /** Largest request body taken, as announced or as counted. */
  readonly requestBodyBytesMax: number;
  /** Body bytes kept for a road that does not read; then the client has to wait. */
  readonly bodyBufferBytesMax: number;
  /** Requests on one connection; then it is closed, so that clients spread anew. */
  readonly requestsPerConnectionMax: number;

  /** From accepting a connection of a load balancer to the end of its PROXY protocol header, which it sends at once. */
  readonly proxyHeaderMs: number;
  /** From the first byte of a head (or from accepting the connection) to its end. */
  readonly headMs: number;
  /** Without a request. Longer than the 60 s many clients and load balancers keep theirs. */
  readonly idleMs: number;
  /** In each such interval in which we wait for the body, this many bytes must come. */
  readonly bodyProgressMs: number;
  readonly bodyProgressBytesMin: number;
  /** Between two signs that the client takes bytes: the kernel tells only when a third of a send buffer of up to 4 MB is free. */
  readonly writeProgressMs: number;
  /** Bytes written to all clients between two looks at the network: about a millisecond's worth. */
  readonly turnBytes: number;
  /** After our last byte: for the client to read it and close, before a reset could take it away. */
  readonly lingerMs: number;
  readonly lingerBytesMax: number;

  /** Open connections of one listener in one worker: memory. */
  readonly connectionsMax: number;
  /** Of these, by one client address (IPv6: /64): many users can share one. */
  readonly connectionsPerAddressMax: number;
  /** TLS handshakes at one time: each costs about half a millisecond of CPU. */
  readonly handshakesMax: number;
  /** Of these, by one client address (IPv6: /64): a quarter, so that nobody who stays silent keeps all others out. */
  readonly handshakesPerAddressMax: number;
  readonly handshakeMs: number;
  /**
   * TLS contexts kept ready in one worker, one for each set of certificates and policy in use: 7 to 10 KB each,
   * and a fifth of a millisecond to make one anew.
   */
  readonly tlsContextsMax: number;
  /** Resolution of all the times above. */
  readonly tickMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const CONNECTION_LIMITS: ConnectionLimits = {
  headBytesMax: 32 * KIB,
  methodBytesMax: 64,
  targetBytesMax: 16 * KIB,
  fieldLinesMax: 200,
  requestBodyBytesMax: 16 * 1024 * MIB,
  bodyBufferBytesMax: 256 * KIB,
  requestsPerConnectionMax: 1_000_000,

  proxyHeaderMs: 5_000,
  headMs: 15_000,
  idleMs: 75_000,
  bodyProgressMs: 30_000,
  bodyProgressBytesMin: 1024,
  writeProgressMs: 75_000,
  turnBytes: MIB,
  lingerMs: 5_000,
  lingerBytesMax: 16 * MIB,

  connectionsMax: 50_000,
  connectionsPerAddressMax: 8_192,
  handshakesMax: 2_048,
  handshakesPerAddressMax: 512,
  handshakeMs: 10_000,
  tlsContextsMax: 4_096,
  tickMs: 500,
};
