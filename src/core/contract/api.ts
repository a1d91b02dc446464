/** The whole control API, by operation. */
import { CACHE_ROUTES } from './cache.ts';
import { CITY_ROUTES } from './cities.ts';
import { EXPLAIN_ROUTES } from './explain.ts';
import { POP_ROUTES } from './pops.ts';
import { PURGE_ROUTES } from './purges.ts';
import { SITE_ROUTES } from './sites.ts';
import { STATS_ROUTES } from './stats.ts';
import { STATUS_ROUTES } from './status.ts';
import { TOKEN_ROUTES } from './tokens.ts';

export const API_ROUTES = {
  ...SITE_ROUTES,
  ...POP_ROUTES,
  ...PURGE_ROUTES,
  ...STATS_ROUTES,
  ...STATUS_ROUTES,
  ...EXPLAIN_ROUTES,
  ...CACHE_ROUTES,
  ...TOKEN_ROUTES,
  ...CITY_ROUTES,
} as const;

export type ApiRoutes = typeof API_ROUTES;
export type Operation = keyof ApiRoutes;
