/** What the DNS codec accepts and sends, at most. */

export const DNS_LIMITS = {
  /** Octets of a name on the wire, the root's zero included (RFC 1035 §3.1). */
  nameOctetsMax: 255,
  labelOctetsMax: 63,
  headerOctets: 12,
  /** Octets of a UDP response to a client without EDNS (RFC 1035 §4.2.1). */
  plainUdpOctetsMax: 512,
  /** Octets of any UDP response, and what we offer to receive: never fragmented on usual paths. */
  udpOctetsMax: 1232,
  /** Octets of a message over TCP: its length field has 16 bits. */
  tcpOctetsMax: 65_535,
  /** Records that a query may carry behind its question (OPT, TSIG and such); more is no honest query. */
  queryRecordsMax: 16,
  /** Octets of the server's identity in an NSID option. */
  nsidOctetsMax: 64,
} as const;
