/** Rules in words. */
import type { Rule } from '#core/model/site.ts';
import { formatLifetime } from '../../format/duration.ts';

/** What a rule applies to: "/images/*, type image/*". */
export function describeScope(rule: Pick<Rule, 'path' | 'contentType'>): string {
  const path = rule.path ?? 'Every path';
  return rule.contentType === null ? path : `${path}, type ${rule.contentType}`;
}

/** What happens to the responses it applies to. */
export function describeEffect(rule: Omit<Rule, 'path' | 'contentType'>): string {
  if (rule.mode === 'bypass') return 'Never kept: every request goes to the origin';
  const { edgeTtlSeconds, browserTtlSeconds, mode } = rule;
  const edges =
    mode === 'override-origin'
      ? edgeTtlSeconds === null
        ? 'Kept as the origin says'
        : `Kept ${formatLifetime(edgeTtlSeconds)}, whatever the origin says`
      : edgeTtlSeconds === null
        ? 'Kept as the origin says'
        : `Kept as the origin says, ${formatLifetime(edgeTtlSeconds)} where it is silent`;
  return browserTtlSeconds === null
    ? edges
    : `${edges}; browsers keep it ${formatLifetime(browserTtlSeconds)}`;
}
