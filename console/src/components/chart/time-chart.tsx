/**
 * Values over time as stacked areas, with a crosshair that follows the pointer or the arrow keys and names
 * the values under it. Colours and meaning of the layers are the caller's.
 */
import { useElementSize } from '@mantine/hooks';
import { useId } from 'react';
import { formatMoment, formatTime } from '../../format/duration.ts';
import classes from './chart.module.css';
import { type ChartFrame, type ChartGeometry, chartGeometry } from './chart-geometry.ts';
import type { ChartLayer } from './chart-layer.ts';
import { ChartTooltip } from './chart-tooltip.tsx';
import { formatTick, timeTicks } from './time-ticks.ts';
import { useCrosshair } from './use-crosshair.ts';

interface TimeChartProps {
  readonly label: string;
  /** ms since the epoch, increasing. */
  readonly moments: readonly number[];
  readonly layers: readonly ChartLayer[];
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly formatValue: (value: number) => string;
}

const PIXELS_PER_TIME_TICK = 90;
const VALUE_AXIS_PIXELS = 56;
const DAY_MS = 86_400_000;

function Axes(props: {
  readonly geometry: ChartGeometry;
  readonly frame: ChartFrame;
  readonly chart: TimeChartProps;
}) {
  const { geometry, frame, chart } = props;
  const span = chart.to - chart.from;
  const count = Math.max(2, Math.floor(frame.width / PIXELS_PER_TIME_TICK));
  return (
    <g className={classes.axes}>
      {geometry.valueTicks.map((value) => (
        <g key={value} transform={`translate(0 ${geometry.yOf(value)})`}>
          <line x1={frame.left} x2={frame.width - frame.right} />
          <text x={frame.left - 8} dominantBaseline="central" textAnchor="end">
            {chart.formatValue(value)}
          </text>
        </g>
      ))}
      {timeTicks(chart.from, chart.to, count)
        .filter((at) => geometry.xOf(at) > frame.left + 16 && geometry.xOf(at) < frame.width - 22)
        .map((at) => (
          <text key={at} x={geometry.xOf(at)} y={frame.height - 5} textAnchor="middle">
            {formatTick(at, span)}
          </text>
        ))}
    </g>
  );
}

function Layers(props: { readonly geometry: ChartGeometry; readonly layers: readonly ChartLayer[] }) {
  const gradientId = useId();
  return props.layers.map((layer, index) => (
    <g key={layer.name} style={{ color: layer.color }}>
      <linearGradient id={`${gradientId}-${index}`} x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stopColor="currentColor" stopOpacity="0.42" />
        <stop offset="1" stopColor="currentColor" stopOpacity="0.06" />
      </linearGradient>
      <path d={props.geometry.areas[index]?.fill} fill={`url(#${gradientId}-${index})`} />
    </g>
  ));
}

/** The upper line of each layer; lower layers over higher ones, so that an empty layer hides nothing. */
function Edges(props: { readonly geometry: ChartGeometry; readonly layers: readonly ChartLayer[] }) {
  return props.layers
    .map((layer, index) => (
      <path
        key={layer.name}
        className={classes.edge}
        style={{ color: layer.color }}
        d={props.geometry.areas[index]?.edge}
      />
    ))
    .reverse();
}

export function TimeChart(props: TimeChartProps) {
  const { ref, width } = useElementSize();
  const frame = { width, height: props.height, left: VALUE_AXIS_PIXELS, right: 6, top: 10, bottom: 24 };
  const geometry = chartGeometry(
    props.moments,
    props.layers.map((layer) => layer.values),
    props,
    frame,
  );
  const crosshair = useCrosshair(props.moments.map(geometry.xOf));
  const at = crosshair.index === null ? undefined : props.moments[crosshair.index];
  return (
    <div ref={ref} className={classes.chart} style={{ height: props.height }}>
      {width > 0 && (
        <svg
          width={width}
          height={props.height}
          role="img"
          aria-label={props.label}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the crosshair
          tabIndex={0}
          {...crosshair.listeners}
        >
          <Axes geometry={geometry} frame={frame} chart={props} />
          <Layers geometry={geometry} layers={props.layers} />
          <Edges geometry={geometry} layers={props.layers} />
          {at !== undefined && (
            <line
              className={classes.crosshair}
              x1={geometry.xOf(at)}
              x2={geometry.xOf(at)}
              y1={frame.top}
              y2={props.height - frame.bottom}
            />
          )}
        </svg>
      )}
      {at !== undefined && crosshair.index !== null && (
        <ChartTooltip
          title={props.to - props.from > DAY_MS / 2 ? formatMoment(at) : formatTime(at)}
          x={geometry.xOf(at)}
          isFlipped={geometry.xOf(at) > width / 2}
          layers={props.layers}
          index={crosshair.index}
          formatValue={props.formatValue}
        />
      )}
    </div>
  );
}
