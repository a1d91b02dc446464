/** The first page: how the CDN is doing at this moment, where, and for whom. */
import { useState } from 'react';
import { useLiveStats } from '../../api/queries.ts';
import { type TimeRange, useTraffic } from '../../api/time-range.ts';
import { Failure } from '../../components/failure.tsx';
import pageClasses from '../../components/page.module.css';
import { PageHeader } from '../../components/page-header.tsx';
import { RangeControl } from '../../components/range-control.tsx';
import { TrafficChart } from '../../components/traffic-chart.tsx';
import { TrafficFigures } from '../../components/traffic-figures.tsx';
import { BusiestSites } from './busiest-sites.tsx';
import { World } from './world.tsx';

export default function OverviewPage() {
  const [range, setRange] = useState<TimeRange>('15m');
  const live = useLiveStats();
  const { view, error } = useTraffic(range);
  return (
    <>
      <PageHeader
        title="Overview"
        description="What users get, and what the origins are spared."
        actions={<RangeControl value={range} onChange={setRange} />}
      />
      <div className={pageClasses.stack}>
        {view === undefined && error !== null && <Failure error={error} />}
        <TrafficFigures view={view} requestsPerSecond={live.data?.requestsPerSecond} />
        <World />
        <div className={pageClasses.two}>
          <TrafficChart view={view} />
          <BusiestSites range={range} />
        </div>
      </div>
    </>
  );
}
