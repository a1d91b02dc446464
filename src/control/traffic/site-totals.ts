/** Traffic since this control plane started, by site and POP: what /metrics counts up. */
import type { Rollup } from '#core/model/messages.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { addCounters, type Counters, emptyCounters } from './counters.ts';

export interface SiteTotal {
  readonly siteId: string;
  readonly popId: string;
  readonly counters: Counters;
}

/** Traffic of pairs beyond the limit is counted under this name. */
const OTHER = 'other';

export class SiteTotals {
  readonly #totals = new Map<string, SiteTotal>();

  add(rollup: Rollup): void {
    addCounters(this.#find(rollup.siteId, rollup.popId).counters, rollup);
  }

  list(): Iterable<SiteTotal> {
    return this.#totals.values();
  }

  #find(siteId: string, popId: string): SiteTotal {
    const key = `${siteId} ${popId}`;
    const known = this.#totals.get(key);
    if (known !== undefined) return known;
    if (this.#totals.size >= CONTROL_LIMITS.metricSeriesMax && siteId !== OTHER)
      return this.#find(OTHER, OTHER);
    const total = { siteId, popId, counters: emptyCounters() };
    this.#totals.set(key, total);
    return total;
  }
}
