/**
 * Everything an answer is made from, immutable: the zone, the geography database, the health table. It is
 * replaced whole by reference; the candidate orders inside fill as places are asked for.
 */
import type { GeoTable } from '../ip/geo-table.ts';
import type { EdgeHealth } from '../model/messages.ts';
import { CandidateOrders } from '../steering/candidate-orders.ts';
import { clientPlaceOf, type Locator, placeCount, withGeo } from '../steering/locate.ts';
import { DEFAULT_POLICY, type SteeringPolicy } from '../steering/policy.ts';
import { compileHealth, type SteeringHealth } from '../steering/steering-health.ts';
import type { CompiledZone } from './compiled-zone.ts';

export interface AuthorityView {
  readonly zone: CompiledZone;
  readonly locator: Locator;
  readonly policy: SteeringPolicy;
  readonly orders: CandidateOrders;
  readonly health: SteeringHealth;
}

/** A view of a new zone or a new database: candidate orders begin empty. */
export function createView(
  zone: CompiledZone,
  geo: GeoTable | null,
  health: readonly EdgeHealth[],
  policy: SteeringPolicy = DEFAULT_POLICY,
): AuthorityView {
  const locator = withGeo(zone.locator, geo);
  const orders = new CandidateOrders(zone.steering, policy, placeCount(locator), (place) =>
    clientPlaceOf(locator, place),
  );
  return { zone, locator, policy, orders, health: compileHealth(zone.pops, health) };
}

/** The same view with another health table; orders stay, because health comes in behind them. */
export function withHealth(view: AuthorityView, health: readonly EdgeHealth[]): AuthorityView {
  return { ...view, health: compileHealth(view.zone.pops, health) };
}
