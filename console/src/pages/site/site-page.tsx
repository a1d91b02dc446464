/** One site: its traffic, how long its responses are kept, purges, and its settings. */
import ChevronIcon from '@heroicons/react/24/outline/ChevronLeftIcon';
import SearchIcon from '@heroicons/react/24/outline/MagnifyingGlassIcon';
import { Anchor, Button, Tabs } from '@mantine/core';
import { Link, useSearchParams } from 'wouter';
import type { SiteView } from '#core/contract/sites.ts';
import { useSite } from '../../api/queries.ts';
import { isNotFound } from '../../api/refusal.ts';
import { CopyText } from '../../components/copy-text.tsx';
import { Failure } from '../../components/failure.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { PageSkeleton } from '../../components/page-skeleton.tsx';
import { NotFoundPage } from '../not-found-page.tsx';
import { PurgeTab } from './purge-tab.tsx';
import { RulesTab } from './rules-tab.tsx';
import { SettingsTab } from './settings-tab.tsx';
import { TrafficTab } from './traffic-tab.tsx';

const TABS = [
  { value: 'traffic', label: 'Traffic', Content: TrafficTab },
  { value: 'rules', label: 'Cache rules', Content: RulesTab },
  { value: 'purge', label: 'Purge', Content: PurgeTab },
  { value: 'settings', label: 'Settings', Content: SettingsTab },
] as const;

function SiteHeader({ site }: { readonly site: SiteView }) {
  const host = site.hosts[0] ?? site.id;
  return (
    <PageHeader
      above={
        <Anchor component={Link} href="/sites" size="sm" c="dimmed">
          <ChevronIcon width={13} style={{ verticalAlign: '-2px' }} /> Sites
        </Anchor>
      }
      title={host}
      description={
        <>
          CNAME <CopyText text={site.cname} what="CNAME" />
        </>
      }
      actions={
        <Button
          component={Link}
          href={`/explain?url=${encodeURIComponent(`http://${host}/`)}`}
          variant="default"
          size="xs"
          leftSection={<SearchIcon width={15} />}
        >
          Explain a URL
        </Button>
      }
    />
  );
}

export default function SitePage(props: { readonly id: string }) {
  const site = useSite(props.id);
  const [parameters, setParameters] = useSearchParams();
  if (isNotFound(site.error)) return <NotFoundPage />;
  if (site.data === undefined) return site.error === null ? <PageSkeleton /> : <Failure error={site.error} />;
  const shown = TABS.find(({ value }) => value === parameters.get('tab')) ?? TABS[0];
  return (
    <>
      <SiteHeader site={site.data} />
      <Tabs value={shown.value} onChange={(value) => setParameters({ tab: value ?? '' })} keepMounted={false}>
        <Tabs.List mb="md">
          {TABS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map(({ value, Content }) => (
          <Tabs.Panel key={value} value={value}>
            <Content site={site.data} />
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}
