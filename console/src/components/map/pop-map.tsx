/** The POPs on the world map, with their names, their traffic, and a card for the one pointed at. */
import { useState } from 'react';
import { describeState, type PopSituation } from '../../api/pop-situation.ts';
import { formatRate } from '../../format/quantity.ts';
import { placeLabels } from './labels.ts';
import classes from './map.module.css';
import { haloRadius, PopMarker } from './pop-marker.tsx';
import { PopTooltip } from './pop-tooltip.tsx';
import { type MapGround, WorldMap } from './world-map.tsx';

const COMPACT_BELOW_PIXELS = 560;
/** Mean width of a letter at the label's size; the font's widest names come out a little short of it. */
const LETTER_WIDTH = 6.7;
const LABEL_HEIGHT = 16;

interface PlacedPop {
  readonly situation: PopSituation;
  readonly x: number;
  readonly y: number;
  readonly weight: number;
}

function placePops(situations: readonly PopSituation[], ground: MapGround): PlacedPop[] {
  const busiest = Math.max(...situations.map((situation) => situation.requestsPerSecond), 0);
  return situations.flatMap((situation) => {
    const { location } = situation.pop;
    if (location === null) return [];
    const weight = busiest > 0 ? situation.requestsPerSecond / busiest : 0;
    return [{ situation, weight, ...ground.locate(location) }];
  });
}

function figureText(situation: PopSituation): string {
  if (situation.state === 'down') return ' down';
  return situation.requestsPerSecond > 0 ? ` ${formatRate(situation.requestsPerSecond)}/s` : '';
}

function describe(situation: PopSituation): string {
  return `${situation.pop.name}: ${describeState(situation).word}, ${formatRate(situation.requestsPerSecond)} requests per second`;
}

function MapLabels(props: { readonly pops: readonly PlacedPop[]; readonly ground: MapGround }) {
  const placed = placeLabels(
    props.pops.map(({ situation, x, y, weight }) => ({
      id: situation.pop.id,
      x,
      y,
      weight,
      markerRadius: Math.min(haloRadius(weight, false), 14),
      width: (situation.pop.name.length + figureText(situation).length) * LETTER_WIDTH,
      height: LABEL_HEIGHT,
    })),
    props.ground,
  );
  const situations = new Map(props.pops.map(({ situation }) => [situation.pop.id, situation]));
  return placed.map(({ id, left, middle }) => {
    const situation = situations.get(id);
    if (situation === undefined) return null;
    return (
      <text key={id} className={classes.label} x={left} y={middle} dominantBaseline="central">
        {situation.pop.name}
        <tspan className={classes.labelFigure}>{figureText(situation)}</tspan>
      </text>
    );
  });
}

interface PopMapProps {
  readonly situations: readonly PopSituation[];
  readonly onOpen: (popId: string) => void;
}

export function PopMap(props: PopMapProps) {
  const [pointedAt, setPointedAt] = useState<string | null>(null);
  const picture = (ground: MapGround) => {
    const pops = placePops(props.situations, ground);
    const isCompact = ground.width < COMPACT_BELOW_PIXELS;
    return (
      <>
        {!isCompact && <MapLabels pops={pops} ground={ground} />}
        {pops.map(({ situation, x, y, weight }) => (
          <PopMarker
            key={situation.pop.id}
            x={x}
            y={y}
            weight={weight}
            state={situation.state}
            isCompact={isCompact}
            description={describe(situation)}
            onPoint={(isPointedAt) => setPointedAt(isPointedAt ? situation.pop.id : null)}
            onOpen={() => props.onOpen(situation.pop.id)}
          />
        ))}
      </>
    );
  };
  const above = (ground: MapGround) => {
    const pop = placePops(props.situations, ground).find(({ situation }) => situation.pop.id === pointedAt);
    return pop === undefined ? null : (
      <PopTooltip situation={pop.situation} x={pop.x} y={pop.y} ground={ground} />
    );
  };
  return <WorldMap label="World map of the POPs" picture={picture} above={above} />;
}
