/**
 * What the hits of a stored response within one second have in common: Age and Cache-Status change with the second,
 * and nothing else does but what a listener says of others (Alt-Svc). Remembered for the responses hit last, so that
 * a popular one is put together once a second instead of once a request. Bounded: the oldest is forgotten.
 */
import type { AlternativeService } from './alternative-service.ts';
import { ROAD_LIMITS } from './limits.ts';
import type { StoredPreparedHead } from './storage/prepared-head.ts';

/** Whose hits are remembered; a ring. */
const remembered: (StoredPreparedHead | null)[] = new Array(ROAD_LIMITS.recentHitsMax).fill(null);
let next = 0;

/** The lines that hits at this age and of such a listener add, when there was one before; else null. */
export function recallLines(
  prepared: StoredPreparedHead,
  ageSeconds: number,
  alternative: AlternativeService | null,
): string | null {
  const { recent } = prepared;
  if (recent === null || recent.ageSeconds !== ageSeconds || recent.alternative !== alternative) return null;
  recent.areSeveral = true;
  return recent.dynamicLines;
}

export function rememberLines(
  prepared: StoredPreparedHead,
  ageSeconds: number,
  alternative: AlternativeService | null,
  dynamicLines: string,
): void {
  if (prepared.recent === null) {
    const forgotten = remembered[next];
    if (forgotten) forgotten.recent = null;
    remembered[next] = prepared;
    next = (next + 1) % ROAD_LIMITS.recentHitsMax;
  }
  prepared.recent = { ageSeconds, alternative, dynamicLines, areSeveral: false, message: null };
}
