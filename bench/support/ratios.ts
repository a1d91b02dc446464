/** How much better one subject does than each other, scenario by scenario. */
import type { BenchRatio, BenchRow } from '../bench-result.ts';
import { median } from './rounds.ts';

/** Figures of which less is better; of all others more is. */
const LESS_IS_BETTER = /microseconds|milliseconds|^bytes/i;

export function isLessBetter(figure: string): boolean {
  return LESS_IS_BETTER.test(figure);
}

/** Medians of the ratios of each round: what slows a whole round says nothing about either. */
export function ratiosOf(rows: readonly BenchRow[], subject: string): BenchRatio[] {
  const ratios: BenchRatio[] = [];
  for (const own of rows) {
    if (own.subject !== subject) continue;
    for (const other of rows) {
      if (other.subject === subject || other.scenario !== own.scenario) continue;
      for (const figure of Object.keys(own.figures)) {
        const ratio = median(ratiosByRound(own, other, figure));
        if (Number.isFinite(ratio))
          ratios.push({ scenario: own.scenario, figure, against: other.subject, ratio });
      }
    }
  }
  return ratios;
}

function ratiosByRound(own: BenchRow, other: BenchRow, figure: string): number[] {
  return own.rounds.map((figures, round) => {
    const ours = figures[figure] ?? Number.NaN;
    const theirs = other.rounds[round]?.[figure] ?? Number.NaN;
    return isLessBetter(figure) ? theirs / ours : ours / theirs;
  });
}
