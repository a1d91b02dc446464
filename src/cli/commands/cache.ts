/** `perigee cache stats`: what edges keep where, and how much of it is used. */
import type { Command } from 'commander';
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
