/** One test per rule of docs/spec/http2.md, section HPACK, for what we send. */
import { describe, expect, test } from 'bun:test';
import { HpackDecoder } from './decoder.ts';
import { encodeField, encodeFieldPlain, encodeStatus, fieldBytesMax } from './encoder.ts';
import { AMPLE } from './inspect.cases.ts';
import { STATIC_LINES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** What was written, in hexadecimal; nothing before or behind it has been touched. */
function written(bytesMax: number, encode: (target: Buffer, at: number) => number): string {
  const target = Buffer.alloc(bytesMax + 4, 0xaa);
  const end = encode(target, 2);
  expect(end).toBeLessThanOrEqual(2 + bytesMax);
  expect(target.subarray(0, 2).toString('hex')).toBe('aaaa');
  expect(target.subarray(end).every((octet) => octet === 0xaa)).toBe(true);
  return target.subarray(2, end).toString('hex');
}

const field = (name: string, value: string) =>
  written(fieldBytesMax(name, value), (target, at) => encodeField(target, at, name, value));
const fieldPlain = (name: string, value: string) =>
  written(fieldBytesMax(name, value), (target, at) => encodeFieldPlain(target, at, name, value));

describe('encoder', () => {
  test('HP24: a line of the static table is its index', () => {
    for (let index = 1; index <= STATIC_LINES; index += 1) {
      const [name, value] = [STATIC_NAMES[index] as string, STATIC_VALUES[index] as string];
      if (['authorization', 'cookie', 'proxy-authorization', 'set-cookie'].includes(name)) continue;
      expect(field(name, value)).toBe((0x80 | index).toString(16));
      expect(fieldPlain(name, value)).toBe((0x80 | index).toString(16));
    }
  });

  const lines: [string, string, string, string, string][] = [
    ['a static name below 15', ':path', '/~', '04022f7e', '04022f7e'],
    ['a static name of 15', 'accept-charset', '<', '0f00013c', '0f00013c'],
    ['a static name above 15', 'age', '1234', '0f068308996b', '0f060431323334'],
    ['the last static name', 'www-authenticate', '#', '0f2e0123', '0f2e0123'],
    ['a new name', 'x', '\0', '0001780100', '0001780100'],
    ['no name at all', '', '', '000000', '000000'],
    ['an empty value', 'x', '', '00017800', '00017800'],
  ];
  test.each(lines)('HP24: literals are not indexed: %s', (_, name, value, coded, plain) => {
    expect(fieldPlain(name, value)).toBe(plain);
    expect(field(name, value)).toBe(coded);
  });

  test.each(['authorization', 'cookie', 'proxy-authorization', 'set-cookie'])('HP26: %s', (name) => {
    for (const encoded of [field(name, 'secret'), fieldPlain(name, 'secret'), field(name, '')]) {
      expect(Number.parseInt(encoded.slice(0, 2), 16) >> 4).toBe(0b0001);
    }
  });

  test('HP25: Huffman code where it is shorter, filled up with ones', () => {
    expect(field(':authority', 'www.example.com')).toBe('018cf1e3c2e5f23a6ba0ab90f4ff');
    expect(field('custom-key', 'custom-value')).toBe('008825a849e95ba97d7f8925a849e95bb8e8b4bf');
    // As long in Huffman code as without: without, which is read faster.
    expect(field('x', '~')).toBe('000178017e');
    expect(fieldPlain(':authority', 'www.example.com')).toBe(
      `010f${Buffer.from('www.example.com').toString('hex')}`,
    );
  });

  test('HP25: every octet, at every place within an octet of the code', () => {
    const decoder = new HpackDecoder(0);
    for (let octet = 0; octet <= 255; octet += 1) {
      for (let shift = 0; shift < 8; shift += 1) {
        // Between enough letters of five bits that Huffman code is the shorter.
        const value = `${'a'.repeat(20 + shift)}${String.fromCharCode(octet)}${'e'.repeat(20)}`;
        const block = Buffer.from(field('x', value), 'hex');
        expect((block[3] as number) >> 7).toBe(1);
        expect(decoder.decode(block, 0, block.length, AMPLE)).toEqual(['x', value]);
      }
    }
  });

  test.each([126, 127, 128, 254, 255, 16_510, 16_511, 70_000])('long values, %d octets', (length) => {
    for (const octet of ['a', '\xff']) {
      const value = octet.repeat(length);
      for (const encode of [encodeField, encodeFieldPlain]) {
        const target = Buffer.alloc(fieldBytesMax('name', value));
        const end = encode(target, 0, 'name', value);
        expect(new HpackDecoder(0).decode(target, 0, end, AMPLE)).toEqual(['name', value]);
      }
    }
  });

  test('every status there can be', () => {
    const decoder = new HpackDecoder(0);
    for (let status = 100; status <= 999; status += 1) {
      const block = Buffer.from(
        written(5, (target, at) => encodeStatus(target, at, status)),
        'hex',
      );
      expect(block.length).toBe([200, 204, 206, 304, 400, 404, 500].includes(status) ? 1 : 5);
      expect(decoder.decode(block, 0, block.length, AMPLE)).toEqual([':status', String(status)]);
    }
  });
});
