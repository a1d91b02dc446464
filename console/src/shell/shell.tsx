/** What surrounds every page: the way around, the zone, the connection, and the banner when it is lost. */
import { type ReactNode, Suspense } from 'react';
import { useLocation } from 'wouter';
import { useConnection } from '../api/connection.ts';
import { useStatus } from '../api/queries.ts';
import { PageSkeleton } from '../components/page-skeleton.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { ConnectionLight } from './connection-light.tsx';
import { Logo } from './logo.tsx';
import { Navigation } from './navigation.tsx';
import { PageBoundary } from './page-boundary.tsx';
import { SettingsButtons } from './settings-buttons.tsx';
import classes from './shell.module.css';

export function Shell(props: { readonly children: ReactNode }) {
  const connection = useConnection();
  const status = useStatus();
  const [location] = useLocation();
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        Skip to the page
      </a>
      <nav className={classes.side} aria-label="Main">
        <Logo />
        <Navigation />
        <div className={classes.foot}>
          <div className={classes.zone}>
            <span className={classes.zoneName}>{status.data?.zone ?? ' '}</span>
            <ConnectionLight connection={connection} />
          </div>
          <SettingsButtons />
        </div>
      </nav>
      <div className={classes.body}>
        <ConnectionBanner connection={connection} />
        <main id="content" className={classes.content} tabIndex={-1}>
          <PageBoundary key={location}>
            <Suspense fallback={<PageSkeleton />}>{props.children}</Suspense>
          </PageBoundary>
        </main>
      </div>
    </div>
  );
}
