/**
 * Ranks the POPs for clients at one place (docs/spec/dns.md, RK): cost from distance, carrier and bias,
 * then tiers of about equal cost. Health and load come in when one is chosen (`choose.ts`), because they
 * change more often. Pure: the same input gives the same order on every name server.
 */
import { biasedCost, distanceKm, type SteeringPolicy, tieLimitMs } from './policy.ts';
import type { SteeringTable } from './steering-table.ts';

/** Where clients are, as far as it is known. */
export interface ClientPlace {
  /** A unit vector (three numbers); null: nowhere known. */
  readonly vector: Float64Array | null;
  /** The access network's name; null: unknown. */
  readonly carrier: string | null;
}

export interface RankedPop {
  /** Index in the SteeringTable. */
  readonly pop: number;
  /** Null when client or POP has no location. */
  readonly distanceKm: number | null;
  readonly costMs: number | null;
  /** From 0; POPs of one tier share the clients. */
  readonly tier: number;
}

/** Every POP that is not drained, best first. POPs without a cost form the last tier. */
export function rankPops(table: SteeringTable, policy: SteeringPolicy, client: ClientPlace): RankedPop[] {
  const placed: { pop: number; distanceKm: number | null; costMs: number }[] = [];
  const rest: number[] = [];
  for (let pop = 0; pop < table.popCount; pop += 1) {
    if (table.isDrained[pop] === 1) continue;
    const isPlaced = !Number.isNaN(table.vectors[pop * 3] as number);
    if (!isPlaced) {
      rest.push(pop);
      continue;
    }
    const distance = client.vector === null ? null : distanceKm(client.vector, 0, table.vectors, pop * 3);
    placed.push({ pop, distanceKm: distance, costMs: costOf(table, policy, client, pop, distance ?? 0) });
  }
  placed.sort((first, second) => first.costMs - second.costMs || first.pop - second.pop);
  const ranked: RankedPop[] = [];
  let tier = -1;
  let limit = Number.NEGATIVE_INFINITY;
  for (const { pop, distanceKm: distance, costMs } of placed) {
    if (costMs > limit) {
      tier += 1;
      limit = tieLimitMs(policy, costMs);
    }
    ranked.push({ pop, distanceKm: distance, costMs: distance === null ? null : costMs, tier });
  }
  for (const pop of rest) ranked.push({ pop, distanceKm: null, costMs: null, tier: tier + 1 });
  return ranked;
}

function costOf(
  table: SteeringTable,
  policy: SteeringPolicy,
  client: ClientPlace,
  pop: number,
  distance: number,
): number {
  const carriers = table.carriers[pop] ?? [];
  const isForeign = client.carrier !== null && carriers.length > 0 && !carriers.includes(client.carrier);
  const costMs = policy.baseMs + distance * policy.msPerKm + (isForeign ? policy.carrierPenaltyMs : 0);
  return biasedCost(costMs, table.biases[pop] ?? 0);
}
