/**
 * Non-cryptographic 32-bit hashing for placement: the same input picks the same edge on every machine.
 * Not for anything an attacker gains by colliding. FNV-1a over octets, finished with MurmurHash3's mixer.
 */

export const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Takes one octet into a running FNV-1a hash; begin with FNV_OFFSET, finish with `mix32`. */
export function addOctet(hash: number, octet: number): number {
  return Math.imul(hash ^ octet, FNV_PRIME);
}

/** Spreads every input bit over all 32 output bits; the result is an unsigned integer. */
export function mix32(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** One hash of an ordered pair of hashes. */
export function combine32(first: number, second: number): number {
  return mix32(Math.imul(first, 0x9e3779b1) ^ mix32(second + 0x7f4a7c15));
}

/** Hash of a text's UTF-16 code units. */
export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    hash = addOctet(addOctet(hash, unit & 0xff), unit >>> 8);
  }
  return mix32(hash);
}
