/**
 * Decodes the field blocks of one direction of a connection (RFC 7541): whole blocks in the order in which they came,
 * for each one changes the dynamic table. Strict: whatever the RFC calls a decoding error is a named fault, and the
 * connection cannot be used any further, for the two sides' tables may differ.
 *
 * It leaves to its owner: putting a block's frames together within a bound, what names and values may contain, and
 * what to do with a list over the bounds.
 */

import type { Latin1Buffer } from '#platform/latin1-buffer.ts';
import { DynamicTable, LINE_OVERHEAD_BYTES } from './dynamic-table.ts';
import { decodeHuffman, HUFFMAN_EOS, huffmanDecodedBytesMax } from './huffman-decoder.ts';
import { HPACK_LIMITS } from './limits.ts';
import { STATIC_LINES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** What was wrong; each is a connection error of type COMPRESSION_ERROR (RFC 9113 §4.3). */
export type HpackFault =
  | 'hpack-block-truncated'
  | 'hpack-index-invalid'
  | 'hpack-integer-too-large'
  | 'hpack-huffman-eos'
  | 'hpack-huffman-padding-invalid'
  | 'hpack-table-size-misplaced'
  | 'hpack-table-size-too-large';

/** What a decoded list may hold. */
export interface HpackBounds {
  /** Size as in RFC 9113 §6.5.2: name, value and 32 for each line. */
  readonly listBytesMax: number;
  readonly linesMax: number;
}

/** The size of a dynamic table of which nothing has been said (RFC 9113 §6.5.2). */
const TABLE_BYTES_INITIAL = 4_096;

const NO_BYTES = Buffer.alloc(0) as Latin1Buffer;

/** Where Huffman code is decoded to before it becomes a string; it grows to what the longest block has needed. */
let decoded = Buffer.allocUnsafeSlow(HPACK_LIMITS.decodedBytesMin) as Latin1Buffer;

/** Where a list is put together, to be copied out when its length is known: cheaper than an array that grows. */
const gathered: string[] = [];

export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #tableBytesMax: number;
  #isOverBounds = false;

  /** The block being decoded, the next of its octets, and what was wrong with it. */
  #bytes = NO_BYTES;
  #at = 0;
  #to = 0;
  #fault: HpackFault | null = null;

  /** The literal read last. */
  #name = '';
  #value = '';

  /**
   * `tableBytesMax` is our SETTINGS_HEADER_TABLE_SIZE. A peer that may send a block before it has read our settings
   * (a client) takes 4,096 for granted: towards it give no less.
   */
  constructor(tableBytesMax: number) {
    this.#tableBytesMax = tableBytesMax;
    this.#table = new DynamicTable(Math.min(tableBytesMax, TABLE_BYTES_INITIAL));
  }

  /**
   * True after a block whose list was over the bounds: what was returned is cut short, but the table is in step, so
   * that the connection can live on.
   */
  get isOverBounds(): boolean {
    return this.#isOverBounds;
  }

  /**
   * Decodes one whole field block, bytes[from, to), to name, value, name, value, … as latin1 strings, names as they
   * were sent; or says what was wrong with it.
   */
  decode(bytes: Buffer, from: number, to: number, bounds: HpackBounds): string[] | HpackFault {
    this.#isOverBounds = false;
    this.#bytes = bytes as Latin1Buffer;
    this.#at = from;
    this.#to = to;
    this.#fault = null;
    this.#readTableSizes();
    const length = this.#readLines(bounds);
    this.#bytes = NO_BYTES;
    this.#name = '';
    this.#value = '';
    return this.#fault ?? gathered.slice(0, length);
  }

  /**
   * Reads representations (§6), told by their first bits, up to the end or a fault, and gathers their lines.
   * Returns how many strings those are. Indexed fields, by far the most, are read here and not by a call.
   */
  #readLines({ listBytesMax, linesMax }: HpackBounds): number {
    const table = this.#table;
    let bytesLeft = listBytesMax;
    let linesLeft = linesMax;
    let length = 0;
    while (this.#at < this.#to && this.#fault === null) {
      const first = this.#bytes[this.#at] as number;
      this.#at += 1;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = first < 0xff ? first & 0x7f : this.#readInteger(0x7f, 0x7f);
        const age = index - STATIC_LINES - 1;
        if (age < 0 && index > 0) {
          name = STATIC_NAMES[index] as string;
          value = STATIC_VALUES[index] as string;
        } else if (age >= 0 && age < table.lines) {
          name = table.name(age);
          value = table.value(age);
        } else {
          this.#fail('hpack-index-invalid');
          break;
        }
      } else {
        this.#readLiteral(first);
        name = this.#name;
        value = this.#value;
      }
      bytesLeft -= name.length + value.length + LINE_OVERHEAD_BYTES;
      linesLeft -= 1;
      if (bytesLeft < 0 || linesLeft < 0) {
        this.#isOverBounds = true;
      } else {
        gathered[length] = name;
        gathered[length + 1] = value;
        length += 2;
      }
    }
    return length;
  }

  /** §4.2: changes of the table's size stand at the beginning of a block only. */
  #readTableSizes(): void {
    while (this.#at < this.#to) {
      const first = this.#bytes[this.#at] as number;
      if (first >> 5 !== 0b001) return;
      this.#at += 1;
      const bytesMax = this.#readInteger(first & 0x1f, 0x1f);
      if (bytesMax < 0) return;
      if (bytesMax > this.#tableBytesMax) {
        this.#fail('hpack-table-size-too-large');
        return;
      }
      this.#table.resize(bytesMax);
    }
  }

  /**
   * A literal (§6.2). Never indexed (§6.2.3) is as good as not indexed (§6.2.2): nothing received is put into the
   * table of another connection.
   */
  #readLiteral(first: number): void {
    const isAdded = first >= 0x40;
    if (!isAdded && first >= 0x20) {
      this.#fail('hpack-table-size-misplaced');
      return;
    }
    const prefixMax = isAdded ? 0x3f : 0x0f;
    const index = this.#readInteger(first & prefixMax, prefixMax);
    if (index < 0) return;
    this.#name = index === 0 ? this.#readString(isAdded) : this.#nameAt(index);
    if (this.#fault !== null) return;
    this.#value = this.#readString(isAdded);
    if (isAdded && this.#fault === null) this.#table.add(this.#name, this.#value);
  }

  #nameAt(index: number): string {
    if (index <= STATIC_LINES) return STATIC_NAMES[index] as string;
    const age = index - STATIC_LINES - 1;
    if (age < this.#table.lines) return this.#table.name(age);
    this.#fail('hpack-index-invalid');
    return '';
  }

  /** An integer (§5.1) whose prefix has been read, or -1 after a fault. */
  #readInteger(prefix: number, prefixMax: number): number {
    if (prefix < prefixMax) return prefix;
    let value = prefixMax;
    for (let octets = 0; octets < HPACK_LIMITS.integerOctetsMax; octets += 1) {
      if (this.#at >= this.#to) return this.#fail('hpack-block-truncated');
      const octet = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (octet & 0x7f) << (7 * octets);
      if (octet < 0x80) return value;
    }
    return this.#fail('hpack-integer-too-large');
  }

  /**
   * A string literal (§5.2). Once the list is over the bounds a string is checked but not made, unless it is for
   * the table.
   */
  #readString(isForTable: boolean): string {
    if (this.#at >= this.#to) {
      this.#fail('hpack-block-truncated');
      return '';
    }
    const first = this.#bytes[this.#at] as number;
    this.#at += 1;
    const length = this.#readInteger(first & 0x7f, 0x7f);
    if (length < 0) return '';
    const from = this.#at;
    if (length > this.#to - from) {
      this.#fail('hpack-block-truncated');
      return '';
    }
    this.#at += length;
    const isNeeded = isForTable || !this.#isOverBounds;
    if (first >= 0x80) return this.#readHuffman(from, isNeeded);
    return isNeeded ? this.#bytes.latin1Slice(from, this.#at) : '';
  }

  #readHuffman(from: number, isNeeded: boolean): string {
    const bytesMax = huffmanDecodedBytesMax(this.#at - from);
    if (decoded.length < bytesMax) decoded = Buffer.allocUnsafeSlow(bytesMax) as Latin1Buffer;
    const length = decodeHuffman(this.#bytes, from, this.#at, decoded);
    if (length >= 0) return isNeeded ? decoded.latin1Slice(0, length) : '';
    this.#fail(length === HUFFMAN_EOS ? 'hpack-huffman-eos' : 'hpack-huffman-padding-invalid');
    return '';
  }

  /** The first fault is the one that is told. */
  #fail(fault: HpackFault): -1 {
    this.#fault ??= fault;
    return -1;
  }
}
