/**
 * Where networks are: the compiled geography database, read in place from one byte array (mapped from its
 * file). A look-up is two short searches. Made by `geo-compile.ts`.
 *
 * An address is cut to 48 bits (a /48 is one site; IPv4 has 32) and these into a 32-bit block key and 16 bits:
 *
 *              key                low 16 bits          blocks   keys that have a range boundary, sorted
 *   IPv4   bits 0–15, zeros       bits 16–31           offsets  where each block's ranges begin
 *   IPv6   bits 0–31              bits 32–47           starts   low 16 bits of each range, ascending in a block
 *                                                      places   24-bit index of the place of each range
 *
 * Every block begins with a range at 0; a key between two blocks belongs to the last range of the former.
 * Place 0 is "nowhere known". All numbers are little-endian.
 */
import type { IpAddress } from './address.ts';

const GEO_FORMAT = 1;
const GEO_MAGIC = 0x4f454750; // "PGEO"

/** Counts at the head of the file, as u32 after magic and format, in this order; then the sections. */
export const GEO_HEADER_OCTETS = 40;

export interface GeoRanges {
  /** Leading bits of an address that its block key holds: 16 or 32. */
  readonly keyBits: 16 | 32;
  readonly blocks: Uint32Array;
  /** One more than blocks. */
  readonly offsets: Uint32Array;
  readonly starts: Uint16Array;
  readonly placesLow: Uint16Array;
  readonly placesHigh: Uint8Array;
  /** For each value of a key's first 16 bits, the first block at or behind it; 65,537 entries. */
  readonly firstBlock: Uint32Array;
}

export interface GeoTable {
  readonly ipv4: GeoRanges;
  readonly ipv6: GeoRanges;
  readonly placeCount: number;
  /** Hundredths of a degree. */
  readonly latitudes: Int16Array;
  readonly longitudes: Int16Array;
  /** Two ASCII letters, first in the high octet; 0: none. */
  readonly countries: Uint16Array;
  /** Offset of each place's name in `names`: a length octet, then UTF-8. */
  readonly nameOffsets: Uint32Array;
  readonly names: Uint8Array;
  /** Who made the data, under which licence. */
  readonly attribution: string;
}

/** What a look-up found, overwritten by the next one. */
export interface GeoRegister {
  place: number;
  /** Prefix length of the network around the address in which every address has this place. */
  scope: number;
}

/** Sizes of the sections, in file order; each begins at a multiple of 8. */
export interface GeoCounts {
  readonly blocks4: number;
  readonly ranges4: number;
  readonly blocks6: number;
  readonly ranges6: number;
  readonly places: number;
  readonly nameOctets: number;
  readonly attributionOctets: number;
}

/** Octets of every section, in file order. */
export function sectionOctets(counts: GeoCounts): number[] {
  const ranges = (blocks: number, count: number): number[] => [
    blocks * 4,
    (blocks + 1) * 4,
    count * 2,
    count * 2,
    count,
  ];
  const { places } = counts;
  return [
    ...ranges(counts.blocks4, counts.ranges4),
    ...ranges(counts.blocks6, counts.ranges6),
    ...[places * 2, places * 2, places * 2, places * 4],
    counts.nameOctets,
    counts.attributionOctets,
  ];
}

/** Writes magic, format and counts. */
export function writeGeoHeader(view: DataView, counts: GeoCounts): void {
  const { blocks4, ranges4, blocks6, ranges6, places, nameOctets, attributionOctets } = counts;
  const fields = [
    GEO_MAGIC,
    GEO_FORMAT,
    blocks4,
    ranges4,
    blocks6,
    ranges6,
    places,
    nameOctets,
    attributionOctets,
  ];
  for (const [index, field] of fields.entries()) view.setUint32(index * 4, field, true);
}

export function alignedOctets(octets: number): number {
  return (octets + 7) & ~7;
}

/** Opens a compiled database; a text that says what is wrong when it is none. `bytes` stays in use. */
export function openGeoTable(bytes: Uint8Array): GeoTable | string {
  if (bytes.length < GEO_HEADER_OCTETS || bytes.byteOffset % 8 !== 0) return 'too short, or not aligned';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (index: number): number => view.getUint32(index * 4, true);
  if (field(0) !== GEO_MAGIC || field(1) !== GEO_FORMAT) return 'not a geography file of this version';
  const counts: GeoCounts = {
    blocks4: field(2),
    ranges4: field(3),
    blocks6: field(4),
    ranges6: field(5),
    places: field(6),
    nameOctets: field(7),
    attributionOctets: field(8),
  };
  const offsets: number[] = [];
  let end = GEO_HEADER_OCTETS;
  for (const octets of sectionOctets(counts)) {
    offsets.push(end);
    end += alignedOctets(octets);
  }
  if (end !== bytes.length) return `${bytes.length} octets long where its header says ${end}`;
  return readSections(bytes, offsets, counts);
}

