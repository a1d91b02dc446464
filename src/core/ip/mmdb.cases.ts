/** Builds small MaxMind DB files for tests: a tree of 28-bit records over the networks given. */
import { addressBits, type IpAddress, wordOf } from './address.ts';
import { parsePrefix } from './prefix.ts';

export interface FixtureNetwork {
  readonly network: string;
  readonly city: string;
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
}

type Node = [Child, Child];
type Child = Node | number | null;

/** A database of the family with those of the networks that belong to it. */
export function buildMmdb(family: 4 | 6, networks: readonly FixtureNetwork[]): Uint8Array {
  const data: number[] = [];
  const root: Node = [null, null];
  for (const entry of networks) {
    const prefix = parsePrefix(entry.network);
    if (prefix === null || prefix.address.family !== family) continue;
    insert(root, prefix.address, prefix.length, data.length);
    writeMap(data, [
      ['city', text(entry.city)],
      ['country_code', text(entry.country)],
      ['latitude', float(entry.latitude)],
      ['longitude', float(entry.longitude)],
    ]);
  }
  const nodes = numbered(root);
  const tree = nodes.flatMap((node) => record28(node, nodes, data.length));
  const metadata: number[] = [];
  writeMap(metadata, [
    ['node_count', [0xc4, ...bytes(nodes.length, 4)]],
    ['record_size', [0xa2, ...bytes(28, 2)]],
    ['ip_version', [0xa2, ...bytes(family, 2)]],
    ['binary_format_major_version', [0xa2, ...bytes(2, 2)]],
    ['binary_format_minor_version', [0xa2, ...bytes(0, 2)]],
    ['build_epoch', [0x08, 0x02, ...bytes(1_700_000_000, 8)]],
    ['database_type', text('fixture')],
    ['languages', [0x00, 0x04]],
    ['description', [0xe0]],
  ]);
  const marker = [0xab, 0xcd, 0xef, ...Array.from('MaxMind.com', (letter) => letter.charCodeAt(0))];
  return Uint8Array.from([...tree, ...new Array<number>(16).fill(0), ...data, ...marker, ...metadata]);
}

function insert(root: Node, address: IpAddress, length: number, record: number): void {
  if (length > addressBits(address.family)) return;
  let node = root;
  for (let bit = 0; bit < length; bit += 1) {
    const side = (wordOf(address, bit >> 5) >>> (31 - (bit & 31))) & 1;
    if (bit === length - 1) {
      node[side] = record;
      return;
    }
    const child = node[side];
    // A shorter network above is pushed down, so that the longer one wins inside it.
    const below: Node = Array.isArray(child) ? child : [child ?? null, child ?? null];
    node[side] = below;
    node = below;
  }
}

function numbered(root: Node): Node[] {
  const nodes: Node[] = [root];
  for (const node of nodes) for (const child of node) if (Array.isArray(child)) nodes.push(child);
  return nodes;
}

function record28(node: Node, nodes: readonly Node[], dataOctets: number): number[] {
  const values = node.map((child) => {
    if (child === null) return nodes.length;
    if (Array.isArray(child)) return nodes.indexOf(child);
    if (child > dataOctets) throw new Error('a record lies behind the data');
    return nodes.length + 16 + child;
  });
  const [left = 0, right = 0] = values;
  const middle = ((left >>> 24) << 4) | (right >>> 24);
  return [...bytes(left, 4).slice(1), middle, ...bytes(right, 4).slice(1)];
}

function bytes(value: number, count: number): number[] {
  return Array.from(
    { length: count },
    (_, index) => Math.floor(value / 2 ** (8 * (count - 1 - index))) & 0xff,
  );
}

function text(value: string): number[] {
  const octets = [...new TextEncoder().encode(value)];
  return octets.length < 29 ? [0x40 | octets.length, ...octets] : [0x5d, octets.length - 29, ...octets];
}

function float(value: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [0x04, 0x08, ...new Uint8Array(view.buffer)];
}

function writeMap(into: number[], entries: readonly (readonly [string, readonly number[]])[]): void {
  into.push(0xe0 | entries.length);
  for (const [name, value] of entries) into.push(...text(name), ...value);
}
