/**
 * The shop's product pictures: drawn pixel by pixel from signed distance functions (negative inside a
 * shape), lit from the left, with paper grain, and encoded as JPEG. Same product, same bytes.
 */
import type { Colour, Product, ProductKind } from './shop-products.ts';

const SIZE_PIXELS = 360;
const JPEG_QUALITY = 85;

/** Distance to a shape's edge; coordinates run from -1 to 1, y downwards. */
type Shape = (x: number, y: number) => number;
/** A shape and how bright it is painted: 1 is the product's colour. */
type Layer = readonly [shape: Shape, brightness: number];

function circle(cx: number, cy: number, radius: number): Shape {
  return (x, y) => Math.hypot(x - cx, y - cy) - radius;
}

function box(cx: number, cy: number, halfWidth: number, halfHeight: number, corner: number): Shape {
  return (x, y) => {
    const dx = Math.abs(x - cx) - halfWidth + corner;
    const dy = Math.abs(y - cy) - halfHeight + corner;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - corner;
  };
}

/** An ellipse; the distance is exact enough for its edge to be smooth. */
function ellipse(cx: number, cy: number, halfWidth: number, halfHeight: number): Shape {
  const scale = Math.min(halfWidth, halfHeight);
  return (x, y) => (Math.hypot((x - cx) / halfWidth, (y - cy) / halfHeight) - 1) * scale;
}

/** A vertical trapezium between two heights. */
function taper(top: number, bottom: number, halfWidthTop: number, halfWidthBottom: number): Shape {
  return (x, y) => {
    const along = Math.min(1, Math.max(0, (y - top) / (bottom - top)));
    const halfWidth = halfWidthTop + (halfWidthBottom - halfWidthTop) * along;
    return Math.max(Math.abs(x) - halfWidth, top - y, y - bottom);
  };
}

function ring(cx: number, cy: number, radius: number, thickness: number): Shape {
  return (x, y) => Math.abs(Math.hypot(x - cx, y - cy) - radius) - thickness;
}

/** A shape moved sideways by `offset`, and further with every step down. */
function leaning(shape: Shape, offset: number, slant: number): Shape {
  return (x, y) => shape(x - offset - y * slant, y);
}

function without(shape: Shape, hole: Shape): Shape {
  return (x, y) => Math.max(shape(x, y), -hole(x, y));
}

/** Drawn in order, later ones over earlier ones. */
const DRAWINGS: Readonly<Record<ProductKind, readonly Layer[]>> = {
  mug: [
    [ring(0.42, 0.08, 0.24, 0.06), 0.85],
    [box(-0.04, 0.1, 0.42, 0.46, 0.12), 1],
    [ellipse(-0.04, -0.32, 0.38, 0.08), 0.45],
  ],
  lamp: [
    [ellipse(0, 0.62, 0.34, 0.08), 0.5],
    [box(0, 0.2, 0.035, 0.42, 0.02), 0.6],
    [taper(-0.55, 0, 0.22, 0.5), 1],
    [ellipse(0, 0, 0.5, 0.07), 1.35],
  ],
  bottle: [
    [box(0, 0.18, 0.26, 0.48, 0.1), 1],
    [box(0, -0.36, 0.1, 0.26, 0.05), 1],
    [box(0, -0.62, 0.12, 0.07, 0.03), 0.4],
    [box(0, 0.24, 0.26, 0.16, 0.01), 1.5],
  ],
  clock: [
    [circle(0, 0, 0.58), 1],
    [circle(0, 0, 0.48), 1.7],
    [box(0, -0.17, 0.028, 0.19, 0.02), 0.35],
    [box(0.14, 0, 0.16, 0.028, 0.02), 0.35],
    [circle(0, 0, 0.055), 0.35],
  ],
  vase: [
    [ellipse(0, 0.2, 0.36, 0.44), 1],
    [taper(-0.5, -0.05, 0.2, 0.16), 1],
    [ellipse(0, -0.5, 0.2, 0.05), 0.4],
    [without(ellipse(0, 0.2, 0.36, 0.1), ellipse(0, 0.16, 0.36, 0.1)), 1.5],
  ],
  stool: [
    [box(-0.3, 0.26, 0.045, 0.42, 0.03), 0.6],
    [box(0.3, 0.26, 0.045, 0.42, 0.03), 0.6],
    [box(0, 0.36, 0.3, 0.03, 0.02), 0.5],
    [box(0, -0.2, 0.46, 0.09, 0.08), 1],
    [ellipse(0, -0.27, 0.44, 0.05), 1.3],
  ],
  bowl: [
    [without(ellipse(0, 0, 0.6, 0.5), (_x, y) => y), 1],
    [ellipse(0, 0, 0.6, 0.13), 0.5],
    [box(0, 0.5, 0.2, 0.05, 0.03), 0.8],
  ],
  kettle: [
    [ring(0, -0.36, 0.28, 0.045), 0.45],
    [leaning(taper(-0.2, 0.3, 0.06, 0.14), 0.5, -0.5), 0.85],
    [ellipse(0, 0.16, 0.46, 0.42), 1],
    [ellipse(0, -0.22, 0.2, 0.06), 1.4],
    [circle(0, -0.3, 0.06), 0.4],
  ],
};

