/** `perigee cache stats`, `top` and `inspect`: what edges keep where, how much of it is used, and what is kept of a URL. */
import type { Command } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import type { CacheInspectionView, PopularView } from '#core/contract/cache.ts';
import type { Status } from '#core/contract/status.ts';
import type { CliIo } from '../io.ts';
import { formatBytes, formatCount } from '../quantity.ts';
import { openSession, type Session, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';

export function addCacheCommands(program: Command, io: CliIo): void {
  const cache = program.command('cache').description('what edges have stored');
  withGlobalOptions(
    cache
      .command('stats')
      .description('the tiers of each edge worker: responses, bytes, hits, evictions, refusals'),
  ).action(async (_: unknown, self: Command) => {
    const session = openSession(self, io);
    const { parts } = await session.api.getStatus();
    const stored = parts.flatMap(({ part, storage }) => (storage === null ? [] : [{ part, ...storage }]));
    session.show(stored, () => renderCacheStats(session, parts));
  });
  withGlobalOptions(
    cache
      .command('top')
      .description('the stored responses that each edge worker used most in the last minutes, from a sample')
      .option('--limit <n>', 'of each worker, 1 to 100', '20'),
  ).action(async ({ limit }: { limit: string }, self: Command) => {
    const session = openSession(self, io);
    const popular = await session.api.listPopular({ query: { limit: readLimit(limit) } });
    session.show(popular, () => renderPopular(session, popular));
  });
  withGlobalOptions(
    cache
      .command('inspect <url>')
      .description(
        'all that each edge worker has stored for a URL, usable or not; nothing is served or counted',
      ),
  ).action(async (url: string, _: unknown, self: Command) => {
    const session = openSession(self, io);
    const inspection = await session.api.inspectCache({ query: { url } });
    session.show(inspection, () => renderInspection(session, inspection));
  });
}

const RIGHT = { align: 'right' } as const;

export function renderPopular(
  session: Pick<Session, 'table' | 'now'>,
  { edges, notes }: PopularView,
): string {
  const rows = edges.flatMap(({ part, since, responses }) =>
    responses.map(({ url, uses, bodyLength }) => {
      const perMinute = uses / Math.max(1, (session.now - since) / 60_000);
      return [
        printable(part),
        formatCount(uses),
        formatCount(Math.round(perMinute)),
        formatBytes(bodyLength),
        printable(url),
      ];
    }),
  );
  const columns = [
    { heading: 'PART' },
    { heading: 'USES', ...RIGHT },
    { heading: 'A MINUTE', ...RIGHT },
    { heading: 'BYTES', ...RIGHT },
    { heading: 'URL' },
  ];
  if (rows.length === 0) return [...notes.map(noteLine), 'Nothing stored has been used of late.\n'].join('');
  return [session.table(columns, rows), ...notes.map(noteLine)].join('');
}

export function renderInspection(
  session: Pick<Session, 'table'>,
  { edges, notes }: CacheInspectionView,
): string {
  const rows = edges.flatMap(({ part, responses }) =>
    responses.map((each) => [
      printable(part),
      each.tier,
      each.state,
      String(each.status),
      formatBytes(each.bodyLength),
      `${each.ageSeconds} of ${each.freshnessLifetimeSeconds} s`,
      printable(each.etag ?? each.lastModified ?? '-'),
      printable(each.variesOn.join('; ') || '-'),
      printable(each.tags.join(' ') || '-'),
    ]),
  );
  const columns = [
    { heading: 'PART' },
    { heading: 'TIER' },
    { heading: 'STATE' },
    { heading: 'STATUS', ...RIGHT },
    { heading: 'BYTES', ...RIGHT },
    { heading: 'AGE', ...RIGHT },
    { heading: 'VALIDATOR' },
    { heading: 'VARIES ON' },
    { heading: 'TAGS' },
  ];
  const lines = notes.map(noteLine);
  if (rows.length > 0) return [session.table(columns, rows), ...lines].join('');
  const isKnown = edges.some(({ siteId }) => siteId !== null);
  lines.push(isKnown ? 'No edge has it stored.\n' : 'No edge knows a site of that host.\n');
  return lines.join('');
}

const noteLine = (note: string): string => `${printable(note)}.\n`;

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100) return limit;
  throw new AppError('invalid', `--limit ${text}: must be a whole number from 1 to 100`);
}

/** A line for each tier. What workers share is the same in each; hits and refusals are each worker's own. */
export function renderCacheStats(session: Pick<Session, 'table'>, parts: Status['parts']): string {
  const numbers = ['RESPONSES', 'BYTES', 'OF', 'HITS', 'EVICTED', 'REFUSED'];
  const columns = [
    { heading: 'PART' },
    { heading: 'TIER' },
    ...numbers.map((heading) => ({ heading, align: 'right' as const })),
  ];
  const rows = parts.flatMap(({ part, storage }) =>
    (storage?.tiers ?? []).map((tier) => [
      printable(part),
      tier.tier,
      formatCount(tier.storedResponses),
      formatBytes(tier.bodyBytes),
      formatBytes(tier.budgetBytes),
      formatCount(tier.hits),
      formatCount(tier.evictions),
      formatCount(tier.refusals),
    ]),
  );
  const problems = parts.flatMap(({ part, storage }) =>
    storage?.problem ? [`\n${printable(part)}: ${printable(storage.problem)}.`] : [],
  );
  return [session.table(columns, rows), ...problems, ...(problems.length > 0 ? ['\n'] : [])].join('');
}
