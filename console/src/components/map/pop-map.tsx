/** The POPs on the world map, with their names, their traffic, and a card for the one pointed at. */
import { useState } from 'react';
import { describeState, type PopSituation } from '../../api/pop-situation.ts';
import { formatRate } from '../../format/quantity.ts';
import { type MapLabel, MapLabels } from './map-labels.tsx';
import { haloRadius, PopMarker } from './pop-marker.tsx';
import { PopTooltip } from './pop-tooltip.tsx';
import { type MapGround, WorldMap } from './world-map.tsx';

const COMPACT_BELOW_PIXELS = 560;

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
  if (situation.state === 'down') return 'down';
  return situation.requestsPerSecond > 0 ? `${formatRate(situation.requestsPerSecond)}/s` : '';
}

function describe(situation: PopSituation): string {
  return `${situation.pop.name}: ${describeState(situation).word}, ${formatRate(situation.requestsPerSecond)} requests per second`;
}

function toLabel({ situation, x, y, weight }: PlacedPop): MapLabel {
  const markerRadius = Math.min(haloRadius(weight, false), 18);
  return {
    id: situation.pop.id,
    name: situation.pop.name,
    figure: figureText(situation),
    x,
    y,
    weight,
    markerRadius,
  };
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
        {!isCompact && <MapLabels labels={pops.map(toLabel)} ground={ground} />}
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
