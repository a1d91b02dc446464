/**
 * The health table as steering reads it. A POP counts by how many of its edges are not down:
 *
 *   at least half   USABLE    chosen by cost
 *   some            WEAK      only when no POP is usable
 *   none            DEAD      only when every POP is dead (fail open: a wrong verdict must not end service)
 */
import type { EdgeHealth } from '../model/messages.ts';
import type { Pop } from '../model/pop.ts';

export const DEAD = 0;
export const WEAK = 1;
export const USABLE = 2;

/** Indexed as the SteeringTable of the same POPs. */
export interface SteeringHealth {
  readonly edgeIsDown: Uint8Array;
  /** DEAD, WEAK or USABLE. */
  readonly popStates: Uint8Array;
  /** Share (0..1) of its clients that each POP accepts for its load; null: all of them everywhere. */
  readonly acceptFractions: Float64Array | null;
}

/** Edges without an entry, and `unknown` ones, count as up. */
export function compileHealth(pops: readonly Pop[], health: readonly EdgeHealth[]): SteeringHealth {
  const down = new Set(
    health.filter((edge) => edge.state === 'down').map((edge) => edgeKey(edge.popId, edge.edgeId)),
  );
  const flags: number[] = [];
  const popStates = new Uint8Array(pops.length);
  for (const [index, pop] of pops.entries()) {
    const downFlags = pop.edges.map((edge) => Number(down.has(edgeKey(pop.id, edge.id))));
    const up = downFlags.filter((isDown) => isDown === 0).length;
    popStates[index] = up === 0 ? DEAD : up * 2 >= downFlags.length ? USABLE : WEAK;
    flags.push(...downFlags);
  }
  return { edgeIsDown: Uint8Array.from(flags), popStates, acceptFractions: null };
}

function edgeKey(popId: string, edgeId: string): string {
  return `${popId}/${edgeId}`;
}
