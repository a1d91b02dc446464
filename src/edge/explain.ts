/** What this worker would do with a plain GET for a URL, without doing it: the road's own judgement, looked on. */
import { decide } from '#core/caching/decide.ts';
import { currentAgeSeconds, isFresh } from '#core/caching/freshness.ts';
import { Fields } from '#core/http/fields.ts';
import { describeCaching } from '#core/model/caching-text.ts';
import type { CacheExplanation, PartName } from '#core/model/messages.ts';
import { selectRule } from '#core/model/route.ts';
import type { Rule } from '#core/model/site.ts';
import type { Place } from './configuration.ts';
import { placeOfUrl } from './place-of-url.ts';
import type { Road } from './road.ts';
import { peekAt, select, settingsOfStored } from './select-response.ts';
import type { StoredResponse } from './storage/storage.ts';

/** `url`: complete, http or https. */
export function explainCache(road: Road, part: PartName, url: string): CacheExplanation {
  const place = placeOfUrl(road, url);
  if (typeof place === 'string') {
    return { part, siteId: null, cacheKey: null, rule: null, stored: null, decision: `refuse (${place})` };
  }
  const now = road.clock.now();
  const fields = new Fields();
  const variants = peekAt(road, place);
  const stored = select(fields, variants);
  const decision = decide({
    method: 'GET',
    fields,
    hasBody: false,
    hasClientCertificate: false,
    selected: stored?.head ?? null,
    hasVariants: variants.length > 0,
    target: place.normalTarget,
    settings: stored === null ? place.settings : settingsOfStored(place, stored),
    now,
  });
  const why = 'forward' in decision ? ` (${decision.forward})` : '';
  return {
    part,
    siteId: place.site.id,
    cacheKey: place.cacheKey,
    rule: explainRule(place, stored),
    decision: `${decision.action}${why}`,
    stored: stored === null ? null : explainStored(stored, now),
  };
}

/** The rule as far as it can be told: with the stored response's type, or by path alone. */
function explainRule(place: Place, stored: StoredResponse | null): CacheExplanation['rule'] {
  const contentType = stored === null ? null : (stored.head.fields.get('content-type') ?? '');
  const selected = selectRule(place.site, place.path, contentType);
  if (selected === null) return null;
  return { index: selected.index, description: describeRule(selected.rule) };
}

function describeRule(rule: Rule): string {
  const parts = [`path ${rule.path ?? '*'}`];
  if (rule.contentType !== null) parts.push(`type ${rule.contentType}`);
  parts.push(rule.mode);
  if (rule.edgeTtlSeconds !== null) parts.push(`edge ${rule.edgeTtlSeconds} s`);
  if (rule.browserTtlSeconds !== null) parts.push(`browser ${rule.browserTtlSeconds} s`);
  parts.push(...describeCaching(rule, (seconds) => `${seconds} s`, true));
  return parts.join(', ');
}

function explainStored(stored: StoredResponse, now: number): NonNullable<CacheExplanation['stored']> {
  const { head, bodyLength } = stored;
  return {
    status: head.status,
    ageSeconds: Math.floor(currentAgeSeconds(head, now)),
    freshnessLifetimeSeconds: head.freshnessLifetimeSeconds,
    isFresh: isFresh(head, now),
    bodyLength,
    etag: head.etag,
    tags: head.tags,
  };
}
