/** Finding cities by the beginning of their name, for completion in the console and the CLI. */
import { z } from 'zod';
import { API_PREFIX, defineRoute } from './route.ts';

const cityViewSchema = z.object({
  name: z.string(),
  /** State, province or the like; empty where there is none. */
  region: z.string(),
  /** ISO 3166 code. */
  country: z.string(),
  latitude: z.number(),
  longitude: z.number(),
  /** Names this city and no other; may be given as `at` or `from`. */
  label: z.string(),
});
export type CityView = z.output<typeof cityViewSchema>;

export const CITY_ROUTES = {
  listCities: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/cities`,
    summary: 'Find cities, the likeliest first',
    tag: 'cities',
    auth: 'token',
    query: z.strictObject({
      query: z.string().trim().min(1).max(100),
      limit: z.coerce.number().int().min(1).max(50).default(10),
    }),
    status: 200,
    response: z.object({ cities: z.array(cityViewSchema) }),
  }),
} as const;
