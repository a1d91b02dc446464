/**
 * Which of the stored responses under a cache key answers a request (RFC 9111 §4.1): its Vary values must
 * equal the request's in normal form; of several the one with the newest Date is selected.
 */
import type { FieldReader } from '#core/http/fields.ts';
import { normaliseVaryValue, preferredLanguage } from '#core/http/vary.ts';
import type { StoredHead } from './stored-head.ts';

/** Index of the selected response, or -1. */
export function selectStored(request: FieldReader, heads: readonly StoredHead[]): number {
  let selected = -1;
  let newestAt = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < heads.length; i++) {
    const head = heads[i] as StoredHead;
    if (!matchesVary(request, head)) continue;
    const isNewer =
      head.dateAt > newestAt ||
      (head.dateAt === newestAt && head.respondedAt > (heads[selected] as StoredHead).respondedAt);
    if (isNewer) {
      selected = i;
      newestAt = head.dateAt;
    }
  }
  return selected;
}

/** Whether the request's values of the nominated fields equal those the response was selected by. */
export function matchesVary(request: FieldReader, head: StoredHead): boolean {
  const names = head.varyNames;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const stored = head.varyValues[i] as string | null;
    const value = request.get(name);
    if (value === stored) continue;
    if (value === null) return false;
    if (stored !== null && normaliseVaryValue(name, value) === stored) continue;
    if (name === 'accept-language' && isPreferredLanguage(value, head)) continue;
    return false;
  }
  return true;
}

/**
 * A response that says it is in the one language this user prefers above all others is what negotiation
 * would have selected, whatever list of languages it was fetched with.
 */
function isPreferredLanguage(acceptLanguage: string, head: StoredHead): boolean {
  const contentLanguage = head.fields.get('content-language');
  return contentLanguage !== null && preferredLanguage(acceptLanguage) === contentLanguage.toLowerCase();
}

/** The normal forms of a request's values for `names`, as `StoredHead.varyValues` keeps them. */
export function varyValuesOf(request: FieldReader, names: readonly string[]): (string | null)[] {
  return names.map((name) => {
    const value = request.get(name);
    return value === null ? null : normaliseVaryValue(name, value);
  });
}
