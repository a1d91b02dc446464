/** The bounds of header compression, with unit and reason. Those of a header list its caller gives. */

export const HPACK_LIMITS = {
  /**
   * Octets of an integer behind its prefix (RFC 7541 §5.1): four carry 28 bits, 256 MB, more than any string
   * or table; an integer that goes on is refused as too large.
   */
  integerOctetsMax: 4,
  /** Lines for which a dynamic table has room at first: most connections never hold more. A power of two. */
  ringLinesMin: 16,
  /** Bytes at first for decoding Huffman code: what nearly every field fits in. */
  decodedBytesMin: 4_096,
} as const;
