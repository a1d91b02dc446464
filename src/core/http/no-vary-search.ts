/**
 * No-Vary-Search (draft-ietf-httpbis-no-vary-search): what of a URL's query a response does not depend on. A field that
 * is invalid anywhere says nothing.
 *
 *   params                   no parameter counts
 *   params=("utm_x" "ref")   these do not
 *   params, except=("id")    only these do
 *   key-order                their order does not
 */
import { parseQuery } from './query.ts';
import { type Member, parseDictionary } from './structured-fields.ts';

export interface SearchVariance {
  /** Names, decoded, that count not, or alone. */
  readonly names: ReadonlySet<string>;
  readonly areNamesAll: boolean;
  readonly countsOrder: boolean;
}

const KEYS: ReadonlySet<string> = new Set(['params', 'except', 'key-order']);

/** Null: absent, invalid, or nothing that makes a difference. */
export function parseNoVarySearch(value: string | null): SearchVariance | null {
  const dictionary = value === null ? null : parseDictionary(value);
  if (dictionary === null || [...dictionary.keys()].some((key) => !KEYS.has(key))) return null;
  const order = booleanOf(dictionary.get('key-order'));
  const params = dictionary.get('params');
  const every = booleanOf(params);
  const ignored = every === 'invalid' ? namesOf(params) : NO_NAMES;
  const counted = namesOf(dictionary.get('except'));
  if (order === 'invalid' || ignored === 'invalid' || counted === 'invalid') return null;
  if (dictionary.has('except') && every !== true) return null;
  const areNamesAll = every === true;
  if (!areNamesAll && ignored.size === 0 && !order) return null;
  return { names: areNamesAll ? counted : ignored, areNamesAll, countsOrder: !order };
}

/** Absent: false. */
function booleanOf(member: Member | undefined): boolean | 'invalid' {
  if (member === undefined) return false;
  return member.kind === 'item' && member.item.type === 'boolean' ? member.item.value : 'invalid';
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Absent: none. */
function namesOf(member: Member | undefined): ReadonlySet<string> | 'invalid' {
  if (member === undefined) return NO_NAMES;
  if (member.kind !== 'inner-list') return 'invalid';
  const names = new Set<string>();
  for (const { item } of member.items) {
    if (item.type !== 'string') return 'invalid';
    names.add(decode(item.value));
  }
  return names;
}

/**
 * The query without what does not count, in one order where the order does not; '' also where there is none. Queries
 * that have the same are equal for the response (the reverse need not hold: spellings of a value are not compared).
 */
export function significantSearch(query: string | null, variance: SearchVariance): string {
  const kept = parseQuery(query ?? '')
    .filter(({ text }) => text !== '')
    .map(({ name, text }) => ({ name: decode(name), text }))
    .filter(({ name }) => variance.names.has(name) === variance.areNamesAll);
  if (!variance.countsOrder)
    kept.sort((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
  return kept.map(({ text }) => text).join('&');
}

/** As forms are read: "+" is a space; what is no encoding stays as it is. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
