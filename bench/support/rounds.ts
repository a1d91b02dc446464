/**
 * Measures caches in turns, so that whatever else the machine does in the meantime meets each of them.
 * Each figure is the median of its rounds.
 */
import type { BenchRow } from '../bench-result.ts';
import type { RunningCache } from './caches.ts';
import { type LoadFigures, mediansOf } from './load.ts';

export const ROUNDS = 3;

/** Whole seconds are what the load generators take. */
const WARM_UP_SECONDS = 1;

export interface Scenario {
  /** Such as "1 KiB, http/1.1, wrk". */
  readonly name: string;
  /** One measurement of one cache; null when it cannot play this. Rejects when it was not what it should be. */
  play(cache: RunningCache, seconds: number, isWarmUp: boolean): Promise<LoadFigures | null>;
}

export async function measureInTurns(
  caches: readonly RunningCache[],
  scenarios: readonly Scenario[],
  seconds: number,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const scenario of scenarios) {
    process.stderr.write(`${scenario.name}\n`);
    const rounds = new Map<RunningCache, LoadFigures[]>();
    for (const cache of caches) await play(scenario, cache, WARM_UP_SECONDS, true);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const cache of caches) {
        const figures = await play(scenario, cache, seconds, false);
        if (figures !== null) rounds.set(cache, [...(rounds.get(cache) ?? []), figures]);
      }
    }
    for (const [cache, figures] of rounds) {
      rows.push({ subject: cache.name, scenario: scenario.name, figures: mediansOf(figures) });
    }
  }
  return rows;
}

async function play(
  scenario: Scenario,
  cache: RunningCache,
  seconds: number,
  isWarmUp: boolean,
): Promise<LoadFigures | null> {
  try {
    return await scenario.play(cache, seconds, isWarmUp);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${cache.name}, ${scenario.name}: ${reason}`, { cause: error });
  }
}
