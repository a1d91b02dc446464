/** Names beside markers, as far as there is room for them (`labels.ts`). */
import { placeLabels } from './labels.ts';
import classes from './map.module.css';
import type { MapGround } from './world-map.tsx';

export interface MapLabel {
  readonly id: string;
  readonly name: string;
  /** Behind the name, quieter; may be empty. */
  readonly figure: string;
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly markerRadius: number;
  /** Higher finds room first. */
  readonly weight: number;
}

/** Mean width of a letter at the label's size; the font's widest names are a little wider. */
const LETTER_WIDTH = 7;
const LABEL_HEIGHT = 16;

export function MapLabels(props: { readonly labels: readonly MapLabel[]; readonly ground: MapGround }) {
  const requests = props.labels.map((label) => ({
    ...label,
    width: (label.name.length + label.figure.length) * LETTER_WIDTH,
    height: LABEL_HEIGHT,
  }));
  const labelById = new Map(props.labels.map((label) => [label.id, label]));
  return placeLabels(requests, props.ground).map(({ id, left, middle }) => {
    const label = labelById.get(id);
    if (label === undefined) return null;
    return (
      <text key={id} className={classes.label} x={left} y={middle} dominantBaseline="central">
        {label.name}
        {label.figure !== '' && <tspan className={classes.labelFigure}> {label.figure}</tspan>}
      </text>
    );
  });
}
