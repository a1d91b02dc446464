/** What tests of this folder share: blocks written as hexadecimal text, and looking into a decoder's dynamic table. */
import type { HpackBounds, HpackDecoder, HpackFault } from './decoder.ts';
import { STATIC_LINES } from './static-table.ts';

/** Bounds that nothing in a test exceeds by chance. */
export const AMPLE: HpackBounds = { listBytesMax: 1_000_000, linesMax: 10_000 };

/** Decodes a block written in hexadecimal; white space does not matter. */
export function decodeHex(decoder: HpackDecoder, wire: string, bounds = AMPLE): string[] | HpackFault {
  const bytes = Buffer.from(wire.replace(/\s/g, ''), 'hex');
  return decoder.decode(bytes, 0, bytes.length, bounds);
}

/** An indexed field (RFC 7541 §6.1). */
export function indexed(index: number): Buffer {
  if (index < 0x7f) return Buffer.of(0x80 | index);
  const octets = [0xff];
  let rest = index - 0x7f;
  for (; rest >= 0x80; rest >>>= 7) octets.push(0x80 | (rest & 0x7f));
  return Buffer.from([...octets, rest]);
}

/** The dynamic table, newest first: each index is asked for until one is not there. Changes nothing. */
export function tableOf(decoder: HpackDecoder): string[] {
  const table: string[] = [];
  for (let index = STATIC_LINES + 1; ; index += 1) {
    const block = indexed(index);
    const line = decoder.decode(block, 0, block.length, AMPLE);
    if (typeof line === 'string') return table;
    table.push(...line);
  }
}

/** Its size as RFC 7541 §4.1 counts it. */
export function tableBytes(decoder: HpackDecoder): number {
  return tableOf(decoder).reduce((bytes, text) => bytes + text.length + 16, 0);
}
