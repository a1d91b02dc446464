/** Wires everything around the pages: theme, notices, session, answers, and which page an address shows. */
import { MantineProvider } from '@mantine/core';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Route, Switch } from 'wouter';
import { ApiProvider } from './api/api-context.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import type { Session } from './session/session.ts';
import { SessionProvider, useSessionState } from './session/session-context.tsx';
import { Shell } from './shell/shell.tsx';
import { theme } from './theme.ts';

const OverviewPage = lazy(() => import('./pages/overview/overview-page.tsx'));
const SitesPage = lazy(() => import('./pages/sites/sites-page.tsx'));
const SitePage = lazy(() => import('./pages/site/site-page.tsx'));
const PopsPage = lazy(() => import('./pages/pops/pops-page.tsx'));
const ExplainPage = lazy(() => import('./pages/explain/explain-page.tsx'));
const SignInPage = lazy(() => import('./session/sign-in-page.tsx'));
const Notices = lazy(() => import('./shell/notices.tsx'));
const StatusPage = lazy(() => import('./pages/status/status-page.tsx'));

function SignedIn(props: { readonly queryClient: QueryClient }) {
  const { token } = useSessionState();
  // Answers belong to the token they were given for.
  useEffect(() => {
    if (token === null) props.queryClient.clear();
  }, [token, props.queryClient]);
  if (token === null) {
    return (
      <Suspense>
        <SignInPage />
      </Suspense>
    );
  }
  return (
    <ApiProvider token={token}>
      <Shell>
        <Switch>
          <Route path="/" component={OverviewPage} />
          <Route path="/sites" component={SitesPage} />
          <Route path="/sites/:id">{(params) => <SitePage key={params.id} id={params.id} />}</Route>
          <Route path="/pops" component={PopsPage} />
          <Route path="/explain" component={ExplainPage} />
          <Route path="/status" component={StatusPage} />
          <Route component={NotFoundPage} />
        </Switch>
      </Shell>
    </ApiProvider>
  );
}

export function App(props: { readonly session: Session; readonly queryClient: QueryClient }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Suspense>
        <Notices />
      </Suspense>
      <QueryClientProvider client={props.queryClient}>
        <SessionProvider session={props.session}>
          <SignedIn queryClient={props.queryClient} />
        </SessionProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