/** A pseudo-random value in 0..1 that depends on its place alone: the grain of the paper. */
function grain(x: number, y: number, seed: number): number {
  let value = Math.imul(x, 374_761_393) ^ Math.imul(y, 668_265_263) ^ Math.imul(seed, 2_246_822_519);
  value = Math.imul(value ^ (value >>> 13), 1_274_126_177);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

const SHADOW = ellipse(0.06, 0.7, 0.6, 0.09);
const PAPER: Colour = [240, 236, 228];

/**
 * Red, green and blue of one pixel before grain, a little beyond 0..255 where the light is strong.
 * `x`, `y` run from -1 to 1; `pixel` is a pixel's width on that scale, for smooth edges.
 */
export function paintPixel(product: Product, x: number, y: number, pixel: number): [number, number, number] {
  const shade = Math.min(1, Math.max(0, SHADOW(x, y) * 6 + 0.5));
  const light = (0.72 + 0.28 * shade) * (1 - 0.1 * y);
  let red = PAPER[0] * light;
  let green = PAPER[1] * light;
  let blue = PAPER[2] * light;
  for (const [shape, brightness] of DRAWINGS[product.kind]) {
    const cover = Math.min(1, Math.max(0, 0.5 - shape(x, y) / pixel));
    if (cover === 0) continue;
    const lit = brightness * (1.12 - 0.42 * (x + 0.5) * (x + 0.5) - 0.12 * y);
    red += (product.colour[0] * lit - red) * cover;
    green += (product.colour[1] * lit - green) * cover;
    blue += (product.colour[2] * lit - blue) * cover;
  }
  return [red, green, blue];
}

/** An uncompressed bitmap (BMP, 24 bits, rows from the bottom), which the encoder takes as its input. */
function encodeBitmap(product: Product): Buffer {
  const headBytes = 54;
  const rowBytes = SIZE_PIXELS * 3;
  const bitmap = Buffer.alloc(headBytes + rowBytes * SIZE_PIXELS);
  bitmap.write('BM', 0, 'latin1');
  bitmap.writeUInt32LE(bitmap.length, 2);
  bitmap.writeUInt32LE(headBytes, 10);
  bitmap.writeUInt32LE(40, 14);
  bitmap.writeInt32LE(SIZE_PIXELS, 18);
  bitmap.writeInt32LE(SIZE_PIXELS, 22);
  bitmap.writeUInt16LE(1, 26);
  bitmap.writeUInt16LE(24, 28);
  const pixel = 2 / SIZE_PIXELS;
  for (let row = 0; row < SIZE_PIXELS; row += 1) {
    let offset = headBytes + (SIZE_PIXELS - 1 - row) * rowBytes;
    for (let column = 0; column < SIZE_PIXELS; column += 1) {
      const x = (column + 0.5) * pixel - 1;
      const y = (row + 0.5) * pixel - 1;
      const [red, green, blue] = paintPixel(product, x, y, pixel);
      const noise = (grain(column, row, product.id) - 0.5) * 14;
      bitmap[offset] = Math.min(255, Math.max(0, blue + noise));
      bitmap[offset + 1] = Math.min(255, Math.max(0, green + noise));
      bitmap[offset + 2] = Math.min(255, Math.max(0, red + noise));
      offset += 3;
    }
  }
  return bitmap;
}

/** The product's picture as a JPEG file, a few tens of kilobytes. */
export async function drawPicture(product: Product): Promise<Buffer> {
  return await new Bun.Image(encodeBitmap(product)).jpeg({ quality: JPEG_QUALITY }).buffer();
}
