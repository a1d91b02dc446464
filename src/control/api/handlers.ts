/** What each operation of the contract does: one line to the service that does it. */
import type { ApiRoutes, Operation } from '#core/contract/api.ts';
import type { ResponseOf } from '#core/contract/route.ts';
import type { Site } from '#core/model/site.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { CitySearch } from '../places/city-search.ts';
import type { Explainer } from '../services/explain.ts';
import type { Parts } from '../services/parts.ts';
import type { Pops } from '../services/pops.ts';
import type { Purges } from '../services/purges.ts';
import type { Sites } from '../services/sites.ts';
import type { StoredResponses } from '../services/stored-responses.ts';
import type { SystemStatus } from '../services/system-status.ts';
import type { LiveWindow } from '../traffic/live-window.ts';
import type { TrafficLog } from '../traffic/traffic-log.ts';
import type { ParsedRequest } from './parse-request.ts';

export interface Services {
  readonly sites: Sites;
  readonly pops: Pops;
  readonly purges: Purges;
  readonly tokens: Tokens;
  readonly cities: CitySearch;
  readonly parts: Parts;
  readonly systemStatus: SystemStatus;
  readonly explainer: Explainer;
  readonly storedResponses: StoredResponses;
  readonly traffic: TrafficLog;
  readonly live: LiveWindow;
}

export type Handlers = {
  readonly [Name in Operation]: (
    request: ParsedRequest<ApiRoutes[Name]>,
  ) => Promise<ResponseOf<ApiRoutes[Name]>>;
};

export function createHandlers(services: Services): Handlers {
  const {
    sites,
    pops,
    purges,
    tokens,
    cities,
    parts,
    systemStatus,
    explainer,
    storedResponses,
    traffic,
    live,
  } = services;
  return {
    listSites: ({ query }) => sites.list(query.after ?? '', query.limit),
    createSite: ({ body }) => sites.create(withoutCname(body)),
    getSite: ({ params }) => sites.get(params.id),
    putSite: ({ params, body }) => sites.put(params.id, withoutCname(body)),
    patchSite: ({ params, body }) => sites.patch(params.id, body),
    deleteSite: async ({ params }) => {
      await sites.remove(params.id);
      return undefined;
    },
    listPops: ({ query }) => pops.list(query.after ?? '', query.limit),
    createPop: ({ body }) => pops.create(body),
    getPop: ({ params }) => pops.get(params.id),
    putPop: ({ params, body }) => pops.put(params.id, body),
    patchPop: ({ params, body }) => pops.patch(params.id, body),
    deletePop: async ({ params }) => {
      await pops.remove(params.id);
      return undefined;
    },
    listNetworks: async () => ({ networks: await pops.listNetworks() }),
    putNetworks: async ({ body }) => ({ networks: await pops.putNetworks(body.networks) }),
    createPurge: ({ body }) => purges.create(body),
    listPurges: async ({ query }) => ({ purges: await purges.list(query.before ?? null, query.limit) }),
    getStats: ({ query }) => traffic.view(query.minutes),
    getLiveStats: async () => live.view(),
    getStatus: () => systemStatus.view(),
    getHealth: () => parts.health(),
    explain: ({ query, clientAddress }) => explainer.explain(query.url, query.from ?? null, clientAddress),
    inspectCache: ({ query }) => storedResponses.inspect(query.url),
    listPopular: ({ query }) => storedResponses.top(query.limit),
    listTokens: async () => ({ tokens: await tokens.list() }),
    createToken: ({ body }) => tokens.create(body.name),
    deleteToken: async ({ params }) => {
      await tokens.remove(params.id);
      return undefined;
    },
    listCities: async ({ query }) => ({ cities: cities.complete(query.query, query.limit) }),
  };
}

/** The name in the zone is computed; a body may carry it as it was read. */
function withoutCname({ cname: _, ...site }: Site & { readonly cname?: string | undefined }): Site {
  return site;
}
