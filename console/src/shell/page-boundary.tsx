/**
 * Catches a page that cannot be shown: most likely the console was built anew and this tab still asks for
 * scripts of the build before. The way around stays, and another page is another try.
 */
import ArrowPathIcon from '@heroicons/react/24/outline/ArrowPathIcon';
import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { EmptyState } from '../components/empty-state.tsx';
import { Panel } from '../components/panel.tsx';

interface PageBoundaryProps {
  readonly children: ReactNode;
}

interface PageBoundaryState {
  readonly failure: string | null;
}

export class PageBoundary extends Component<PageBoundaryProps, PageBoundaryState> {
  override state: PageBoundaryState = { failure: null };

  static getDerivedStateFromError(error: unknown): PageBoundaryState {
    return { failure: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    if (this.state.failure === null) return this.props.children;
    return (
      <Panel isFlush>
        <EmptyState
          Icon={ArrowPathIcon}
          title="This page could not be shown"
          action={<Button onClick={() => location.reload()}>Load the console anew</Button>}
        >
          The console may have been updated since this tab was opened. ({this.state.failure})
        </EmptyState>
      </Panel>
    );
  }
}
