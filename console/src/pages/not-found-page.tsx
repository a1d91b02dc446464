/** An address without a page. */
import MapIcon from '@heroicons/react/24/outline/MapIcon';
import { Button } from '@mantine/core';
import { Link } from 'wouter';
import { EmptyState } from '../components/empty-state.tsx';

export function NotFoundPage() {
  return (
    <EmptyState
      Icon={MapIcon}
      title="There is no such page"
      action={
        <Button component={Link} href="/">
          To the overview
        </Button>
      }
    >
      The address may be mistyped, or from another version of the console.
    </EmptyState>
  );
}
