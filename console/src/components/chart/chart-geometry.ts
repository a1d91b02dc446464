/** From values to the paths of a stacked area chart. Pure: sizes in pixels in, path data out. */
import { ticks } from 'd3-array';
import { areaPath, linePath } from './paths.ts';

export interface ChartFrame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface ChartGeometry {
  readonly xOf: (at: number) => number;
  readonly yOf: (value: number) => number;
  readonly valueTicks: readonly number[];
  /** One per layer, the lowest first. */
  readonly areas: readonly { readonly fill: string; readonly edge: string }[];
}

/** A round upper end of the value axis at or above `max`, and the ticks up to it. */
export function valueTicks(max: number, count: number): number[] {
  const rounded = ticks(0, max > 0 ? max : 1, count);
  const step = (rounded[1] ?? 1) - (rounded[0] ?? 0);
  const last = rounded[rounded.length - 1] ?? 0;
  return last < max ? [...rounded, last + step] : rounded;
}

/**
 * `layers[l][i]` is the value of layer `l` at `moments[i]`; layers are stacked in their order. The time axis
 * runs from `from` to `to`, the value axis from 0 to a round number above the highest stack.
 */
export function chartGeometry(
  moments: readonly number[],
  layers: readonly (readonly number[])[],
  span: { readonly from: number; readonly to: number },
  frame: ChartFrame,
): ChartGeometry {
  const sums = moments.map((_, index) => layers.reduce((sum, layer) => sum + (layer[index] ?? 0), 0));
  const tickValues = valueTicks(Math.max(...sums, 0), 4);
  const top = tickValues[tickValues.length - 1] ?? 1;
  const plotWidth = frame.width - frame.left - frame.right;
  const plotHeight = frame.height - frame.top - frame.bottom;
  const xOf = (at: number) => frame.left + ((at - span.from) / Math.max(1, span.to - span.from)) * plotWidth;
  const yOf = (value: number) => frame.top + plotHeight * (1 - value / top);
  const bases = moments.map(() => 0);
  const areas = layers.map((layer) => {
    const lower = moments.map((at, index) => ({ x: xOf(at), y: yOf(bases[index] ?? 0) }));
    const upper = moments.map((at, index) => {
      const value = (bases[index] ?? 0) + (layer[index] ?? 0);
      bases[index] = value;
      return { x: xOf(at), y: yOf(value) };
    });
    return { fill: areaPath(upper, lower), edge: linePath(upper) };
  });
  return { xOf, yOf, valueTicks: tickValues, areas };
}
