/** The POPs on the map with a list beside it, the busiest first. */
import ServerIcon from '@heroicons/react/24/outline/ServerStackIcon';
import { Button, Skeleton } from '@mantine/core';
import { Link, useLocation } from 'wouter';
import { describeState, type PopSituation, popSituations } from '../../api/pop-situation.ts';
import { useLiveStats, usePops, useStatus } from '../../api/queries.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Failure } from '../../components/failure.tsx';
import { PopMap } from '../../components/map/pop-map.tsx';
import pageClasses from '../../components/page.module.css';
import { Panel } from '../../components/panel.tsx';
import { PopStateBadge } from '../../components/pop-state-badge.tsx';
import { ShareBar } from '../../components/share-bar.tsx';
import { formatRate } from '../../format/quantity.ts';
import classes from './overview.module.css';

const LISTED_MAX = 7;

/** "5 healthy, 1 down". */
function countStates(situations: readonly PopSituation[]): string {
  const counts = new Map<string, number>();
  for (const situation of situations) {
    const word = describeState(situation).word.toLowerCase();
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}

function BusiestPops({ situations }: { readonly situations: readonly PopSituation[] }) {
  const busiest = [...situations].sort((a, b) => b.requestsPerSecond - a.requestsPerSecond);
  const top = busiest[0]?.requestsPerSecond ?? 0;
  return (
    <Panel
      title="POPs"
      description={countStates(situations)}
      actions={
        <Link href="/pops" className={classes.all}>
          All POPs
        </Link>
      }
    >
      <ul className={classes.list}>
        {busiest.slice(0, LISTED_MAX).map((situation) => (
          <li key={situation.pop.id}>
            <div className={classes.line}>
              <span className={classes.name}>{situation.pop.name}</span>
              {situation.state === 'up' && situation.edgesDown === 0 ? null : (
                <PopStateBadge situation={situation} />
              )}
              <span className={classes.figure}>{formatRate(situation.requestsPerSecond)}/s</span>
            </div>
            <ShareBar share={top > 0 ? situation.requestsPerSecond / top : 0} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function World() {
  const pops = usePops();
  const status = useStatus();
  const live = useLiveStats();
  const [, setLocation] = useLocation();
  if (pops.data === undefined) {
    return pops.error === null ? <Skeleton height={360} radius="lg" /> : <Failure error={pops.error} />;
  }
  if (pops.data.length === 0) {
    return (
      <Panel isFlush>
        <EmptyState
          Icon={ServerIcon}
          title="No POPs yet"
          action={
            <Button component={Link} href="/pops">
              Add a POP
            </Button>
          }
        >
          A POP is a place with edges that keep copies near users. The name server sends every user to the
          nearest healthy one; with none, it has nobody to send users to.
        </EmptyState>
      </Panel>
    );
  }
  const situations = popSituations(pops.data, status.data, live.data);
  return (
    <div className={pageClasses.two}>
      <Panel isFlush>
        <PopMap situations={situations} onOpen={(popId) => setLocation(`/pops?show=${popId}`)} />
      </Panel>
      <BusiestPops situations={situations} />
    </div>
  );
}
