/** Whether a request has what the site lets pass the cache by: a header, a cookie, or a query parameter. */
import { cookiesOf } from '#core/http/cookies.ts';
import type { Fields } from '#core/http/fields.ts';
import { parseQuery, queryOf } from '#core/http/query.ts';
import type { BypassConditions } from '#core/model/cache-settings.ts';
import { matchesPattern } from './name-pattern.ts';

/** `target`: normalised path and query. */
export function meetsBypass(conditions: BypassConditions, fields: Fields, target: string): boolean {
  for (const name of conditions.headers) if (fields.has(name)) return true;
  const { cookies, query } = conditions;
  if (cookies.length > 0) {
    for (const { name, value } of cookiesOf(fields)) if (matchesPattern(cookies, name, value)) return true;
  }
  const asked = query.length === 0 ? null : queryOf(target);
  if (asked === null) return false;
  return parseQuery(asked).some(({ name, value }) => matchesPattern(query, name, value));
}
