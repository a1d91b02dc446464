/** `perigee stats`: traffic per site and POP. */
import type { Command } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import { STATS_MINUTES_MAX, type Stats, type Traffic } from '#core/contract/stats.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import type { CliIo } from '../io.ts';
import { formatBytes, formatCount, formatShare } from '../quantity.ts';
import { openSession, type Session, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';

const SECONDS_PER_MINUTE = 60;

export function addStatsCommand(program: Command, io: CliIo): void {
  const command = program
    .command('stats')
    .description('traffic in total, per site and per POP: requests, hit ratio, bytes, time to first byte')
    .option('--over <duration>', 'how far back: 10m, 6h, up to 7d', '1h');
  withGlobalOptions(command).action(async (options: { over: string }, self: Command) => {
    const session = openSession(self, io);
    const minutes = Math.ceil(parseDuration(options.over, '--over') / SECONDS_PER_MINUTE);
    if (minutes < 1 || minutes > STATS_MINUTES_MAX) {
      throw new AppError(
        'invalid',
        `--over ${options.over}: must be from 1m to ${formatDuration(STATS_MINUTES_MAX * SECONDS_PER_MINUTE)}`,
      );
    }
    const stats = await session.api.getStats({ query: { minutes } });
    session.show(stats, () => renderStats(session, stats, minutes));
  });
}

function trafficCells(traffic: Traffic): string[] {
  const { requests, hitRatio, errors, bytesToClients, bytesFromOrigin, bytesSaved, firstByteMsMean } =
    traffic;
  return [
    formatCount(requests),
    formatShare(hitRatio),
    formatCount(errors),
    formatBytes(bytesToClients),
    formatBytes(bytesFromOrigin),
    formatBytes(bytesSaved),
    firstByteMsMean === null ? '–' : `${firstByteMsMean.toFixed(1)} ms`,
  ];
}

/** Two tables, sites and POPs. */
export function renderStats(session: Pick<Session, 'table'>, stats: Stats, minutes: number): string {
  const columns = (kind: string) => [
    { heading: kind },
    ...['REQUESTS', 'HIT RATIO', 'ERRORS', 'TO CLIENTS', 'FROM ORIGIN', 'SAVED', 'FIRST BYTE'].map(
      (heading) => ({
        heading,
        align: 'right' as const,
      }),
    ),
  ];
  const rows = (of: Stats['sites']) => of.map(({ id, totals }) => [printable(id), ...trafficCells(totals)]);
  return [
    `The last ${formatDuration(minutes * SECONDS_PER_MINUTE)}:\n`,
    session.table(columns('SITE'), [...rows(stats.sites), ['all', ...trafficCells(stats.totals)]]),
    ...(stats.pops.length === 0 ? [] : [session.table(columns('POP'), rows(stats.pops))]),
  ].join('\n');
}
