/**
 * What a POP costs a client, in estimated milliseconds of round trip (docs/spec/dns.md, RK2). Bias, carriers and the
 * accept fraction are inputs that change nothing until somebody sets them.
 */

export interface SteeringPolicy {
  /** Round trip to a POP next door. */
  readonly baseMs: number;
  /** Light in fibre on real paths: 1.5 ms of round trip per 100 km of great circle. */
  readonly msPerKm: number;
  /** POPs within the larger of these of the best share its clients. */
  readonly tieMs: number;
  readonly tieFraction: number;
  /** Added when the POP names its carriers and the client's is not among them. */
  readonly carrierPenaltyMs: number;
  /** Addresses in an answer. */
  readonly answerAddresses: number;
}

/**
 * Ties are narrow (about 67 km: one metropolitan area), so that the nearest POP means the nearest. Wider
 * ones (5 ms, 15 %) pay off once load decides within a tier.
 */
export const DEFAULT_POLICY: SteeringPolicy = {
  baseMs: 5,
  msPerKm: 0.015,
  tieMs: 1,
  tieFraction: 0,
  carrierPenaltyMs: 40,
  answerAddresses: 2,
};

const EARTH_RADIUS_KM = 6371.0088;
const RADIANS_PER_DEGREE = Math.PI / 180;

/** Latitude and longitude as a point on the unit sphere, written to `into` at `offset`. */
export function writeUnitVector(
  into: Float64Array,
  offset: number,
  latitude: number,
  longitude: number,
): void {
  const parallel = Math.cos(latitude * RADIANS_PER_DEGREE);
  into[offset] = parallel * Math.cos(longitude * RADIANS_PER_DEGREE);
  into[offset + 1] = parallel * Math.sin(longitude * RADIANS_PER_DEGREE);
  into[offset + 2] = Math.sin(latitude * RADIANS_PER_DEGREE);
}

/** Great-circle distance of two unit vectors. The chord keeps precision where an arc cosine has none. */
export function distanceKm(
  first: Float64Array,
  firstAt: number,
  second: Float64Array,
  secondAt: number,
): number {
  let squares = 0;
  for (let axis = 0; axis < 3; axis += 1) {
    const difference = (first[firstAt + axis] as number) - (second[secondAt + axis] as number);
    squares += difference * difference;
  }
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(squares) / 2));
}

/**
 * The operator's preference applied to a cost: `bias` -99..99, positive draws clients to the POP
 * (Route 53's geoproximity formula); 0 changes nothing.
 */
export function biasedCost(costMs: number, bias: number): number {
  return bias >= 0 ? costMs * (1 - bias / 100) : costMs / (1 + bias / 100);
}

/** How far above the best cost a POP may be and still be as good. */
export function tieLimitMs(policy: SteeringPolicy, bestMs: number): number {
  return bestMs + Math.max(policy.tieMs, bestMs * policy.tieFraction);
}
