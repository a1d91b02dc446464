/** Bounds of TLS, each with its unit and reason; those on handshakes are in `connection/limits.ts`. */
export const TLS_LIMITS = {
  /** Certificates of one host, of different key types: more than ECDSA, RSA and Ed25519 there is no use for. */
  certificatesPerHostMax: 4,
  /** First message of a handshake, with its framing, in bytes: as much as the TLS library takes. */
  clientHelloBytesMax: 16_384,
  /** A client's certificate, DER: it goes to the origin in a field, a third longer. */
  clientCertificateBytesMax: 8_192,
} as const;
