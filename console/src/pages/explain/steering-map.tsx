/** The user and the POPs that were weighed, on the map and as a list with distances. */
import { geoPath } from 'd3-geo';
import type { Explanation } from '#core/contract/explain.ts';
import type { Pop } from '#core/model/pop.ts';
import { usePops } from '../../api/queries.ts';
import mapClasses from '../../components/map/map.module.css';
import { MapLabels } from '../../components/map/map-labels.tsx';
import { MAP_TOP, projection } from '../../components/map/projection.ts';
import { type MapGround, WorldMap } from '../../components/map/world-map.tsx';
import { Panel } from '../../components/panel.tsx';
import { CandidatesTable } from './candidates-table.tsx';
import classes from './explain.module.css';

type Steering = NonNullable<Explanation['steering']>;

const toPath = geoPath(projection).digits(1);
/** No POP's id: ids begin with a letter or digit. */
const CLIENT_ID = '-client';
const LABELLED_ABOVE_PIXELS = 560;

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

interface PlacedMarker extends PlacedCandidate {
  readonly x: number;
  readonly y: number;
}

function CandidateMarker({ x, y, isChosen, isUsable }: PlacedMarker) {
  return (
    <g className={mapClasses.marker} data-state={isUsable ? 'up' : 'down'}>
      {isChosen && <circle className={mapClasses.halo} cx={x} cy={y} r={13} />}
      <circle className={mapClasses.core} cx={x} cy={y} r={isChosen ? 6 : 4.5} />
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
  const markers = props.candidates.flatMap((candidate) =>
    candidate.pop.location === null ? [] : [{ ...candidate, ...ground.locate(candidate.pop.location) }],
  );
  const labels = markers
    .filter(({ isChosen }) => isChosen || ground.width > LABELLED_ABOVE_PIXELS)
    .map(({ pop, isChosen, x, y }) => ({
      id: pop.id,
      name: pop.name,
      figure: '',
      x,
      y,
      markerRadius: isChosen ? 9 : 5,
      weight: isChosen ? 2 : 0,
    }));
  if (clientAt !== null) {
    labels.push({ id: CLIENT_ID, name: place, figure: '', ...clientAt, markerRadius: 7, weight: 1 });
  }
  return (
    <>
      {client !== null && (
        <Arcs client={[client.longitude, client.latitude]} candidates={props.candidates} ground={ground} />
      )}
      {markers.map((marker) => (
        <CandidateMarker key={marker.pop.id} {...marker} />
      ))}
      {clientAt !== null && (
        <rect
          className={mapClasses.client}
          x={clientAt.x - 5}
          y={clientAt.y - 5}
          width={10}
          height={10}
          rx={3}
        />
      )}
      <MapLabels labels={labels} ground={ground} />
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
    <div className={classes.where}>
      <Panel isFlush>
        <WorldMap
          label="The user and the POPs that were weighed"
          picture={(ground) => (
            <SteeringPicture steering={steering} candidates={candidates} ground={ground} />
          )}
        />
      </Panel>
      <Panel title="POPs that were weighed" description="The best first" isFlush>
        <CandidatesTable steering={steering} />
      </Panel>
    </div>
  );
}
