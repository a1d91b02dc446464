/**
 * Everything the console reads, as queries that refresh themselves. What moves (traffic, health) is asked
 * every two seconds while the tab is seen; lists that only people change, less often. A query that fails
 * keeps its last answer; `connection.ts` says since when it is old.
 */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { SiteView } from '#core/contract/sites.ts';
import type { Pop } from '#core/model/pop.ts';
import { useApi } from './api-context.tsx';

export const LIVE_INTERVAL_MS = 2_000;
const LIST_INTERVAL_MS = 5_000;
const HISTORY_INTERVAL_MS = 10_000;
/** Pages of a list that are read at most, 1,000 items each. */
const PAGES_MAX = 10;

interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

async function readAllPages<Item>(readPage: (after?: string) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = await readPage(after);
    items.push(...page.items);
    if (page.next === null) break;
    after = page.next;
  }
  return items;
}

export function useStatus() {
  const api = useApi();
  return useQuery({
    queryKey: ['status'],
    queryFn: () => api.getStatus(),
    refetchInterval: LIVE_INTERVAL_MS,
  });
}

export function useLiveStats() {
  const api = useApi();
  return useQuery({
    queryKey: ['stats', 'live'],
    queryFn: () => api.getLiveStats(),
    refetchInterval: LIVE_INTERVAL_MS,
  });
}

/** Traffic of the last minutes; the answer of the range before stays until the new one is there. */
export function useStats(minutes: number) {
  const api = useApi();
  return useQuery({
    queryKey: ['stats', 'minutes', minutes],
    queryFn: () => api.getStats({ query: { minutes } }),
    refetchInterval: minutes <= 60 ? LIVE_INTERVAL_MS : HISTORY_INTERVAL_MS,
    placeholderData: keepPreviousData,
  });
}

export function useSites() {
  const api = useApi();
  return useQuery({
    queryKey: ['sites'],
    queryFn: () =>
      readAllPages<SiteView>(async (after) => {
        const { sites, next } = await api.listSites({ query: after === undefined ? {} : { after } });
        return { items: sites, next };
      }),
    refetchInterval: LIST_INTERVAL_MS,
  });
}

export function useSite(id: string) {
  const api = useApi();
  return useQuery({
    queryKey: ['sites', id],
    queryFn: () => api.getSite({ params: { id } }),
    refetchInterval: LIST_INTERVAL_MS,
  });
}

export function usePops() {
  const api = useApi();
  return useQuery({
    queryKey: ['pops'],
    queryFn: () =>
      readAllPages<Pop>(async (after) => {
        const { pops, next } = await api.listPops({ query: after === undefined ? {} : { after } });
        return { items: pops, next };
      }),
    refetchInterval: LIST_INTERVAL_MS,
  });
}

export function usePurges() {
  const api = useApi();
  return useQuery({
    queryKey: ['purges'],
    queryFn: () => api.listPurges({ query: { limit: 200 } }),
    refetchInterval: LIST_INTERVAL_MS,
  });
}

/** Cities for what has been typed so far; asks nothing while that is empty or begins a number. */
export function useCities(typed: string) {
  const api = useApi();
  const query = typed.trim();
  return useQuery({
    queryKey: ['cities', query],
    queryFn: () => api.listCities({ query: { query, limit: 8 } }),
    enabled: /^\p{L}/u.test(query) && query.length <= 100,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });
}

export function useExplanation(question: { readonly url: string; readonly from: string } | null) {
  const api = useApi();
  return useQuery({
    queryKey: ['explain', question],
    queryFn: () => {
      const { url, from } = question ?? { url: '', from: '' };
      return api.explain({ query: from === '' ? { url } : { url, from } });
    },
    enabled: question !== null,
    refetchInterval: LIST_INTERVAL_MS,
    placeholderData: keepPreviousData,
  });
}
