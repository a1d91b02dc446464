/** The user and the POPs that were weighed, on the map and as a list with distances. */
import { geoPath } from 'd3-geo';
import type { Explanation } from '#core/contract/explain.ts';
import type { Pop } from '#core/model/pop.ts';
import { usePops } from '../../api/queries.ts';
import mapClasses from '../../components/map/map.module.css';
import { MAP_TOP, projection } from '../../components/map/projection.ts';
import { type MapGround, WorldMap } from '../../components/map/world-map.tsx';
import { Panel } from '../../components/panel.tsx';
import { CandidatesTable } from './candidates-table.tsx';

type Steering = NonNullable<Explanation['steering']>;

const toPath = geoPath(projection).digits(1);

interface PlacedCandidate {
  readonly pop: Pop;
  readonly isChosen: boolean;
  readonly isUsable: boolean;
}

/** The great circle between two places, in map units. */
function arcPath(from: readonly [number, number], pop: Pop): string {
  if (pop.location === null) return '';
  const to: [number, number] = [pop.location.longitude, pop.location.latitude];
  return toPath({ type: 'LineString', coordinates: [[...from], to] }) ?? '';
}

function Arcs(props: {
  readonly client: readonly [number, number];
  readonly candidates: readonly PlacedCandidate[];
  readonly ground: MapGround;
}) {
  return (
    <g transform={`scale(${props.ground.scale}) translate(0 ${-MAP_TOP})`}>
      {props.candidates.map(({ pop, isChosen }) => (
        <path
          key={pop.id}
          className={mapClasses.arc}
          data-chosen={isChosen}
          d={arcPath(props.client, pop)}
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </g>
  );
}

function SteeringPicture(props: {
  readonly steering: Steering;
  readonly candidates: readonly PlacedCandidate[];
  readonly ground: MapGround;
}) {
  const { ground } = props;
  const { latitude, longitude, place } = props.steering.client;
  const client = latitude === null || longitude === null ? null : { latitude, longitude };
  const clientAt = client === null ? null : ground.locate(client);
  return (
    <>
      {client !== null && (
        <Arcs client={[client.longitude, client.latitude]} candidates={props.candidates} ground={ground} />
      )}
      {props.candidates.map(({ pop, isChosen, isUsable }) => {
        const at = pop.location === null ? null : ground.locate(pop.location);
        if (at === null) return null;
        const isOnRight = at.x > ground.width * 0.8;
        return (
          <g key={pop.id} className={mapClasses.marker} data-state={isUsable ? 'up' : 'down'}>
            {isChosen && <circle className={mapClasses.halo} cx={at.x} cy={at.y} r={13} />}
            <circle className={mapClasses.core} cx={at.x} cy={at.y} r={isChosen ? 6 : 4.5} />
            {(isChosen || ground.width > 620) && (
              <text
                className={mapClasses.label}
                x={at.x + (isOnRight ? -11 : 11)}
                y={at.y}
                textAnchor={isOnRight ? 'end' : 'start'}
                dominantBaseline="central"
              >
                {pop.name}
              </text>
            )}
          </g>
        );
      })}
      {clientAt !== null && (
        <g>
          <rect
            className={mapClasses.client}
            x={clientAt.x - 5}
            y={clientAt.y - 5}
            width={10}
            height={10}
            rx={3}
          />
          <text className={mapClasses.label} x={clientAt.x} y={clientAt.y - 15} textAnchor="middle">
            {place}
          </text>
        </g>
      )}
    </>
  );
}

export function SteeringMap({ steering }: { readonly steering: Steering | null }) {
  const pops = usePops();
  if (steering === null) return null;
  const popById = new Map(pops.data?.map((pop) => [pop.id, pop]));
  const candidates = steering.candidates.flatMap(({ popId, isUsable }) => {
    const pop = popById.get(popId);
    return pop === undefined ? [] : [{ pop, isUsable, isChosen: popId === steering.chosenPopId }];
  });
  return (
    <Panel isFlush>
      <WorldMap
        label="The user and the POPs that were weighed"
        picture={(ground) => <SteeringPicture steering={steering} candidates={candidates} ground={ground} />}
      />
      <CandidatesTable steering={steering} />
    </Panel>
  );
}
