/** The typed client of the control API, made for the token of the session. */
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { type ApiClient, createApiClient } from '#core/contract/client.ts';
import { sendFromBrowser } from './send.ts';

const ApiContext = createContext<ApiClient | null>(null);

export function ApiProvider(props: { readonly token: string; readonly children: ReactNode }) {
  const api = useMemo(
    () => createApiClient({ baseUrl: '', token: props.token, send: sendFromBrowser }),
    [props.token],
  );
  return <ApiContext value={api}>{props.children}</ApiContext>;
}

export function useApi(): ApiClient {
  const api = useContext(ApiContext);
  if (api === null) throw new Error('useApi is used outside of ApiProvider');
  return api;
}
