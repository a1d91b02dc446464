/** The cache of answers. Polling asks again anyway, so nothing is retried; a refused token ends the session. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import type { Session } from '../session/session.ts';
import { isUnauthenticated } from './refusal.ts';

export function createQueryClient(session: Session): QueryClient {
  function endSessionIfRefused(error: unknown): void {
    if (!isUnauthenticated(error)) return;
    session.signOut('The control plane does not know this token (any more). Sign in with a valid one.');
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError: endSessionIfRefused }),
    mutationCache: new MutationCache({ onError: endSessionIfRefused }),
    defaultOptions: {
      // The browser's own idea of being offline says nothing about a control plane on loopback.
      queries: { retry: false, networkMode: 'always', staleTime: 1_000 },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
