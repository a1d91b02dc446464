/**
 * Chooses for one query: the POP, then its edges (docs/spec/dns.md, CH). No randomness: everything hangs
 * on hashes of the client's network, the POP, the site and the edge, so that name servers agree and a site
 * stays on the same edges.
 *
 *   POPs in order of health (USABLE that accept, USABLE, WEAK, then all: fail open); within one health in
 *   order of tiers; within a tier by weighted rendezvous hash of (client's network, POP).
 *   Edges of the POP by rendezvous hash of (site, edge); those that are down only when all are.
 */
import { combine32 } from '../base/mix32.ts';
import { type CandidateOrders, POP_MASK, TIER_START } from './candidate-orders.ts';
import { STEERING_LIMITS } from './limits.ts';
import { DEAD, type SteeringHealth, USABLE, WEAK } from './steering-health.ts';
import type { SteeringTable } from './steering-table.ts';

/** Which address family an answer needs: any POP will do for 0. */
export type NeededFamily = 0 | 4 | 6;

/** Health that a walk demands, and whether it minds the accept fraction, strictest first. */
const WALKS = [
  { state: USABLE, mindsLoad: true },
  { state: USABLE, mindsLoad: false },
  { state: WEAK, mindsLoad: false },
  { state: DEAD, mindsLoad: false },
] as const;

/** Index of the POP for a client's network at a place; -1 when no POP has the family, or none is left. */
export function choosePop(
  table: SteeringTable,
  orders: CandidateOrders,
  health: SteeringHealth,
  place: number,
  networkHash: number,
  family: NeededFamily,
): number {
  const offset = orders.offsetOf(place);
  const { entries } = orders;
  const count = entries[offset] as number;
  if (count === 0) return -1;
  // Nearly every query ends here: the nearest POP is usable, alone in its tier, and takes everybody.
  const first = (entries[offset + 1] as number) & POP_MASK;
  const isAlone = count === 1 || ((entries[offset + 2] as number) & TIER_START) !== 0;
  const isPlain = isAlone && health.acceptFractions === null && health.popStates[first] === USABLE;
  if (isPlain && hasFamily(table, first, family)) return first;
  const pop = walk(table, health, entries, offset, networkHash, family, WALKS.length - 1);
  const isCut = count === STEERING_LIMITS.orderPopsMax && table.popCount > count;
  if (pop >= 0 || !isCut)
    return pop >= 0 ? pop : walk(table, health, entries, offset, networkHash, family, WALKS.length);
  return walk(table, health, orders.fullOrderOf(place), 0, networkHash, family, WALKS.length);
}

function hasFamily(table: SteeringTable, pop: number, family: NeededFamily): boolean {
  if (family === 0) return true;
  return (family === 4 ? table.hasIpv4[pop] : table.hasIpv6[pop]) === 1;
}

/** Makes the first `walks` walks over one order. */
function walk(
  table: SteeringTable,
  health: SteeringHealth,
  entries: Uint16Array,
  offset: number,
  networkHash: number,
  family: NeededFamily,
  walks: number,
): number {
  for (let index = 0; index < walks; index += 1) {
    const demand = WALKS[index];
    if (demand === undefined) break;
    const accepts = demand.mindsLoad ? health.acceptFractions : null;
    if (demand.mindsLoad && accepts === null) continue;
    const pop = walkTiers(table, health, entries, offset, networkHash, family, demand.state, accepts);
    if (pop >= 0) return pop;
  }
  return -1;
}

function walkTiers(
  table: SteeringTable,
  health: SteeringHealth,
  entries: Uint16Array,
  offset: number,
  networkHash: number,
  family: NeededFamily,
  stateMin: number,
  accepts: Float64Array | null,
): number {
  const end = offset + 1 + (entries[offset] as number);
  let best = -1;
  let bestScore = Number.POSITIVE_INFINITY;
  for (let at = offset + 1; at < end; at += 1) {
    const entry = entries[at] as number;
    if (best >= 0 && (entry & TIER_START) !== 0) break;
    const pop = entry & POP_MASK;
    if ((health.popStates[pop] as number) < stateMin || !hasFamily(table, pop, family)) continue;
    const hash = combine32(networkHash, table.popHashes[pop] as number);
    if (accepts !== null && hash >= (accepts[pop] as number) * 2 ** 32) continue;
    const score = rendezvousScore(hash, table.weights[pop] as number);
    if (score < bestScore) {
      best = pop;
      bestScore = score;
    }
  }
  return best;
}

/** Weighted rendezvous: the lowest score wins, with a probability proportional to its weight. */
export function rendezvousScore(hash: number, weight: number): number {
  // The hash is stirred again, because the accept test has looked at it already.
  return -Math.log((combine32(hash, 1) + 0.5) / 2 ** 32) / weight;
}

/** Edges chosen for an answer, best first; overwritten by the next choice. */
export interface EdgeChoice {
  readonly edges: Int32Array;
  readonly scores: Float64Array;
  count: number;
}

export function createEdgeChoice(): EdgeChoice {
  return {
    edges: new Int32Array(STEERING_LIMITS.popEdgesMax),
    scores: new Float64Array(STEERING_LIMITS.popEdgesMax),
    count: 0,
  };
}

/** Chooses at most `edgesMax` edges of a POP for a site, of those that have the family. */
export function chooseEdges(
  table: SteeringTable,
  health: SteeringHealth,
  pop: number,
  siteHash: number,
  family: 4 | 6,
  edgesMax: number,
  choice: EdgeChoice,
): void {
  choice.count = 0;
  insertEdges(table, health.edgeIsDown, pop, siteHash, family, edgesMax, choice);
  // None is up: fail open, as with POPs.
  if (choice.count === 0) insertEdges(table, null, pop, siteHash, family, edgesMax, choice);
}

function insertEdges(
  table: SteeringTable,
  isDown: Uint8Array | null,
  pop: number,
  siteHash: number,
  family: 4 | 6,
  edgesMax: number,
  choice: EdgeChoice,
): void {
  const families = family === 4 ? table.edgeHasIpv4 : table.edgeHasIpv6;
  const end = table.edgeStarts[pop + 1] as number;
  for (let edge = table.edgeStarts[pop] as number; edge < end; edge += 1) {
    if (families[edge] !== 1 || isDown?.[edge] === 1) continue;
    insertEdge(choice, edge, combine32(siteHash, table.edgeHashes[edge] as number), edgesMax);
  }
}

/** Keeps the highest scores in order; the counts are small. */
function insertEdge(choice: EdgeChoice, edge: number, score: number, edgesMax: number): void {
  let at = choice.count;
  while (at > 0 && (choice.scores[at - 1] as number) < score) at -= 1;
  if (at >= edgesMax) return;
  if (choice.count < edgesMax) choice.count += 1;
  for (let index = choice.count - 1; index > at; index -= 1) {
    choice.edges[index] = choice.edges[index - 1] as number;
    choice.scores[index] = choice.scores[index - 1] as number;
  }
  choice.edges[at] = edge;
  choice.scores[at] = score;
}
