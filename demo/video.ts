/**
 * The shop's film: a slow walk along a shelf of its products, as an MP4 file (ISO/IEC 14496-12 and -15)
 * around the H.264 frames of `video-frames.ts`. About 8 MB, 8 seconds; the index comes first, so that a
 * player can start, and jump by range requests, before it has everything.
 */
import { paintPixel } from './picture.ts';
import { PRODUCTS, type Product } from './shop-products.ts';
import {
  encodeFrame,
  encodePictureParameters,
  encodeSequenceParameters,
  FRAME_HEIGHT,
  FRAME_WIDTH,
  type Planes,
} from './video-frames.ts';

const FRAMES = 96;
const FRAMES_PER_SECOND = 12;
/** Samples the camera moves per frame; even, because colour has half the resolution. */
const STEP = 8;
const SHELF_WIDTH = FRAME_WIDTH + FRAMES * STEP;

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

function box(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

/** Paints the shelf once, in the video's colours (BT.601, studio range); frames are windows on it. */
function paintShelf(products: readonly Product[]): Planes {
  const y = new Uint8Array(SHELF_WIDTH * FRAME_HEIGHT);
  const cb = new Uint8Array((SHELF_WIDTH / 2) * (FRAME_HEIGHT / 2));
  const cr = new Uint8Array((SHELF_WIDTH / 2) * (FRAME_HEIGHT / 2));
  for (let row = 0; row < FRAME_HEIGHT; row += 1) {
    for (let column = 0; column < SHELF_WIDTH; column += 1) {
      const product = products[Math.floor(column / FRAME_HEIGHT) % products.length];
      if (product === undefined) continue;
      const x = ((column % FRAME_HEIGHT) / FRAME_HEIGHT) * 2 - 1;
      const painted = paintPixel(product, x, (row / FRAME_HEIGHT) * 2 - 1, 2 / FRAME_HEIGHT);
      const [red, green, blue] = painted.map((value) => Math.min(255, Math.max(0, value))) as [
        number,
        number,
        number,
      ];
      y[row * SHELF_WIDTH + column] = 16 + 0.257 * red + 0.504 * green + 0.098 * blue;
      if (row % 2 === 1 || column % 2 === 1) continue;
      const chroma = ((row / 2) * SHELF_WIDTH) / 2 + column / 2;
      cb[chroma] = 128 - 0.148 * red - 0.291 * green + 0.439 * blue;
      cr[chroma] = 128 + 0.439 * red - 0.368 * green - 0.071 * blue;
    }
  }
  return { strideY: SHELF_WIDTH, y, cb, cr };
}

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/** The sample table: what each frame is, how long it lasts, how large it is, where the first one lies. */
function sampleTable(sampleBytes: readonly number[], firstOffset: number): Buffer {
  const sequence = encodeSequenceParameters();
  const picture = encodePictureParameters();
  const configuration = box(
    'avcC',
    Buffer.from([1, sequence[1] ?? 0, sequence[2] ?? 0, sequence[3] ?? 0, 0xff, 0xe1]),
    u16(sequence.length),
    sequence,
    Buffer.from([1]),
    u16(picture.length),
    picture,
  );
  const entry = box(
    'avc1',
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(16),
    u16(FRAME_WIDTH, FRAME_HEIGHT),
    u32(0x480000, 0x480000, 0),
    u16(1),
    Buffer.alloc(32),
    u16(0x18, 0xffff),
    configuration,
  );
  return box(
    'stbl',
    box('stsd', u32(0, 1), entry),
    box('stts', u32(0, 1, sampleBytes.length, 1)),
    box('stsc', u32(0, 1, 1, sampleBytes.length, 1)),
    box('stsz', u32(0, 0, sampleBytes.length, ...sampleBytes)),
    box('stco', u32(0, 1, firstOffset)),
  );
}

function movieIndex(sampleBytes: readonly number[], firstOffset: number): Buffer {
  const duration = sampleBytes.length;
  const header = box(
    'mvhd',
    u32(0, 0, 0, FRAMES_PER_SECOND, duration, 0x10000),
    u16(0x100, 0),
    u32(0, 0),
    MATRIX,
    Buffer.alloc(24),
    u32(2),
  );
  const track = box(
    'tkhd',
    u32(3, 0, 0, 1, 0, duration, 0, 0),
    u16(0, 0, 0, 0),
    MATRIX,
    u32(FRAME_WIDTH << 16, FRAME_HEIGHT << 16),
  );
  const media = box(
    'mdia',
    box('mdhd', u32(0, 0, 0, FRAMES_PER_SECOND, duration), u16(0x55c4, 0)),
    box('hdlr', u32(0, 0), Buffer.from('vide', 'latin1'), Buffer.alloc(12), Buffer.from('shelf\0', 'latin1')),
    box(
      'minf',
      box('vmhd', u32(1), u16(0, 0, 0, 0)),
      box('dinf', box('dref', u32(0, 1), box('url ', u32(1)))),
      sampleTable(sampleBytes, firstOffset),
    ),
  );
  return box('moov', header, box('trak', track, media));
}

/** The film as a complete MP4 file. */
export function makeFilm(): Buffer {
  const shelf = paintShelf(PRODUCTS);
  const samples: Buffer[] = [];
  for (let index = 0; index < FRAMES; index += 1) {
    const frame = encodeFrame(shelf, index * STEP, index);
    samples.push(Buffer.concat([u32(frame.length), frame]));
  }
  const sizes = samples.map((sample) => sample.length);
  const type = box('ftyp', Buffer.from('isom', 'latin1'), u32(0x200), Buffer.from('isomavc1', 'latin1'));
  // The index holds the frames' place, which depends on the index's length but never changes it.
  const firstOffset = type.length + movieIndex(sizes, 0).length + 8;
  return Buffer.concat([type, movieIndex(sizes, firstOffset), box('mdat', ...samples)]);
}
