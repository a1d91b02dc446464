/** Field blocks of HTTP/2: several on one connection, whose dynamic table each of them may change. */

import { CLIENT_BLOCKS } from '#edge/http2/hpack/client-blocks.cases.ts';
import { HpackDecoder } from '#edge/http2/hpack/decoder.ts';
import { encodeField, fieldBytesMax } from '#edge/http2/hpack/encoder.ts';
import { decodeHuffman, huffmanDecodedBytesMax } from '#edge/http2/hpack/huffman-decoder.ts';
import { encodeHuffman, huffmanBytes } from '#edge/http2/hpack/huffman-encoder.ts';
import { tableBytes, tableOf } from '#edge/http2/hpack/inspect.cases.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual, piecesOf } from '../target.ts';

const TABLE_BYTES = 4_096;
const BOUNDS = { listBytesMax: 16_384, linesMax: 100 };

const hpack: FuzzTarget = {
  name: 'hpack',
  corpus: [
    ...Object.values(CLIENT_BLOCKS)
      .flat()
      .map((hex) => Buffer.from(hex, 'hex')),
    Buffer.from('828684410f7777772e6578616d706c652e636f6d', 'hex'),
    Buffer.from('3fe11f4003666f6f03626172be', 'hex'),
    Buffer.from('2020203fe10f', 'hex'),
    Buffer.from('7fffffff0f', 'hex'),
  ],
  tokens: latin1(
    '\x80',
    '\x82',
    '\xbe',
    '\xff\x80\x00',
    '\x40',
    '\x00',
    '\x10',
    '\x20',
    '\x3f\xe1\x1f',
    '\x7f',
    '\x8c',
    '\xff',
    '\x01a',
    '\x81\xff',
  ),
  runs: 5_000,
  /** The pieces are blocks, one after the other. */
  check(input, cuts) {
    const first = new HpackDecoder(TABLE_BYTES);
    const second = new HpackDecoder(TABLE_BYTES);
    for (const block of piecesOf(input, cuts)) {
      const lines = first.decode(block, 0, block.length, BOUNDS);
      // Where the block lies must not matter.
      const moved = Buffer.concat([Buffer.of(0xff), block, Buffer.of(0xff)]);
      mustEqual('the same block is the same', second.decode(moved, 1, moved.length - 1, BOUNDS), lines);
      if (typeof lines === 'string') return;
      mustBe('names and values come in pairs', lines.length % 2 === 0 && lines.length <= 2 * BOUNDS.linesMax);
      const bytes = lines.reduce((sum, text) => sum + text.length + 16, 0);
      mustBe(`a list is bounded: ${bytes}`, bytes <= BOUNDS.listBytesMax);
      mustBe('and so is the table', tableBytes(first) <= TABLE_BYTES);
      mustEqual('both have the same table', tableOf(first), tableOf(second));
      if (!first.isOverBounds) mustReadBack(lines);
    }
  },
};

function mustReadBack(lines: readonly string[]): void {
  let target = Buffer.alloc(0);
  for (let i = 0; i < lines.length; i += 2) {
    const [name, value] = [lines[i] as string, lines[i + 1] as string];
    const line = Buffer.alloc(fieldBytesMax(name, value));
    target = Buffer.concat([target, line.subarray(0, encodeField(line, 0, name, value))]);
  }
  const again = new HpackDecoder(TABLE_BYTES).decode(target, 0, target.length, BOUNDS);
  mustEqual('what we write of them reads the same', again, lines);
}

const huffman: FuzzTarget = {
  name: 'huffman',
  corpus: latin1(
    'www.example.com',
    'no-cache',
    'Mon, 21 Oct 2013 20:13:21 GMT',
    '\x00\xff\xfe\x16',
    '{"a": 1}',
  ),
  tokens: latin1('a', '0', '\xff', '\x00', '\\', '<', '~~~'),
  runs: 5_000,
  check(input) {
    const text = input.toString('latin1');
    const code = Buffer.alloc(huffmanBytes(text));
    mustEqual('a text has the length that was said', encodeHuffman(code, 0, text), code.length);
    const decoded = Buffer.alloc(huffmanDecodedBytesMax(code.length));
    const length = decodeHuffman(code, 0, code.length, decoded);
    mustEqual('code reads as what was coded', decoded.toString('latin1', 0, Math.max(0, length)), text);
    const noise = Buffer.alloc(huffmanDecodedBytesMax(input.length));
    const end = decodeHuffman(input, 0, input.length, noise);
    mustBe('any bytes are within the bound', end <= noise.length);
    if (end < 0) return;
    const again = Buffer.alloc(huffmanBytes(noise.toString('latin1', 0, end)));
    encodeHuffman(again, 0, noise.toString('latin1', 0, end));
    mustEqual('what reads as text is the code of that text', again.toString('hex'), input.toString('hex'));
  },
};

export const HPACK_TARGETS: readonly FuzzTarget[] = [hpack, huffman];
