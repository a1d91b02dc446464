/**
 * Where places are on the map: the Natural Earth projection, 1000 units wide, cut off where nobody lives
 * (south of Tierra del Fuego, north of Svalbard). Screen sizes are the map's business.
 */
import { geoNaturalEarth1 } from 'd3-geo';

export const MAP_WIDTH = 1000;
const NORTH_LATITUDE = 84;
const SOUTH_LATITUDE = -60;

export const projection = geoNaturalEarth1().fitWidth(MAP_WIDTH, { type: 'Sphere' });

const [, top] = projection([0, NORTH_LATITUDE]) ?? [0, 0];
const [, bottom] = projection([0, SOUTH_LATITUDE]) ?? [0, 0];
export const MAP_TOP = top;
export const MAP_HEIGHT = bottom - top;

export interface MapPoint {
  readonly x: number;
  readonly y: number;
}

/** In map units; points beyond the cut are drawn on its edge. */
export function projectPlace(place: { readonly latitude: number; readonly longitude: number }): MapPoint {
  const latitude = Math.min(NORTH_LATITUDE, Math.max(SOUTH_LATITUDE, place.latitude));
  const [x, y] = projection([place.longitude, latitude]) ?? [0, 0];
  return { x, y: y - MAP_TOP };
}
