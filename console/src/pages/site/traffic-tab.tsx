/** A site's traffic over a chosen time. */
import { useState } from 'react';
import type { SiteView } from '#core/contract/sites.ts';
import type { Stats } from '#core/contract/stats.ts';
import { useLiveStats, useStats } from '../../api/queries.ts';
import { minutesOf, type TimeRange } from '../../api/time-range.ts';
import { NO_TRAFFIC, type TrafficView, viewTraffic } from '../../api/traffic.ts';
import pageClasses from '../../components/page.module.css';
import { RangeControl } from '../../components/range-control.tsx';
import { TrafficChart } from '../../components/traffic-chart.tsx';
import { TrafficFigures } from '../../components/traffic-figures.tsx';

/** A site that had no request in the time is not in the answer: all its figures are zero. */
function viewOfSite(stats: Stats, siteId: string): TrafficView {
  const { from, to, stepSeconds } = stats;
  const traffic = stats.sites.find(({ id }) => id === siteId);
  return viewTraffic({
    from,
    to,
    stepSeconds,
    totals: traffic?.totals ?? NO_TRAFFIC,
    series: traffic?.series ?? stats.series.map(({ at }) => ({ ...NO_TRAFFIC, at })),
  });
}

export function TrafficTab({ site }: { readonly site: SiteView }) {
  const [range, setRange] = useState<TimeRange>('15m');
  const live = useLiveStats();
  const stats = useStats(minutesOf(range));
  const view = stats.data && viewOfSite(stats.data, site.id);
  const now = live.data && (live.data.sites.find(({ id }) => id === site.id)?.requestsPerSecond ?? 0);
  return (
    <div className={pageClasses.stack}>
      <div>
        <RangeControl value={range} onChange={setRange} isKeptOnly />
      </div>
      <TrafficFigures view={view} requestsPerSecond={now} />
      <TrafficChart view={view} />
    </div>
  );
}
