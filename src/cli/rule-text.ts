/** A site's rules in words. */
import { describeCaching } from '#core/model/caching-text.ts';
import type { Rule } from '#core/model/site.ts';
import { formatDuration } from './duration.ts';
import type { Session } from './session.ts';
import { type Column, printable } from './table.ts';

/** `/img/* of type image/*`, or `everything`. */
export function describeMatch({ path, contentType }: Pick<Rule, 'path' | 'contentType'>): string {
  if (path === null && contentType === null) return 'everything';
  return [path, contentType === null ? null : `type ${contentType}`]
    .filter((part) => part !== null)
    .join(', ');
}

/** How long, or `origin` where the origin decides. */
function describeTtl(seconds: number | null): string {
  return seconds === null ? 'origin' : formatDuration(seconds);
}

const COLUMNS: readonly Column[] = [
  { heading: '#', align: 'right' },
  { heading: 'PATH' },
  { heading: 'TYPE' },
  { heading: 'MODE' },
  { heading: 'EDGE TTL', align: 'right' },
  { heading: 'BROWSER TTL', align: 'right' },
];

/** The rules as a table, numbered from 1; the last column is there when it has something to say. */
export function rulesTable(session: Pick<Session, 'table'>, rules: readonly Rule[]): string {
  const others = rules.map((rule) => describeCaching(rule, formatDuration, true).join(', '));
  const isPlain = others.every((text) => text === '');
  return session.table(
    isPlain ? COLUMNS : [...COLUMNS, { heading: 'AND' }],
    rules.map((rule, index) => [
      String(index + 1),
      printable(rule.path ?? 'any'),
      rule.contentType ?? 'any',
      rule.mode,
      rule.mode === 'bypass' ? '–' : describeTtl(rule.edgeTtlSeconds),
      describeTtl(rule.browserTtlSeconds),
      ...(isPlain ? [] : [printable(others[index] || '–')]),
    ]),
  );
}
