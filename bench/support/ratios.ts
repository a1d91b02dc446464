/** How much better one subject does than each other, scenario by scenario. */
import type { BenchRatio, BenchRow } from '../bench-result.ts';

/** Figures of which less is better; of all others more is. */
const LESS_IS_BETTER = /microseconds|milliseconds|bytes/i;

export function ratiosOf(rows: readonly BenchRow[], subject: string): BenchRatio[] {
  const ratios: BenchRatio[] = [];
  for (const own of rows) {
    if (own.subject !== subject) continue;
    for (const other of rows) {
      if (other.subject === subject || other.scenario !== own.scenario) continue;
      for (const [figure, value] of Object.entries(own.figures)) {
        const against = other.figures[figure] ?? null;
        if (value === null || against === null || value === 0 || against === 0) continue;
        const ratio = LESS_IS_BETTER.test(figure) ? against / value : value / against;
        ratios.push({ scenario: own.scenario, figure, against: other.subject, ratio });
      }
    }
  }
  return ratios;
}
