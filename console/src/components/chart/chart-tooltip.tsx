/** The values of all layers at the crosshair, the topmost layer first as it is in the picture. */
import classes from './chart.module.css';
import type { ChartLayer } from './chart-layer.ts';

interface ChartTooltipProps {
  readonly title: string;
  /** Pixels from the left of the chart. */
  readonly x: number;
  /** Opens to the left of the crosshair instead of to the right. */
  readonly isFlipped: boolean;
  readonly layers: readonly ChartLayer[];
  readonly index: number;
  readonly formatValue: (value: number) => string;
}

export function ChartTooltip(props: ChartTooltipProps) {
  return (
    <div
      className={classes.tooltip}
      role="status"
      style={{
        left: props.x,
        transform: props.isFlipped ? 'translateX(calc(-100% - 12px))' : 'translateX(12px)',
      }}
    >
      <div className={classes.tooltipTitle}>{props.title}</div>
      {[...props.layers].reverse().map((layer) => (
        <div key={layer.name} className={classes.tooltipRow}>
          <span className={classes.swatch} style={{ background: layer.color }} />
          <span>{layer.name}</span>
          <strong>{props.formatValue(layer.values[props.index] ?? 0)}</strong>
        </div>
      ))}
    </div>
  );
}
