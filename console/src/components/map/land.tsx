/** The land and the grid of the map: Natural Earth's 1:110m outlines, drawn once and scaled by the picture. */
import { geoGraticule, geoPath } from 'd3-geo';
import { memo } from 'react';
import { feature } from 'topojson-client';
import type { Topology } from 'topojson-specification';
import land from 'world-atlas/land-110m.json';
import classes from './map.module.css';
import { MAP_HEIGHT, MAP_TOP, MAP_WIDTH, projection } from './projection.ts';

const DOT_SPACING = 6.2;
const toPath = geoPath(projection).digits(1);

function drawLand(): string {
  const topology = land as unknown as Topology;
  const outlines = topology.objects.land;
  return outlines === undefined ? '' : (toPath(feature(topology, outlines)) ?? '');
}

export const Land = memo(function Land() {
  const landPath = drawLand();
  return (
    <svg
      className={classes.land}
      viewBox={`0 ${MAP_TOP} ${MAP_WIDTH} ${MAP_HEIGHT}`}
      preserveAspectRatio="xMidYMid meet"
      aria-hidden="true"
    >
      <defs>
        <pattern
          id="land-dots"
          width={DOT_SPACING}
          height={DOT_SPACING}
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <circle className={classes.landDot} cx={DOT_SPACING / 2} cy={DOT_SPACING / 2} r={1.15} />
        </pattern>
      </defs>
      <path className={classes.graticule} d={toPath(geoGraticule().step([30, 30])()) ?? ''} />
      <path className={classes.landGround} d={landPath} />
      <path fill="url(#land-dots)" d={landPath} />
    </svg>
  );
});
