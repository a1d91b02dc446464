/** The course of one value in a few pixels, without axes: it shows the shape, the figure beside it the size. */
import { useId } from 'react';
import classes from './chart.module.css';
import { areaPath, linePath } from './paths.ts';

const WIDTH = 100;
const HEIGHT = 32;

export function Sparkline(props: { readonly values: readonly number[]; readonly color: string }) {
  const gradientId = useId();
  const top = Math.max(...props.values, Number.MIN_VALUE);
  const step = WIDTH / Math.max(1, props.values.length - 1);
  const points = props.values.map((value, index) => ({
    x: index * step,
    y: HEIGHT - 2 - (value / top) * (HEIGHT - 4),
  }));
  const ground = points.map(({ x }) => ({ x, y: HEIGHT }));
  return (
    <svg
      className={classes.sparkline}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      style={{ color: props.color }}
      aria-hidden="true"
    >
      <linearGradient id={gradientId} x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stopColor="currentColor" stopOpacity="0.28" />
        <stop offset="1" stopColor="currentColor" stopOpacity="0" />
      </linearGradient>
      <path d={areaPath(points, ground)} fill={`url(#${gradientId})`} />
      <path className={classes.sparkEdge} d={linePath(points)} />
    </svg>
  );
}
