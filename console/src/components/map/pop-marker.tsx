/** One POP on the map: a dot in the colour of its state, a halo as large as its traffic, a pulse while it serves. */
import classes from './map.module.css';

export type PopMarkerState = 'up' | 'down' | 'drained' | 'unknown';

interface PopMarkerProps {
  readonly x: number;
  readonly y: number;
  readonly state: PopMarkerState;
  /** Share of the busiest POP's traffic, 0..1. */
  readonly weight: number;
  readonly description: string;
  readonly isCompact: boolean;
  readonly onPoint: (isPointedAt: boolean) => void;
  readonly onOpen: () => void;
}

const TOUCH_RADIUS = 18;

export function markerRadius(isCompact: boolean): number {
  return isCompact ? 4 : 5.5;
}

export function haloRadius(weight: number, isCompact: boolean): number {
  const core = markerRadius(isCompact);
  return core + (weight > 0 ? 3 + Math.sqrt(weight) * (isCompact ? 8 : 16) : 0);
}

export function PopMarker(props: PopMarkerProps) {
  const core = markerRadius(props.isCompact);
  const isServing = props.weight > 0 && props.state !== 'down';
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button element cannot stand inside of an SVG picture
    <g
      className={classes.marker}
      data-state={props.state}
      transform={`translate(${props.x} ${props.y})`}
      role="button"
      tabIndex={0}
      aria-label={props.description}
      onMouseEnter={() => props.onPoint(true)}
      onMouseLeave={() => props.onPoint(false)}
      onFocus={() => props.onPoint(true)}
      onBlur={() => props.onPoint(false)}
      onClick={props.onOpen}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') props.onOpen();
      }}
    >
      <circle className={classes.ring} r={TOUCH_RADIUS} />
      {props.weight > 0 && <circle className={classes.halo} r={haloRadius(props.weight, props.isCompact)} />}
      {isServing && <circle className={classes.pulse} r={core + 1} />}
      <circle className={classes.core} r={core} />
    </g>
  );
}
