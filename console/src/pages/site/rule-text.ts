/** Rules in words. */
import { describeCaching } from '#core/model/caching-text.ts';
import type { Rule } from '#core/model/site.ts';
import { formatLifetime } from '../../format/duration.ts';

/** What a rule applies to: "/images/*, type image/*". */
export function describeScope(rule: Pick<Rule, 'path' | 'contentType'>): string {
  const path = rule.path ?? 'Every path';
  return rule.contentType === null ? path : `${path}, type ${rule.contentType}`;
}

function describeEdges({ mode, edgeTtlSeconds }: Pick<Rule, 'mode' | 'edgeTtlSeconds'>): string {
  if (edgeTtlSeconds === null) return 'Kept as the origin says';
  const lifetime = edgeTtlSeconds === 0 ? 'stale at once' : formatLifetime(edgeTtlSeconds);
  if (mode === 'respect-origin') return `Kept as the origin says, ${lifetime} where it is silent`;
  return edgeTtlSeconds === 0
    ? 'Validated with the origin each time, whatever it says'
    : `Kept ${lifetime}, whatever the origin says`;
}

function describeBrowsers(browserTtlSeconds: number | null): string {
  if (browserTtlSeconds === null) return '';
  return browserTtlSeconds === 0
    ? '; browsers ask again each time'
    : `; browsers keep it ${formatLifetime(browserTtlSeconds)}`;
}

/** What happens to the responses it applies to. */
export function describeEffect(rule: Omit<Rule, 'path' | 'contentType'>): string {
  if (rule.mode === 'bypass') return 'Never kept: every request goes to the origin';
  const others = describeCaching(rule, formatLifetime, true);
  const more = others.length === 0 ? '' : `; ${others.join('; ')}`;
  return describeEdges(rule) + describeBrowsers(rule.browserTtlSeconds) + more;
}
