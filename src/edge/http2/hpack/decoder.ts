/**
 * Decodes the field blocks of one direction of a connection (RFC 7541): whole blocks in the order in which they came,
 * for each one changes the dynamic table. Strict: whatever the RFC calls a decoding error is a named fault, and the
 * connection cannot be used any further, for the two sides' tables may differ.
 *
 * It leaves to its owner: putting a block's frames together within a bound, what names and values may contain, and
 * what to do with a list over the bounds.
 */
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

const NO_BYTES = Buffer.alloc(0);

/** Where Huffman code is decoded to before it becomes a string; it grows to what the longest block has needed. */
let decoded = Buffer.allocUnsafeSlow(HPACK_LIMITS.decodedBytesMin);

export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #tableBytesMax: number;
  #isOverBounds = false;

  /** The block being decoded, and the next of its octets. */
  #bytes: Buffer = NO_BYTES;
  #at = 0;
  #to = 0;
  #fault: HpackFault | null = null;

  /** The list so far, and what it may still take. */
  #list: string[] = [];
  #bytesLeft = 0;
  #linesLeft = 0;

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
    const list: string[] = [];
    this.#isOverBounds = false;
    this.#bytes = bytes;
    this.#at = from;
    this.#to = to;
    this.#fault = null;
    this.#list = list;
    this.#bytesLeft = bounds.listBytesMax;
    this.#linesLeft = bounds.linesMax;
    this.#readTableSizes();
    while (this.#at < to && this.#fault === null) this.#readLine();
    this.#bytes = NO_BYTES;
    this.#list = [];
    return this.#fault ?? list;
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

  /** One representation (§6), told by its first bits. */
  #readLine(): void {
    const first = this.#bytes[this.#at] as number;
    this.#at += 1;
    if (first >= 0x80) this.#readIndexed(first);
    else if (first >= 0x40) this.#readLiteral(first & 0x3f, 0x3f, true);
    else if (first >= 0x20) this.#fail('hpack-table-size-misplaced');
    // Never indexed (§6.2.3) or just not indexed (§6.2.2): nothing of a request is compressed again on its way.
    else this.#readLiteral(first & 0x0f, 0x0f, false);
  }

  #readIndexed(first: number): void {
    const index = this.#readInteger(first & 0x7f, 0x7f);
    if (index <= STATIC_LINES) {
      if (index > 0) this.#append(STATIC_NAMES[index] as string, STATIC_VALUES[index] as string);
      else if (index === 0) this.#fail('hpack-index-invalid');
      return;
    }
    const age = index - STATIC_LINES - 1;
    if (age < this.#table.lines) this.#append(this.#table.name(age), this.#table.value(age));
    else this.#fail('hpack-index-invalid');
  }

  #readLiteral(prefix: number, prefixMax: number, isAdded: boolean): void {
    const index = this.#readInteger(prefix, prefixMax);
    if (index < 0) return;
    const name = index === 0 ? this.#readString(isAdded) : this.#nameAt(index);
    if (this.#fault !== null) return;
    const value = this.#readString(isAdded);
    if (this.#fault !== null) return;
    if (isAdded) this.#table.add(name, value);
    this.#append(name, value);
  }

  #nameAt(index: number): string {
    if (index <= STATIC_LINES) return STATIC_NAMES[index] as string;
    const age = index - STATIC_LINES - 1;
    if (age < this.#table.lines) return this.#table.name(age);
    this.#fail('hpack-index-invalid');
    return '';
  }

  /** Adds a line to the list, unless that would take it, or a line before has taken it, over the bounds. */
  #append(name: string, value: string): void {
    this.#bytesLeft -= name.length + value.length + LINE_OVERHEAD_BYTES;
    this.#linesLeft -= 1;
    if (this.#bytesLeft < 0 || this.#linesLeft < 0 || this.#isOverBounds) this.#isOverBounds = true;
    else this.#list.push(name, value);
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
    return isNeeded ? this.#bytes.toString('latin1', from, this.#at) : '';
  }

  #readHuffman(from: number, isNeeded: boolean): string {
    const bytesMax = huffmanDecodedBytesMax(this.#at - from);
    if (decoded.length < bytesMax) decoded = Buffer.allocUnsafeSlow(bytesMax);
    const length = decodeHuffman(this.#bytes, from, this.#at, decoded);
    if (length >= 0) return isNeeded ? decoded.toString('latin1', 0, length) : '';
    this.#fail(length === HUFFMAN_EOS ? 'hpack-huffman-eos' : 'hpack-huffman-padding-invalid');
    return '';
  }

  #fail(fault: HpackFault): -1 {
    this.#fault = fault;
    return -1;
  }
}
