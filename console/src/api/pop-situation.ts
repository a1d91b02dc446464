/** How a POP is at this moment: its configuration, the name server's word on its edges, and its traffic. */
import type { LiveStats } from '#core/contract/stats.ts';
import type { Status } from '#core/contract/status.ts';
import type { Pop } from '#core/model/pop.ts';

export interface PopSituation {
  readonly pop: Pop;
  /** `down`: no edge of it is up, so nobody is sent there; `unknown`: no edge has reported yet. */
  readonly state: 'up' | 'down' | 'drained' | 'unknown';
  readonly edgesDown: number;
  /** What the name server says of the first edge that is down, null when none is. */
  readonly reason: string | null;
  /** ms since the epoch; of that same edge. */
  readonly since: number | null;
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly hitRatio: number | null;
}

export function popSituations(
  pops: readonly Pop[],
  status: Status | undefined,
  live: LiveStats | undefined,
): PopSituation[] {
  const healthByEdge = new Map(status?.health.map((health) => [health.edgeId, health]));
  const liveByPop = new Map(live?.pops.map((traffic) => [traffic.id, traffic]));
  return pops.map((pop) => {
    const verdicts = pop.edges.flatMap((edge) => healthByEdge.get(edge.id) ?? []);
    const down = verdicts.filter((verdict) => verdict.state === 'down');
    const isAnyUp = verdicts.some((verdict) => verdict.state === 'up');
    const traffic = liveByPop.get(pop.id);
    return {
      pop,
      state:
        pop.state === 'drained'
          ? 'drained'
          : isAnyUp
            ? 'up'
            : down.length === pop.edges.length
              ? 'down'
              : 'unknown',
      edgesDown: down.length,
      reason: down[0]?.reason ?? null,
      since: down[0]?.since ?? null,
      requestsPerSecond: traffic?.requestsPerSecond ?? 0,
      bytesPerSecond: traffic?.bytesPerSecond ?? 0,
      hitRatio: traffic?.hitRatio ?? null,
    };
  });
}

/** The state in a word and in a sentence. */
export function describeState(situation: PopSituation): { readonly word: string; readonly sentence: string } {
  const { state, edgesDown, pop } = situation;
  if (state === 'drained') return { word: 'Drained', sentence: 'No new users are sent here.' };
  if (state === 'down') return { word: 'Down', sentence: 'No edge answers; users go to the next POP.' };
  if (state === 'unknown') return { word: 'Not heard of', sentence: 'No edge has reported yet.' };
  if (edgesDown > 0) {
    return { word: 'Degraded', sentence: `${edgesDown} of ${pop.edges.length} edges are down.` };
  }
  return { word: 'Healthy', sentence: pop.edges.length === 1 ? 'Its edge is up.' : 'All edges are up.' };
}
