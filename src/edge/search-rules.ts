/**
 * What origins have said of late of which parts of a path's query count (No-Vary-Search): by scheme, host and path. A
 * request for a path with such a rule looks for what is stored under the significant query alone; what it finds
 * there answers it if it says the same rule itself.
 */
import { parseNoVarySearch, type SearchVariance, significantSearch } from '#core/http/no-vary-search.ts';
import { queryOf } from '#core/http/query.ts';
import type { Place } from './configuration.ts';
import { ROAD_LIMITS } from './limits.ts';

export interface SearchRule {
  /** As the origin writes it. */
  readonly text: string;
  readonly variance: SearchVariance;
}

/** Two maps that take turns (as in `recent-keys.ts`): at least the newest half is known. */
export class SearchRules {
  #younger = new Map<string, SearchRule>();
  #older = new Map<string, SearchRule>();
  /** Whether none was ever learnt: what every hit asks. */
  isEmpty = true;

  find(pathKey: string): SearchRule | null {
    return this.#younger.get(pathKey) ?? this.#older.get(pathKey) ?? null;
  }

  /** Takes over what the latest response for the path says: a rule, or that there is none. */
  learn(pathKey: string, text: string | null): SearchRule | null {
    const known = this.find(pathKey);
    if (known !== null && known.text === text) return known;
    const variance = parseNoVarySearch(text);
    this.#younger.delete(pathKey);
    this.#older.delete(pathKey);
    if (text === null || variance === null) return null;
    if (this.#younger.size >= ROAD_LIMITS.searchRulesMax / 2) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    const rule = { text, variance };
    this.isEmpty = false;
    this.#younger.set(pathKey, rule);
    return rule;
  }
}

/** Scheme, host and path. */
export function pathKeyOf({ origin, path }: Pick<Place, 'origin' | 'path'>): string {
  return origin + path;
}

/** The cache key under a rule: with the significant query in place of the whole. */
export function searchKeyOf(place: Place, rule: SearchRule): string {
  const { origin, path, keyTarget, cacheKey } = place;
  const search = significantSearch(queryOf(keyTarget), rule.variance);
  const extras = cacheKey.slice(origin.length + keyTarget.length);
  return `${origin}${path}${search === '' ? '' : `?${search}`}${extras}`;
}

/** The place as the rule for its path, if there is one, has it now. */
export function searchPlace(rules: SearchRules, place: Place): Place {
  const own = place.search === null ? place : place.search.own;
  if (rules.isEmpty) return own;
  const rule = rules.find(pathKeyOf(own));
  if (rule === null) return own;
  return { ...own, cacheKey: searchKeyOf(own, rule), search: { text: rule.text, own } };
}
