/** One test per rule of docs/spec/http2.md, section HPACK, for what peers send. */
import { describe, expect, test } from 'bun:test';
import { HpackDecoder, type HpackFault } from './decoder.ts';
import { decodeHex, indexed, tableBytes, tableOf } from './inspect.cases.ts';
import { STATIC_LINES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');
/** A string literal of fewer than 127 octets, without Huffman code. */
const literal = (text: string) => text.length.toString(16).padStart(2, '0') + hex(text);
/** A literal with incremental indexing and a new name. */
const added = (name: string, value: string) => `40${literal(name)}${literal(value)}`;
/** A dynamic table size update. */
function sizeOf(bytes: number): string {
  if (bytes < 31) return (0x20 | bytes).toString(16);
  const rest = bytes - 31;
  const octets = rest < 128 ? [rest] : [0x80 | (rest & 0x7f), rest >>> 7];
  return `3f${Buffer.from(octets).toString('hex')}`;
}

function decoderWith(...lines: [string, string][]): HpackDecoder {
  const decoder = new HpackDecoder(4_096);
  for (const [name, value] of lines) expect(decodeHex(decoder, added(name, value))).toEqual([name, value]);
  return decoder;
}

describe('tables', () => {
  test('HP1: indexes 1 to 61 are the static table', () => {
    const decoder = new HpackDecoder(4_096);
    expect(STATIC_LINES).toBe(61);
    for (let index = 1; index <= 61; index += 1) {
      const block = indexed(index);
      expect(decodeHex(decoder, block.toString('hex'))).toEqual([
        STATIC_NAMES[index] as string,
        STATIC_VALUES[index] as string,
      ]);
    }
    expect(decodeHex(decoder, 'bd')).toEqual(['www-authenticate', '']);
  });

  test('HP2: from 62 on they are the dynamic table, newest first, a line twice if it came twice', () => {
    const decoder = decoderWith(['a', '1'], ['b', '2'], ['a', '1']);
    expect(decodeHex(decoder, 'bebfc0')).toEqual(['a', '1', 'b', '2', 'a', '1']);
    expect(tableBytes(decoder)).toBe(3 * 34);
  });

  test('HP2: many lines, more than the ring had room for at first', () => {
    const decoder = new HpackDecoder(4_096);
    const names = Array.from({ length: 200 }, (_, i) => `name-${i}`);
    for (const name of names) decodeHex(decoder, added(name, ''));
    // 106 of some 38 bytes each fit in 4,096.
    const kept = tableOf(decoder).filter((_, i) => i % 2 === 0);
    expect(kept.length).toBeGreaterThan(64);
    expect(kept).toEqual(names.reverse().slice(0, kept.length));
  });

  const beyond: [string, string, string][] = [
    ['as a line', 'be', 'bf'],
    ['as a line, far', 'ffffff7f', 'ffffff7f'],
    ['as a name, with indexing', '7e0178', '7f000178'],
    ['as a name, without indexing', '0f2f0178', '0f300178'],
    ['as a name, never indexed', '1f2f0178', '1f300178'],
  ];
  test.each(beyond)('HP3: an index beyond both tables is a fault: %s', (_, behindNone, behindOne) => {
    expect(decodeHex(new HpackDecoder(4_096), behindNone)).toBe('hpack-index-invalid');
    expect(decodeHex(decoderWith(['a', '1']), behindNone)).toEqual(
      behindNone === behindOne ? 'hpack-index-invalid' : expect.any(Array),
    );
    expect(decodeHex(decoderWith(['a', '1']), behindOne)).toBe('hpack-index-invalid');
  });

  test('HP4: the order of representations is the order of the list, and octets come as they are', () => {
    const value = String.fromCharCode(...Array.from({ length: 100 }, (_, i) => i + 156));
    const wire = `84${added('X-Upper', value)}00${literal('\0')}${literal('\0\r\n')}82`;
    expect(decodeHex(new HpackDecoder(4_096), wire)).toEqual([
      ':path',
      '/',
      'X-Upper',
      value,
      '\0',
      '\0\r\n',
      ':method',
      'GET',
    ]);
  });

  test('HP5: Huffman code does not change the size of a line', () => {
    const plain = decoderWith([':authority', 'www.example.com']);
    const coded = new HpackDecoder(4_096);
    decodeHex(coded, '418cf1e3c2e5f23a6ba0ab90f4ff');
    expect(tableBytes(plain)).toBe(57);
    // The next line fits with the first in exactly 57 + 57, and not in a byte less.
    for (const decoder of [plain, coded]) {
      decodeHex(decoder, `${sizeOf(114)}418cf1e3c2e5f23a6ba0ab90f4ff`);
      expect(tableBytes(decoder)).toBe(114);
      decodeHex(decoder, `${sizeOf(113)}`);
      expect(tableBytes(decoder)).toBe(57);
    }
  });
});

describe('the size of the dynamic table', () => {
  const sizes: [number, number][] = [
    [4_096, 4_096],
    [65_536, 4_096],
    [256, 256],
    [0, 0],
  ];
  test.each(sizes)('HP6: with SETTINGS_HEADER_TABLE_SIZE %d it begins with %d', (settings, initial) => {
    const decoder = new HpackDecoder(settings);
    // A line of 64 bytes: name 1, value 31.
    for (let i = 0; i < 2_000; i += 1) decodeHex(decoder, added('a', '1'.repeat(31)));
    expect(tableBytes(decoder)).toBe(initial);
  });

  test('HP7: a change of size behind a line is a fault', () => {
    expect(decodeHex(new HpackDecoder(4_096), '8220')).toBe('hpack-table-size-misplaced');
    expect(decodeHex(new HpackDecoder(4_096), `${sizeOf(10)}82${sizeOf(5)}`)).toBe(
      'hpack-table-size-misplaced',
    );
  });

  test('HP7: several may stand at the beginning, the smallest takes effect, the last stays', () => {
    const decoder = decoderWith(['a', '1'], ['b', '2']);
    expect(decodeHex(decoder, `20${sizeOf(4_096)}82`)).toEqual([':method', 'GET']);
    expect(tableOf(decoder)).toEqual([]);
    decodeHex(decoder, added('c', '3'));
    expect(tableOf(decoder)).toEqual(['c', '3']);
  });

  test('HP8: a smaller size drops the oldest lines, 0 all', () => {
    const decoder = decoderWith(['a', '1'], ['b', '2'], ['c', '3']);
    decodeHex(decoder, sizeOf(101));
    expect(tableOf(decoder)).toEqual(['c', '3', 'b', '2']);
    decodeHex(decoder, sizeOf(68));
    expect(tableOf(decoder)).toEqual(['c', '3', 'b', '2']);
    decodeHex(decoder, '20');
    expect(tableOf(decoder)).toEqual([]);
  });

  test('HP9: the oldest make room, no more of them than are needed', () => {
    const decoder = decoderWith(['a', '1'], ['b', '2'], ['c', '3']);
    decodeHex(decoder, `${sizeOf(102)}${added('d', '4')}`);
    expect(tableOf(decoder)).toEqual(['d', '4', 'c', '3', 'b', '2']);
    decodeHex(decoder, added('e', '55'));
    expect(tableOf(decoder)).toEqual(['e', '55', 'd', '4']);
  });

  test('HP9: a line larger than the table empties it, and is in the list all the same', () => {
    const decoder = decoderWith(['a', '1'], ['b', '2']);
    const value = 'v'.repeat(68);
    expect(decodeHex(decoder, `${sizeOf(100)}${added('c', value)}`)).toEqual(['c', value]);
    expect(tableOf(decoder)).toEqual([]);
    expect(decodeHex(decoder, `20${added('d', '4')}`)).toEqual(['d', '4']);
    expect(tableOf(decoder)).toEqual([]);
  });

  test('HP10: a line may be named by one that is dropped for it', () => {
    const decoder = decoderWith(['name', '1']);
    expect(decodeHex(decoder, `${sizeOf(40)}7e${literal('22')}`)).toEqual(['name', '22']);
    expect(tableOf(decoder)).toEqual(['name', '22']);
  });

  test('HP20: the peer may choose a size up to our setting, and none above it', () => {
    for (const settings of [0, 30, 31, 4_096, 5_000]) {
      expect(decodeHex(new HpackDecoder(settings), sizeOf(settings))).toEqual([]);
      expect(decodeHex(new HpackDecoder(settings), sizeOf(settings + 1))).toBe('hpack-table-size-too-large');
    }
    const decoder = new HpackDecoder(5_000);
    decodeHex(decoder, sizeOf(5_000));
    for (let i = 0; i < 200; i += 1) decodeHex(decoder, added('a', '1'.repeat(17)));
    expect(tableBytes(decoder)).toBe(5_000);
  });
});

describe('integers and strings', () => {
  test('HP11: leading zeros within four octets are fine', () => {
    // Index 127 + 0 is not there, but the integer is; a length of 127 spelled with zeros.
    expect(decodeHex(new HpackDecoder(4_096), 'ff80808000')).toBe('hpack-index-invalid');
    const value = 'x'.repeat(127);
    expect(decodeHex(new HpackDecoder(4_096), `047f80808000${hex(value)}`)).toEqual([':path', value]);
  });

  test.each([
    'ff8080808000',
    'ffffffffff7f',
    'ff80808080',
    '7f80808080',
    '0f80808080',
    '3f80808080',
    '047f80808080',
  ])('HP11: an integer longer than that is a fault: %s', (wire) => {
    expect(decodeHex(new HpackDecoder(4_096), wire)).toBe('hpack-integer-too-large');
  });

  test('HP11: the largest integer is no negative number', () => {
    expect(decodeHex(new HpackDecoder(4_096), 'ffffffff7f')).toBe('hpack-index-invalid');
    expect(decodeHex(new HpackDecoder(4_096), '3fffffff7f')).toBe('hpack-table-size-too-large');
    expect(decodeHex(new HpackDecoder(4_096), '047fffffff7f')).toBe('hpack-block-truncated');
  });

  test('HP12: the first bit of a string tells Huffman code from octets', () => {
    expect(decodeHex(new HpackDecoder(4_096), '04811f')).toEqual([':path', 'a']);
    expect(decodeHex(new HpackDecoder(4_096), '04011f')).toEqual([':path', '\x1f']);
    expect(decodeHex(new HpackDecoder(4_096), '0480')).toEqual([':path', '']);
    expect(decodeHex(new HpackDecoder(4_096), '0400')).toEqual([':path', '']);
  });

  const huffman: [string, string, string[] | HpackFault][] = [
    // "a" is 00011, ":" 1011100, "&" 11111000.
    ['HP13: three bits of padding', '811f', [':path', 'a']],
    ['HP13: seven bits of padding', '8318ee7f', [':path', 'aa:']],
    ['HP13: eight bits of padding', '82f8ff', 'hpack-huffman-padding-invalid'],
    ['HP13: eleven bits of padding', '821fff', 'hpack-huffman-padding-invalid'],
    ['HP13: an octet of padding alone', '81ff', 'hpack-huffman-padding-invalid'],
    ['HP13: no padding', '81f8', [':path', '&']],
    ['HP14: padding of zeros', '8118', 'hpack-huffman-padding-invalid'],
    ['HP14: padding that ends in a zero', '811e', 'hpack-huffman-padding-invalid'],
    ['HP14: padding that begins with a zero', '811b', 'hpack-huffman-padding-invalid'],
    ['HP15: EOS alone', '84ffffffff', 'hpack-huffman-eos'],
    ['HP15: EOS behind a symbol', '851fffffffff', 'hpack-huffman-eos'],
    ['HP15: EOS before symbols', '85fffffffc63', 'hpack-huffman-eos'],
  ];
  test.each(huffman)('%s', (_, string, expected) => {
    expect(decodeHex(new HpackDecoder(4_096), `04${string}`)).toEqual(expected);
    // The same as a name.
    const asName = Array.isArray(expected) ? [expected[1] as string, ''] : expected;
    expect(decodeHex(new HpackDecoder(4_096), `00${string}00`)).toEqual(asName);
  });
});

describe('representations', () => {
  test('HP16: index 0 is a fault', () => {
    expect(decodeHex(new HpackDecoder(4_096), '80')).toBe('hpack-index-invalid');
  });

  const literals: [string, string, string, boolean][] = [
    ['HP17: with indexing, name indexed', '44', ':path', true],
    ['HP17: with indexing, name new', `40${literal('new')}`, 'new', true],
    ['HP18: without indexing, name indexed', '04', ':path', false],
    ['HP18: without indexing, name new', `00${literal('new')}`, 'new', false],
    ['HP18: without indexing, name indexed from 15 on', '0f01', 'accept-encoding', false],
    ['HP19: never indexed, name indexed', '14', ':path', false],
    ['HP19: never indexed, name new', `10${literal('new')}`, 'new', false],
  ];
  test.each(literals)('%s', (_, wire, name, isAdded) => {
    const decoder = decoderWith(['old', '1']);
    expect(decodeHex(decoder, wire + literal('v'))).toEqual([name, 'v']);
    expect(tableOf(decoder)).toEqual(isAdded ? [name, 'v', 'old', '1'] : ['old', '1']);
  });

  test('HP17: a name of the dynamic table', () => {
    const decoder = decoderWith(['old', '1']);
    expect(decodeHex(decoder, `7e${literal('2')}0f2f${literal('3')}1f30${literal('4')}`)).toEqual(
      'old 2 old 3 old 4'.split(' '),
    );
    expect(tableOf(decoder)).toEqual(['old', '2', 'old', '1']);
  });

  test('HP21: a block that ends within a representation is a fault, wherever', () => {
    const representations = [
      `40${literal('name')}${literal('value')}`,
      '418cf1e3c2e5f23a6ba0ab90f4ff',
      `0f30${literal('value')}`,
      '3fe11f',
      'ff80808000',
      `047f8001${hex('x'.repeat(255))}`,
    ];
    for (const wire of representations) {
      for (let end = 2; end < wire.length; end += 2) {
        expect(decodeHex(decoderWith(['old', '1'], ['old', '2']), wire.slice(0, end))).toBe(
          'hpack-block-truncated',
        );
      }
    }
  });

  test('HP21: an empty block is an empty list', () => {
    expect(decodeHex(new HpackDecoder(4_096), '')).toEqual([]);
  });

  test('HP21: nothing outside of the block is read', () => {
    const bytes = Buffer.from('828282', 'hex');
    const decoder = new HpackDecoder(4_096);
    expect(decoder.decode(bytes, 1, 2, { listBytesMax: 100, linesMax: 9 })).toEqual([':method', 'GET']);
    expect(decoder.decode(Buffer.from('04028282', 'hex'), 0, 3, { listBytesMax: 100, linesMax: 9 })).toBe(
      'hpack-block-truncated',
    );
  });
});
