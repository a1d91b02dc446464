/** The sites with most requests in the time shown. */
import SitesIcon from '@heroicons/react/24/outline/WindowIcon';
import { Button, Skeleton } from '@mantine/core';
import { Link } from 'wouter';
import { useSites, useStats } from '../../api/queries.ts';
import { minutesOf, type TimeRange } from '../../api/time-range.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { ShareBar } from '../../components/share-bar.tsx';
import { formatCount, formatRatio } from '../../format/quantity.ts';
import classes from './overview.module.css';

const LISTED_MAX = 5;

export function BusiestSites(props: { readonly range: TimeRange }) {
  const sites = useSites();
  const stats = useStats(minutesOf(props.range));
  if (sites.data === undefined) return <Skeleton height={300} radius="lg" />;
  if (sites.data.length === 0) {
    return (
      <Panel isFlush>
        <EmptyState
          Icon={SitesIcon}
          title="No sites yet"
          action={
            <Button component={Link} href="/sites?add">
              Add a site
            </Button>
          }
        >
          A site is a host name of yours and the origin server behind it. It is live in seconds.
        </EmptyState>
      </Panel>
    );
  }
  const trafficById = new Map(stats.data?.sites.map((site) => [site.id, site.totals]));
  const busiest = sites.data
    .map((site) => ({ site, requests: trafficById.get(site.id)?.requests ?? 0 }))
    .sort((a, b) => b.requests - a.requests);
  const top = busiest[0]?.requests ?? 0;
  return (
    <Panel
      title="Sites"
      description={sites.data.length === 1 ? '1 site' : `${sites.data.length} sites`}
      actions={
        <Link href="/sites" className={classes.all}>
          All sites
        </Link>
      }
    >
      <ul className={classes.list}>
        {busiest.slice(0, LISTED_MAX).map(({ site, requests }) => (
          <li key={site.id}>
            <div className={classes.line}>
              <Link href={`/sites/${site.id}`} className={classes.name}>
                {site.hosts[0]}
              </Link>
              <span className={classes.figure}>
                {formatCount(requests)} · {formatRatio(trafficById.get(site.id)?.hitRatio ?? null)}
              </span>
            </div>
            <ShareBar share={top > 0 ? requests / top : 0} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
