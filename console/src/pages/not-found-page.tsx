/** An address without a page. */
import MapIcon from '@heroicons/react/24/outline/MapIcon';
import { Button } from '@mantine/core';
import { Link } from 'wouter';
import { EmptyState } from '../components/empty-state.tsx';
import { PageHeader } from '../components/page-header.tsx';
import { Panel } from '../components/panel.tsx';

export function NotFoundPage() {
  return (
    <>
      <PageHeader title="Not found" />
      <Panel isFlush>
        <EmptyState
          Icon={MapIcon}
          title="There is no such page"
          action={
            <Button component={Link} href="/">
              To the overview
            </Button>
          }
        >
          The address may be mistyped, or what it showed may have been deleted.
        </EmptyState>
      </Panel>
    </>
  );
}
