/** All sites with what the CDN does for them, and the way to add one. */
import MagnifierIcon from '@heroicons/react/24/outline/MagnifyingGlassIcon';
import PlusIcon from '@heroicons/react/24/outline/PlusIcon';
import SitesIcon from '@heroicons/react/24/outline/WindowIcon';
import { Button, Skeleton, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { useSites, useStats } from '../../api/queries.ts';
import { minutesOf, type TimeRange } from '../../api/time-range.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Failure } from '../../components/failure.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { Panel } from '../../components/panel.tsx';
import { RangeControl } from '../../components/range-control.tsx';
import { AddSiteDialog } from './add-site-dialog.tsx';
import { SitesTable } from './sites-table.tsx';

function SitesPanel(props: {
  readonly range: TimeRange;
  readonly search: string;
  readonly onAdd: () => void;
}) {
  const sites = useSites();
  const stats = useStats(minutesOf(props.range));
  if (sites.data === undefined) {
    return sites.error === null ? <Skeleton height={320} radius="lg" /> : <Failure error={sites.error} />;
  }
  if (sites.data.length === 0) {
    return (
      <Panel isFlush>
        <EmptyState
          Icon={SitesIcon}
          title="Add your first site"
          action={<Button onClick={props.onAdd}>Add a site</Button>}
        >
          Say which host name your users type and which server has the content. Perigee fetches each thing
          once, keeps it near your users, and takes the load off your server.
        </EmptyState>
      </Panel>
    );
  }
  const wanted = props.search.trim().toLowerCase();
  const found = sites.data.filter(
    (site) => site.id.includes(wanted) || site.hosts.some((host) => host.includes(wanted)),
  );
  return (
    <Panel isFlush>
      {found.length === 0 ? (
        <EmptyState Icon={MagnifierIcon} title="No site like this">
          No id and no host name contains “{props.search.trim()}”.
        </EmptyState>
      ) : (
        <SitesTable sites={found} traffic={stats.data} />
      )}
    </Panel>
  );
}

export default function SitesPage() {
  const [range, setRange] = useState<TimeRange>('24h');
  const [search, setSearch] = useState('');
  const [parameters, setParameters] = useSearchParams();
  return (
    <>
      <PageHeader
        title="Sites"
        description="Each site is one or more host names with the origin behind them."
        actions={
          <>
            <RangeControl value={range} onChange={setRange} isKeptOnly />
            <TextInput
              size="xs"
              aria-label="Find a site"
              placeholder="Find a site"
              leftSection={<MagnifierIcon width={15} />}
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
            />
            <Button
              size="xs"
              leftSection={<PlusIcon width={16} />}
              onClick={() => setParameters({ add: '' })}
            >
              Add a site
            </Button>
          </>
        }
      />
      <SitesPanel range={range} search={search} onAdd={() => setParameters({ add: '' })} />
      <AddSiteDialog isOpen={parameters.has('add')} onClose={() => setParameters({})} />
    </>
  );
}
