/** Finds a site by what a person calls it: its id, or one of its hosts. */
import { AppError } from '#core/base/app-error.ts';
import type { ApiClient } from '#core/contract/client.ts';
import type { SiteView } from '#core/contract/sites.ts';
import { siteIdSchema } from '#core/model/site.ts';
import { readAllPages } from './paging.ts';

export function listAllSites(api: ApiClient): Promise<SiteView[]> {
  return readAllPages(async (after) => {
    const { sites, next } = await api.listSites({ query: { after } });
    return { items: sites, next };
  });
}

/** Throws AppError `not-found` when no site has that id or host. */
export async function findSite(api: ApiClient, name: string): Promise<SiteView> {
  const wanted = name.trim().toLowerCase().replace(/\.$/, '');
  if (siteIdSchema.safeParse(wanted).success) {
    try {
      return await api.getSite({ params: { id: wanted } });
    } catch (error) {
      // A host may be a single label, too.
      if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
    }
  }
  const sites = await listAllSites(api);
  const found = sites.find(({ hosts, cname }) => hosts.includes(wanted) || cname === wanted);
  if (found === undefined) {
    throw new AppError('not-found', `no site has the id or host "${name}"; "perigee site list" shows them`);
  }
  return found;
}
