/** A worker's storage as operators see it: all of it, its tiers, and what is wrong. */
import type { PartStatus, StorageTier } from '#core/model/messages.ts';
import type { OpenedStorage } from './storage/open-storage.ts';
import type { TierFigures } from './storage/storage.ts';

export function storageStatus({ storage, problem }: OpenedStorage): NonNullable<PartStatus['storage']> {
  const { storedResponses, bodyBytes, budgetBytes } = storage.statistics();
  const tiers = storage.tiers();
  const problems = [problem, ...tiers.map((tier) => tier.problem ?? null)].filter((each) => each !== null);
  return {
    storedResponses,
    bodyBytes,
    budgetBytes,
    problem: problems.length === 0 ? null : problems.join('; '),
    tiers: tiers.map(tierOf),
  };
}

function tierOf(figures: TierFigures): StorageTier {
  const { tier, storedResponses, bodyBytes, budgetBytes, hits, evictions, refusals } = figures;
  return { tier, storedResponses, bodyBytes, budgetBytes, hits, evictions, refusals };
}
