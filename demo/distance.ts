/**
 * How long packets travel in the demo's world: great-circle distance, and the round-trip time that goes
 * with it. Written apart from the product's own steering, so that the demo measures the product with a
 * ruler of its own. Only propagation is in it: bandwidth, queues and loss are not.
 */

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const EARTH_RADIUS_KM = 6371;
/** Access network and equipment at both ends: paid at any distance. */
const BASE_ROUND_TRIP_MS = 5;
/** Light in glass needs 1 ms per 100 km and back; real paths are about half as long again as the circle. */
const ROUND_TRIP_MS_PER_100_KM = 1.5;

/** Distance along the great circle, in kilometres (haversine; a sphere is exact enough here). */
export function greatCircleKm(from: Place, to: Place): number {
  const radians = Math.PI / 180;
  const latitudeHalf = Math.sin(((to.latitude - from.latitude) * radians) / 2);
  const longitudeHalf = Math.sin(((to.longitude - from.longitude) * radians) / 2);
  const haversine =
    latitudeHalf * latitudeHalf +
    Math.cos(from.latitude * radians) * Math.cos(to.latitude * radians) * longitudeHalf * longitudeHalf;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(haversine)));
}

/** Estimated round-trip time between two places, in milliseconds. */
export function roundTripMs(from: Place, to: Place): number {
  return BASE_ROUND_TRIP_MS + (greatCircleKm(from, to) / 100) * ROUND_TRIP_MS_PER_100_KM;
}
