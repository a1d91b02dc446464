/**
 * EDNS options of a query (RFC 6891 §6.1.2): client subnet (RFC 7871) and NSID (RFC 5001). Unknown options
 * are passed over. A malformed one makes the query a format error, as both RFCs and our peers have it.
 */
import { EDNS_OPTION, FAMILY } from './codes.ts';

/** The client subnet option (RFC 7871 §6). */
export interface ClientSubnet {
  isPresent: boolean;
  /** As received: 1 IPv4, 2 IPv6, 0 with no address. */
  family: number;
  sourceLength: number;
  /** The address, bits beyond `sourceLength` zero; IPv4 in `word0`. */
  word0: number;
  word1: number;
  word2: number;
  word3: number;
}

/** What the options of a query say. */
export interface QueryOptions {
  wantsNsid: boolean;
  readonly subnet: ClientSubnet;
}

/** Reads the options between the offsets; false when one is malformed. */
export function readOptions(query: QueryOptions, bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    if (at + 4 > end) return false;
    const code = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    const from = at + 4;
    at = from + length;
    if (at > end) return false;
    if (code === EDNS_OPTION.CLIENT_SUBNET) {
      if (query.subnet.isPresent || !readClientSubnet(query.subnet, bytes, from, length)) return false;
    } else if (code === EDNS_OPTION.NSID) {
      if (length !== 0) return false;
      query.wantsNsid = true;
    }
  }
  return true;
}

/**
 *   family (2) | source prefix length (1) | scope prefix length (1) | address, ceil(source / 8) octets
 *
 * Malformed (RFC 7871 §6, §7.1.2): a family other than 1 or 2 (0 may stand with no address), a source
 * longer than an address, a scope other than 0, more or fewer octets than needed, bits set behind the source.
 */
function readClientSubnet(subnet: ClientSubnet, bytes: Uint8Array, from: number, length: number): boolean {
  if (length < 4) return false;
  const family = ((bytes[from] as number) << 8) | (bytes[from + 1] as number);
  const source = bytes[from + 2] as number;
  const bits = family === FAMILY.IPV4 ? 32 : family === FAMILY.IPV6 ? 128 : 0;
  if (family > FAMILY.IPV6 || source > bits || bytes[from + 3] !== 0) return false;
  const octets = length - 4;
  if (octets !== (source + 7) >> 3) return false;
  const spareBits = octets * 8 - source;
  if (spareBits > 0 && ((bytes[from + length - 1] as number) & ((1 << spareBits) - 1)) !== 0) return false;
  subnet.isPresent = true;
  subnet.family = family;
  subnet.sourceLength = source;
  subnet.word0 = readWord(bytes, from + 4, octets);
  subnet.word1 = readWord(bytes, from + 8, octets - 4);
  subnet.word2 = readWord(bytes, from + 12, octets - 8);
  subnet.word3 = readWord(bytes, from + 16, octets - 12);
  return true;
}

/** A 32-bit word of which only the first `octets` are there; the rest is zero. */
function readWord(bytes: Uint8Array, at: number, octets: number): number {
  if (octets <= 0) return 0;
  let word = (bytes[at] as number) << 24;
  if (octets > 1) word |= (bytes[at + 1] as number) << 16;
  if (octets > 2) word |= (bytes[at + 2] as number) << 8;
  if (octets > 3) word |= bytes[at + 3] as number;
  return word >>> 0;
}
