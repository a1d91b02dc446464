/**
 * The names we answer for, found by the hash that reading the query has computed already: open addressing
 * over typed arrays, so that a million names are a few flat blocks, and a look-up allocates nothing.
 *
 *   slots[hash & mask] → entry + 1, 0 for free; the next slot when another name sits there
 *   entry → hash, offset of its wire name in `names`, node, site hash
 */
import { hashName } from '../dns/query.ts';

export interface NameTable {
  readonly slots: Int32Array;
  readonly hashes: Uint32Array;
  readonly nameOffsets: Uint32Array;
  readonly names: Uint8Array;
  /** Index of the node that says what is at the name. */
  readonly nodes: Uint32Array;
  /** For steered names: what edges are chosen by. */
  readonly siteHashes: Uint32Array;
}

export interface NameEntry {
  /** Uncompressed, lower case. */
  readonly name: Uint8Array;
  readonly node: number;
  readonly siteHash: number;
}

/** Builds the table; names must be distinct. */
export function buildNameTable(entries: readonly NameEntry[]): NameTable {
  let slotCount = 16;
  while (slotCount < entries.length * 2) slotCount *= 2;
  const nameOctets = entries.reduce((sum, entry) => sum + entry.name.length, 0);
  const table = {
    slots: new Int32Array(slotCount),
    hashes: new Uint32Array(entries.length),
    nameOffsets: new Uint32Array(entries.length + 1),
    names: new Uint8Array(nameOctets),
    nodes: Uint32Array.from(entries, (entry) => entry.node),
    siteHashes: Uint32Array.from(entries, (entry) => entry.siteHash),
  };
  for (const [index, entry] of entries.entries()) {
    const offset = table.nameOffsets[index] ?? 0;
    table.names.set(entry.name, offset);
    table.nameOffsets[index + 1] = offset + entry.name.length;
    const hash = hashName(entry.name);
    table.hashes[index] = hash;
    let slot = hash & (slotCount - 1);
    while (table.slots[slot] !== 0) slot = (slot + 1) & (slotCount - 1);
    table.slots[slot] = index + 1;
  }
  return table;
}

/** Entry of the name in the first `length` octets of `name`; -1 when it is not there. */
export function findName(table: NameTable, name: Uint8Array, length: number, hash: number): number {
  const mask = table.slots.length - 1;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entry = (table.slots[slot] as number) - 1;
    if (entry < 0) return -1;
    if (table.hashes[entry] === hash && isNameOf(table, entry, name, length)) return entry;
  }
}

function isNameOf(table: NameTable, entry: number, name: Uint8Array, length: number): boolean {
  const offset = table.nameOffsets[entry] as number;
  if ((table.nameOffsets[entry + 1] as number) - offset !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (table.names[offset + index] !== name[index]) return false;
  }
  return true;
}
