/**
 * The shop's film as an H.264 stream (ITU-T H.264, Baseline profile): every frame is an IDR picture whose
 * macroblocks are I_PCM (§7.3.5, mb_type 25), that is, uncompressed samples. A real encoder would make it
 * fifty times smaller; here the size is wanted, and any player and browser can play it.
 */

export const FRAME_WIDTH = 320;
export const FRAME_HEIGHT = 176;
const MACROBLOCK = 16;
const COLUMNS = FRAME_WIDTH / MACROBLOCK;
const ROWS = FRAME_HEIGHT / MACROBLOCK;
const LEVEL_3 = 30;

/** Planes of one 4:2:0 picture, `strideY` samples per luma row and half of it per chroma row. */
export interface Planes {
  readonly strideY: number;
  readonly y: Uint8Array;
  readonly cb: Uint8Array;
  readonly cr: Uint8Array;
}

/** Writes bits from the most significant on, with the Exp-Golomb codes of §9.1. */
class BitWriter {
  readonly #bytes: number[] = [];
  #current = 0;
  #used = 0;

  bits(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit -= 1) {
      this.#current = (this.#current << 1) | ((value >>> bit) & 1);
      this.#used += 1;
      if (this.#used === 8) {
        this.#bytes.push(this.#current);
        this.#current = 0;
        this.#used = 0;
      }
    }
    return this;
  }

  /** ue(v); for 0 it is the same as se(v). */
  exponential(value: number): this {
    const length = 32 - Math.clz32(value + 1);
    return this.bits(0, length - 1).bits(value + 1, length);
  }

  alignWithZeros(): this {
    return this.#used === 0 ? this : this.bits(0, 8 - this.#used);
  }

  /** rbsp_trailing_bits: a one, then zeros to the end of the byte. */
  finish(): Uint8Array {
    this.bits(1, 1).alignWithZeros();
    return Uint8Array.from(this.#bytes);
  }

  /** What is written so far; the writer must stand at a byte's end. */
  take(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** A NAL unit: header byte, then the payload with emulation prevention (§7.4.1): 0 0 {0..3} becomes 0 0 3 {0..3}. */
function encodeUnit(header: number, payload: Uint8Array): Buffer {
  const unit = Buffer.alloc(1 + Math.ceil(payload.length * 1.5));
  unit[0] = header;
  let length = 1;
  let zeros = 0;
  for (const byte of payload) {
    if (zeros === 2 && byte <= 3) {
      unit[length++] = 3;
      zeros = 0;
    }
    unit[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return unit.subarray(0, length);
}

/** Sequence parameter set (§7.3.2.1.1). */
export function encodeSequenceParameters(): Buffer {
  const writer = new BitWriter();
  writer.bits(66, 8).bits(0xc0, 8).bits(LEVEL_3, 8); // Baseline, constraint sets 0 and 1
  writer.exponential(0).exponential(0); // id 0; frame_num has 4 bits
  writer.exponential(2).exponential(0).bits(0, 1); // output order is decoding order; no reference frames
  writer.exponential(COLUMNS - 1).exponential(ROWS - 1);
  writer.bits(1, 1).bits(1, 1).bits(0, 1).bits(0, 1); // whole frames; no cropping, no usability information
  return encodeUnit(0x67, writer.finish());
}

/** Picture parameter set (§7.3.2.2): CAVLC, one slice group, deblocking under the slice's control. */
export function encodePictureParameters(): Buffer {
  const writer = new BitWriter();
  writer.exponential(0).exponential(0).bits(0, 1).bits(0, 1);
  writer.exponential(0).exponential(0).exponential(0).bits(0, 1).bits(0, 2);
  writer.exponential(0).exponential(0).exponential(0).bits(1, 1).bits(0, 1).bits(0, 1);
  return encodeUnit(0x68, writer.finish());
}

/** Copies a square of samples; the order is that of the macroblock layer, row by row. */
function copySquare(
  plane: Uint8Array,
  stride: number,
  left: number,
  top: number,
  side: number,
  out: Buffer,
  at: number,
): number {
  let offset = at;
  for (let row = 0; row < side; row += 1) {
    const start = (top + row) * stride + left;
    out.set(plane.subarray(start, start + side), offset);
    offset += side;
  }
  return offset;
}

/**
 * One frame: the window of `planes` whose left edge is at `left` (an even number of samples).
 * Neighbouring IDR pictures must have different `idr_pic_id`, hence `index`.
 */
export function encodeFrame(planes: Planes, left: number, index: number): Buffer {
  const head = new BitWriter();
  head.exponential(0).exponential(7).exponential(0).bits(0, 4); // first macroblock 0, slice type I
  head
    .exponential(index % 2)
    .bits(0, 1)
    .bits(0, 1); // idr_pic_id; reference marking
  head.exponential(0).exponential(1); // no QP change; deblocking off
  head.exponential(25).alignWithZeros(); // the first macroblock's type: I_PCM
  const first = head.take();
  const sampleBytes = MACROBLOCK * MACROBLOCK * 1.5;
  const payload = Buffer.alloc(first.length + COLUMNS * ROWS * (sampleBytes + 2));
  payload.set(first, 0);
  let offset = first.length;
  for (let row = 0; row < ROWS; row += 1) {
    for (let column = 0; column < COLUMNS; column += 1) {
      if (row > 0 || column > 0) {
        // From a byte's start, ue(25) and its alignment are always these two bytes.
        payload[offset] = 0x0d;
        payload[offset + 1] = 0x00;
        offset += 2;
      }
      const x = left + column * MACROBLOCK;
      const y = row * MACROBLOCK;
      offset = copySquare(planes.y, planes.strideY, x, y, MACROBLOCK, payload, offset);
      offset = copySquare(planes.cb, planes.strideY / 2, x / 2, y / 2, MACROBLOCK / 2, payload, offset);
      offset = copySquare(planes.cr, planes.strideY / 2, x / 2, y / 2, MACROBLOCK / 2, payload, offset);
    }
  }
  payload[offset] = 0x80; // rbsp_trailing_bits
  return encodeUnit(0x65, payload.subarray(0, offset + 1));
}