function readSections(bytes: Uint8Array, offsets: readonly number[], counts: GeoCounts): GeoTable {
  const at = (section: number): number => bytes.byteOffset + (offsets[section] ?? 0);
  const octets = (section: number, length: number): Uint8Array =>
    new Uint8Array(bytes.buffer, at(section), length);
  const words = (section: number, length: number): Uint32Array =>
    new Uint32Array(bytes.buffer, at(section), length);
  const halves = (section: number, length: number): Uint16Array =>
    new Uint16Array(bytes.buffer, at(section), length);
  const ranges = (keyBits: 16 | 32, first: number, blockCount: number, count: number): GeoRanges => {
    const blocks = words(first, blockCount);
    return {
      keyBits,
      blocks,
      offsets: words(first + 1, blockCount + 1),
      starts: halves(first + 2, count),
      placesLow: halves(first + 3, count),
      placesHigh: octets(first + 4, count),
      firstBlock: indexBlocks(blocks),
    };
  };
  return {
    ipv4: ranges(16, 0, counts.blocks4, counts.ranges4),
    ipv6: ranges(32, 5, counts.blocks6, counts.ranges6),
    placeCount: counts.places,
    latitudes: new Int16Array(bytes.buffer, at(10), counts.places),
    longitudes: new Int16Array(bytes.buffer, at(11), counts.places),
    countries: halves(12, counts.places),
    nameOffsets: words(13, counts.places),
    names: octets(14, counts.nameOctets),
    attribution: decodeUtf8(octets(15, counts.attributionOctets)),
  };
}

function indexBlocks(blocks: Uint32Array): Uint32Array {
  const firstBlock = new Uint32Array(65_537).fill(blocks.length);
  let next = 0;
  for (let block = 0; block < blocks.length; block += 1) {
    const bucket = (blocks[block] as number) >>> 16;
    while (next <= bucket) {
      firstBlock[next] = block;
      next += 1;
    }
  }
  return firstBlock;
}

/** Finds the place of an address and how far around the address it holds. */
export function lookupGeo(table: GeoTable, address: IpAddress, found: GeoRegister): void {
  if (address.family === 4) {
    findIn(table.ipv4, (address.word0 & 0xffff0000) >>> 0, address.word0 & 0xffff, found);
  } else {
    findIn(table.ipv6, address.word0, address.word1 >>> 16, found);
  }
}

function findIn(ranges: GeoRanges, key: number, low: number, found: GeoRegister): void {
  const block = lastBlockUpTo(ranges, key);
  if (block < 0 || ranges.blocks[block] !== key) {
    setBetweenBlocks(ranges, block, key, found);
    return;
  }
  const first = ranges.offsets[block] as number;
  const end = ranges.offsets[block + 1] as number;
  let from = first;
  let to = end - 1;
  while (from < to) {
    const middle = (from + to + 1) >> 1;
    if ((ranges.starts[middle] as number) > low) to = middle - 1;
    else from = middle;
  }
  // Bits shared with the last address before the range and with the first one behind it; clz32 counts 16 too many.
  let shared = 15;
  if (from > first) shared = Math.clz32(low ^ ((ranges.starts[from] as number) - 1));
  if (from + 1 < end) shared = Math.max(shared, Math.clz32(low ^ (ranges.starts[from + 1] as number)));
  found.place = placeOf(ranges, from);
  found.scope = ranges.keyBits + shared - 15;
}

function setBetweenBlocks(ranges: GeoRanges, former: number, key: number, found: GeoRegister): void {
  let scope = 0;
  if (former >= 0) scope = Math.clz32(key ^ (ranges.blocks[former] as number)) + 1;
  if (former + 1 < ranges.blocks.length) {
    scope = Math.max(scope, Math.clz32(key ^ (ranges.blocks[former + 1] as number)) + 1);
  }
  found.place = former < 0 ? 0 : placeOf(ranges, (ranges.offsets[former + 1] as number) - 1);
  found.scope = scope;
}

/** The last block whose key is at or before `key`; -1 when none is. */
function lastBlockUpTo(ranges: GeoRanges, key: number): number {
  const bucket = key >>> 16;
  let low = (ranges.firstBlock[bucket] as number) - 1;
  let high = (ranges.firstBlock[bucket + 1] as number) - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ranges.blocks[middle] as number) > key) high = middle - 1;
    else low = middle;
  }
  return low;
}

function placeOf(ranges: GeoRanges, range: number): number {
  return (ranges.placesLow[range] as number) | ((ranges.placesHigh[range] as number) << 16);
}

/** ISO 3166 code of a place's country; null when unknown. */
export function countryOf(table: GeoTable, place: number): string | null {
  const code = table.countries[place] ?? 0;
  return code === 0 ? null : String.fromCharCode(code >> 8, code & 0xff);
}

/** Name of a place's city; empty when unknown. */
export function cityOf(table: GeoTable, place: number): string {
  const offset = table.nameOffsets[place] ?? 0;
  const length = table.names[offset] ?? 0;
  return decodeUtf8(table.names.subarray(offset + 1, offset + 1 + length));
}

/** UTF-8 to text by what the language alone offers; octets that are no UTF-8 read as Latin-1. */
function decodeUtf8(octets: Uint8Array): string {
  let escaped = '';
  let plain = '';
  for (const octet of octets) {
    escaped += `%${(octet + 256).toString(16).slice(1)}`;
    plain += String.fromCharCode(octet);
  }
  try {
    return decodeURIComponent(escaped);
  } catch {
    return plain;
  }
}
