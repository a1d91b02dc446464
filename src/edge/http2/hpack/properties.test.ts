/** What holds for any blocks: sound ones against a plain encoder with all of RFC 7541, and damaged or random ones. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type HpackBounds, HpackDecoder, type HpackFault } from './decoder.ts';
import { encodeField, encodeFieldPlain, fieldBytesMax } from './encoder.ts';
import { AMPLE, decodeHex, tableBytes, tableOf } from './inspect.cases.ts';
import {
  type BlockChoice,
  type Line,
  type LineChoice,
  ReferenceEncoder,
  sizeOfLine,
} from './reference-encoder.cases.ts';

const FAULTS: Record<HpackFault, true> = {
  'hpack-block-truncated': true,
  'hpack-index-invalid': true,
  'hpack-integer-too-large': true,
  'hpack-huffman-eos': true,
  'hpack-huffman-padding-invalid': true,
  'hpack-table-size-misplaced': true,
  'hpack-table-size-too-large': true,
};

const octets = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
/** Few names and values, so that the tables have many of the lines; and some that fill a table, or are too large for it. */
const name = fc.oneof(
  fc.constantFrom(':path', ':status', 'cookie', 'accept-encoding', 'x-a', 'x-b', '', 'n'.repeat(120)),
  octets(20),
);
const value = fc.oneof(
  fc.constantFrom('', '/', '200', 'gzip, deflate', 'v', 'w'.repeat(60), 'long '.repeat(60)),
  octets(40),
);
const lineChoice: fc.Arbitrary<LineChoice> = fc.record({
  line: fc.tuple(name, value),
  mayIndex: fc.boolean(),
  literal: fc.constantFrom('added', 'added', 'not-indexed', 'never-indexed'),
  which: fc.nat(3),
  mayIndexName: fc.boolean(),
  isHuffman: fc.boolean(),
  zeros: fc.nat(3),
});
const blockChoice: fc.Arbitrary<BlockChoice> = fc.record({
  sizes: fc.oneof(fc.constant([]), fc.array(fc.nat(5_000), { maxLength: 3 })),
  lines: fc.array(lineChoice, { maxLength: 12 }),
});
const limit = fc.constantFrom(0, 32, 100, 256, 1_000, 4_096, 10_000);
const blocks = fc.array(blockChoice, { minLength: 1, maxLength: 8 });

const flat = (lines: readonly Line[]) => lines.flatMap((line) => [...line]);

function decode(decoder: HpackDecoder, block: Buffer, bounds: HpackBounds = AMPLE) {
  return decoder.decode(block, 0, block.length, bounds);
}

/** The lines before the first that is over the bounds. */
function withinBounds(lines: readonly Line[], { listBytesMax, linesMax }: HpackBounds): readonly Line[] {
  let bytes = 0;
  const end = lines.findIndex((line, i) => {
    bytes += sizeOfLine(line);
    return bytes > listBytesMax || i >= linesMax;
  });
  return end < 0 ? lines : lines.slice(0, end);
}

