/**
 * IP addresses as four unsigned 32-bit words, so that the hot path compares and masks without strings,
 * objects or BigInt. Text forms: RFC 4291 §2.2 in, RFC 5952 out. Prefixes are in `prefix.ts`.
 */

/** An address that is overwritten for every packet. IPv4 uses `word0` alone; the others are 0 then. */
export interface AddressRegister {
  family: 4 | 6;
  word0: number;
  word1: number;
  word2: number;
  word3: number;
}

export type IpAddress = Readonly<AddressRegister>;

/** Bits of an address of the family. */
export function addressBits(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** Word `index` (0..3) of an address. */
export function wordOf(address: IpAddress, index: number): number {
  if (index === 0) return address.word0;
  if (index === 1) return address.word1;
  return index === 2 ? address.word2 : address.word3;
}

/** Reads a dotted-quad or colon address; null when it is neither. An IPv4-mapped one comes back as IPv4. */
export function parseAddress(text: string): IpAddress | null {
  if (text.length > 45) return null;
  if (!text.includes(':')) {
    const word = parseDottedQuad(text);
    return word === null ? null : { family: 4, word0: word, word1: 0, word2: 0, word3: 0 };
  }
  const groups = parseGroups(text);
  if (groups === null) return null;
  const word = (index: number): number => (((groups[index] ?? 0) << 16) | (groups[index + 1] ?? 0)) >>> 0;
  return unmapped({ family: 6, word0: word(0), word1: word(2), word2: word(4), word3: word(6) });
}

/** ::ffff:a.b.c.d (what a dual-stack socket reports for IPv4 peers) as the IPv4 address it stands for. */
function unmapped(address: IpAddress): IpAddress {
  const isMapped =
    address.family === 6 && address.word0 === 0 && address.word1 === 0 && address.word2 === 0xffff;
  return isMapped ? { family: 4, word0: address.word3, word1: 0, word2: 0, word3: 0 } : address;
}

function parseDottedQuad(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let word = 0;
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null;
    word = word * 256 + Number(part);
  }
  return word;
}

/** The eight 16-bit groups of a colon address, "::" filled in; null when malformed. */
function parseGroups(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroupList(halves[0] ?? '', halves.length === 1);
  if (head === null || halves.length === 1) return head?.length === 8 ? head : null;
  const tail = parseGroupList(halves[1] ?? '', true);
  if (tail === null || head.length + tail.length > 7) return null;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parseGroupList(text: string, mayEndInQuad: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const quad = mayEndInQuad && index === parts.length - 1 ? parseDottedQuad(part) : null;
    if (quad === null) return null;
    groups.push(quad >>> 16, quad & 0xffff);
  }
  return groups;
}

/** Text form: dotted quad, or RFC 5952 (lower case, the longest run of zero groups shortened). */
export function formatAddress(address: IpAddress): string {
  if (address.family === 4) return addressOctets(address).join('.');
  const groups: number[] = [];
  for (let index = 0; index < 4; index += 1) {
    const word = wordOf(address, index);
    groups.push(word >>> 16, word & 0xffff);
  }
  const gap = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** The address in the 4 or 16 octets of `bytes` from `at` on; an IPv4-mapped one comes back as IPv4. */
export function addressFromOctets(family: 4 | 6, bytes: Uint8Array, at: number): IpAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, addressBits(family) / 8);
  const word0 = view.getUint32(0);
  if (family === 4) return { family, word0, word1: 0, word2: 0, word3: 0 };
  return unmapped({
    family,
    word0,
    word1: view.getUint32(4),
    word2: view.getUint32(8),
    word3: view.getUint32(12),
  });
}

/** The 4 or 16 octets of an address in network order. */
export function addressOctets(address: IpAddress): Uint8Array {
  const octets = new Uint8Array(addressBits(address.family) / 8);
  for (let index = 0; index < octets.length; index += 1) {
    octets[index] = wordOf(address, index >> 2) >>> (24 - 8 * (index & 3));
  }
  return octets;
}
