/** What the shop sells: forty products, eight kinds in five colours. Plain values. */

const PRODUCT_KINDS = ['mug', 'lamp', 'bottle', 'clock', 'vase', 'stool', 'bowl', 'kettle'] as const;
export type ProductKind = (typeof PRODUCT_KINDS)[number];

export type Colour = readonly [red: number, green: number, blue: number];

const COLOURS: readonly { readonly name: string; readonly colour: Colour }[] = [
  { name: 'Brick', colour: [184, 72, 52] },
  { name: 'Moss', colour: [96, 128, 62] },
  { name: 'Harbour', colour: [46, 106, 158] },
  { name: 'Saffron', colour: [226, 160, 44] },
  { name: 'Plum', colour: [120, 70, 128] },
];

const PRICES_CENTS: Readonly<Record<ProductKind, number>> = {
  mug: 1400,
  lamp: 8900,
  bottle: 2400,
  clock: 4900,
  vase: 3600,
  stool: 12_900,
  bowl: 1900,
  kettle: 6400,
};

export interface Product {
  /** From 1 to 40. */
  readonly id: number;
  readonly name: string;
  readonly kind: ProductKind;
  readonly colour: Colour;
  readonly priceCents: number;
}

export const PRODUCTS: readonly Product[] = COLOURS.flatMap(({ name, colour }, colourIndex) =>
  PRODUCT_KINDS.map((kind, kindIndex) => ({
    id: colourIndex * PRODUCT_KINDS.length + kindIndex + 1,
    name: `${name} ${kind}`,
    kind,
    colour,
    priceCents: PRICES_CENTS[kind] + colourIndex * 100,
  })),
);
