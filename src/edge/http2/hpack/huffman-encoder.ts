/** Encodes strings in the Huffman code of RFC 7541 §5.2; whether that is worth it, its caller decides. */
import { CODE_BITS, CODES } from './huffman-code.ts';

/** Octets that a latin1 string takes in Huffman code. */
export function huffmanBytes(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i += 1) bits += CODE_BITS[text.charCodeAt(i) & 0xff] as number;
  return (bits + 7) >>> 3;
}

/** Writes a latin1 string in Huffman code; returns the position behind it. */
export function encodeHuffman(target: Uint8Array, at: number, text: string): number {
  let end = at;
  // The lowest `pending` bits are still to be written; what lies above them has been.
  let bits = 0;
  let pending = 0;
  for (let i = 0; i < text.length; i += 1) {
    const octet = text.charCodeAt(i) & 0xff;
    let codeBits = CODE_BITS[octet] as number;
    let code = CODES[octet] as number;
    if (codeBits > 24) {
      // Up to seven bits are pending: with more than 24 the accumulator's 32 would not do.
      codeBits -= 16;
      bits = (bits << codeBits) | (code >>> 16);
      pending += codeBits;
      while (pending >= 8) {
        pending -= 8;
        target[end] = bits >>> pending;
        end += 1;
      }
      code &= 0xffff;
      codeBits = 16;
    }
    bits = (bits << codeBits) | code;
    pending += codeBits;
    while (pending >= 8) {
      pending -= 8;
      target[end] = bits >>> pending;
      end += 1;
    }
  }
  if (pending > 0) {
    // Filled up with the first bits of EOS, which are ones.
    target[end] = (bits << (8 - pending)) | (0xff >>> pending);
    end += 1;
  }
  return end;
}