describe('for any sound blocks', () => {
  test('HP1 to HP22: list and table are what the encoder meant', () => {
    fc.assert(
      fc.property(limit, blocks, (limit, blocks) => {
        const encoder = new ReferenceEncoder(limit);
        const decoder = new HpackDecoder(limit);
        for (const choice of blocks) {
          const list = decode(decoder, encoder.encodeBlock(choice));
          expect(list).toEqual(flat(choice.lines.map(({ line }) => line)));
          expect(decoder.isOverBounds).toBe(false);
          expect(tableOf(decoder)).toEqual(flat(encoder.table));
        }
      }),
      { numRuns: 400 },
    );
  });

  test('HP22: over the bounds the list is cut, and the table stays in step', () => {
    const bounds = fc.record({ listBytesMax: fc.nat(700), linesMax: fc.nat(8) });
    fc.assert(
      fc.property(limit, fc.array(fc.tuple(blockChoice, bounds), { maxLength: 8 }), (limit, blocks) => {
        const encoder = new ReferenceEncoder(limit);
        const decoder = new HpackDecoder(limit);
        for (const [choice, bounds] of blocks) {
          const lines = choice.lines.map(({ line }) => line);
          const list = decode(decoder, encoder.encodeBlock(choice), bounds);
          const expected = withinBounds(lines, bounds);
          expect(list).toEqual(flat(expected));
          expect(decoder.isOverBounds).toBe(expected.length < lines.length);
          expect(tableOf(decoder)).toEqual(flat(encoder.table));
        }
      }),
      { numRuns: 400 },
    );
  });

  test('connections do not touch one another, nor a list once given out', () => {
    fc.assert(
      fc.property(limit, blocks, blocks, (limit, ours, theirs) => {
        const encoders = [new ReferenceEncoder(limit), new ReferenceEncoder(limit)];
        const decoders = [new HpackDecoder(limit), new HpackDecoder(limit)];
        const given: [string[] | HpackFault, string[]][] = [];
        for (let i = 0; i < Math.max(ours.length, theirs.length); i += 1) {
          [ours[i], theirs[i]].forEach((choice, side) => {
            if (choice === undefined) return;
            const block = (encoders[side] as ReferenceEncoder).encodeBlock(choice);
            const list = decode(decoders[side] as HpackDecoder, block);
            // What the strings were made of may be used again.
            block.fill(0xff);
            given.push([list, flat(choice.lines.map(({ line }) => line))]);
          });
        }
        for (const [list, expected] of given) expect(list).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

describe('for any field', () => {
  const anyName = fc.oneof(name, octets(300));
  const anyValue = fc.oneof(value, octets(2_000));

  test('what is encoded is decoded again, has room, and leaves the table alone', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyName, anyValue, fc.boolean()), { maxLength: 8 }), (fields) => {
        const decoder = new HpackDecoder(4_096);
        const room = fields.reduce((sum, [name, value]) => sum + fieldBytesMax(name, value), 0);
        const target = Buffer.alloc(room + 1, 0xaa);
        let at = 0;
        for (const [name, value, isPlain] of fields) {
          const from = at;
          at = (isPlain ? encodeFieldPlain : encodeField)(target, at, name, value);
          expect(at - from).toBeLessThanOrEqual(fieldBytesMax(name, value));
        }
        expect(target[at]).toBe(0xaa);
        expect(decoder.decode(target, 0, at, AMPLE)).toEqual(
          flat(fields.map(([name, value]): Line => [name, value])),
        );
        expect(tableOf(decoder)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('HP23: for any bytes', () => {
  const bounds: HpackBounds = { listBytesMax: 2_000, linesMax: 20 };

  /** Decodes whatever it is; it may be refused, but nothing else may happen. */
  function survive(decoder: HpackDecoder, block: Buffer, limit: number): void {
    const list = decode(decoder, block, bounds);
    if (typeof list === 'string') {
      expect(FAULTS[list]).toBe(true);
    } else {
      expect(list.length % 2).toBe(0);
      expect(list.length).toBeLessThanOrEqual(2 * bounds.linesMax);
      expect(list.reduce((sum, text) => sum + text.length + 16, 0)).toBeLessThanOrEqual(bounds.listBytesMax);
    }
    expect(tableBytes(decoder)).toBeLessThanOrEqual(limit);
  }

  test('random ones', () => {
    fc.assert(
      fc.property(limit, fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (limit, blocks) => {
        const decoder = new HpackDecoder(limit);
        for (const block of blocks) survive(decoder, Buffer.from(block), limit);
      }),
      { numRuns: 2_000 },
    );
  });

  const damage = fc.array(
    fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'cut', 'double', 'remove')),
    {
      minLength: 1,
      maxLength: 4,
    },
  );

  test('sound ones that were damaged', () => {
    fc.assert(
      fc.property(limit, fc.array(fc.tuple(blockChoice, damage), { maxLength: 6 }), (limit, blocks) => {
        const encoder = new ReferenceEncoder(limit);
        const decoder = new HpackDecoder(limit);
        for (const [choice, changes] of blocks) {
          let block = encoder.encodeBlock(choice);
          for (const [place, octet, kind] of changes) {
            const at = place % (block.length + 1);
            if (kind === 'set') block[at] = octet;
            else if (kind === 'cut') block = block.subarray(0, at);
            else if (kind === 'double') block = Buffer.concat([block, block.subarray(at)]);
            else block = Buffer.concat([block.subarray(0, at), block.subarray(at + 1)]);
          }
          survive(decoder, block, limit);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('cut anywhere, a sound block gives its first lines or is truncated', () => {
    fc.assert(
      fc.property(blockChoice, (choice) => {
        const block = new ReferenceEncoder(4_096).encodeBlock(choice);
        const whole = flat(choice.lines.map(({ line }) => line));
        for (let end = 0; end <= block.length; end += 1) {
          const list = new HpackDecoder(4_096).decode(block, 0, end, AMPLE);
          if (typeof list === 'string') expect(list).toBe('hpack-block-truncated');
          else expect(list).toEqual(whole.slice(0, list.length));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('HP22: bombs', () => {
  const bounds: HpackBounds = { listBytesMax: 32_768, linesMax: 200 };

  test('a line of 4,064 bytes, and 100,000 times its index', () => {
    const decoder = new HpackDecoder(4_096);
    const line: Line = ['x', 'v'.repeat(4_063)];
    const add = new ReferenceEncoder(4_096).encodeBlock({
      sizes: [],
      lines: [
        {
          line,
          mayIndex: false,
          literal: 'added',
          which: 0,
          mayIndexName: false,
          isHuffman: false,
          zeros: 0,
        },
      ],
    });
    const list = decode(decoder, Buffer.concat([add, Buffer.alloc(100_000, 0xbe)]), bounds);
    expect(list).toEqual(flat(Array<Line>(8).fill(line)));
    expect(decoder.isOverBounds).toBe(true);
    expect(decodeHex(decoder, 'be')).toEqual([...line]);
    expect(decoder.isOverBounds).toBe(false);
  });

  test('100,000 short lines', () => {
    const decoder = new HpackDecoder(4_096);
    expect(decode(decoder, Buffer.alloc(100_000, 0x82), bounds)).toEqual(
      Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? ':method' : 'GET')),
    );
    expect(decoder.isOverBounds).toBe(true);
  });

  test('50,000 lines that each push another out of the table', () => {
    const decoder = new HpackDecoder(4_096);
    const list = decode(decoder, Buffer.alloc(100_000, Buffer.of(0x41, 0x00)), bounds);
    expect(list).toHaveLength(400);
    expect(tableBytes(decoder)).toBe(42 * Math.floor(4_096 / 42));
  });

  test('100,000 changes of the size', () => {
    expect(decode(new HpackDecoder(4_096), Buffer.alloc(100_000, 0x21))).toEqual([]);
  });

  test('a fault behind the bounds counts', () => {
    const decoder = new HpackDecoder(4_096);
    const few = { listBytesMax: 32_768, linesMax: 1 };
    expect(decodeHex(decoder, '8282', few)).toEqual([':method', 'GET']);
    expect(decodeHex(decoder, '828280', few)).toBe('hpack-index-invalid');
    expect(decodeHex(decoder, '82820484ffffffff', few)).toBe('hpack-huffman-eos');
    expect(decodeHex(decoder, '8282048118', few)).toBe('hpack-huffman-padding-invalid');
    expect(decodeHex(decoder, '828220', few)).toBe('hpack-table-size-misplaced');
  });
});
