/** `perigee status`: is everything well? */
import type { Command } from 'commander';
import type { PartView, Status } from '#core/contract/status.ts';
import { formatDuration } from '../duration.ts';
import type { CliIo } from '../io.ts';
import { countOf, formatBytes, formatCount } from '../quantity.ts';
import { openSession, type Session, type Style, withGlobalOptions } from '../session.ts';
import { printable } from '../table.ts';

export function addStatusCommand(program: Command, io: CliIo): void {
  withGlobalOptions(
    program
      .command('status')
      .description('state of the whole CDN: its parts, its edges, the configuration in force'),
  ).action(async (_: unknown, self: Command) => {
    const session = openSession(self, io);
    const status = await session.api.getStatus();
    session.show(status, () => renderStatus(session, status));
  });
}

const STYLES: Readonly<Record<string, Style>> = {
  ok: 'green',
  ready: 'green',
  up: 'green',
  starting: 'yellow',
  behind: 'yellow',
  degraded: 'red',
  silent: 'red',
  down: 'red',
  unknown: 'dim',
};

/** The whole page. */
export function renderStatus(session: Pick<Session, 'style' | 'table' | 'now'>, status: Status): string {
  const paint = (word: string) => session.style(STYLES[word] ?? 'dim', word);
  const { totals } = status;
  const sections = [
    [
      `Perigee ${status.version} is ${paint(status.status)}: zone ${status.zone}, generation ${status.generation}, DNS at ${status.dnsAddress}.`,
      `${countOf(totals.sites, 'site')}, ${countOf(totals.pops, 'POP')}, ${countOf(totals.edges, 'edge')}, ${countOf(totals.purges, 'purge')} so far.`,
      ...(status.missing.length === 0 ? [] : [`Not ready: ${status.missing.map(printable).join(', ')}.`]),
      '',
    ].join('\n'),
    renderParts(session, status.parts, paint),
  ];
  const problems = status.parts.flatMap(({ part, storage }) =>
    storage?.problem ? [`${printable(part)}: ${printable(storage.problem)}.\n`] : [],
  );
  if (problems.length > 0) sections.push(problems.join(''));
  if (status.health.length > 0) sections.push(renderHealth(session, status.health, paint));
  return sections.join('\n');
}

type Paint = (word: string) => string;
type Drawing = Pick<Session, 'table' | 'now'>;

function renderParts(session: Drawing, parts: readonly PartView[], paint: Paint): string {
  return session.table(
    [
      { heading: 'PART' },
      { heading: 'STATE' },
      { heading: 'GENERATION', align: 'right' },
      { heading: 'UP', align: 'right' },
      { heading: 'MEMORY', align: 'right' },
      { heading: 'STORED', align: 'right' },
      { heading: 'OF BUDGET' },
    ],
    parts.map(({ part, state, generation, startedAt, residentBytes, storage, error }) => [
      printable(part),
      paint(state),
      generation === null ? '–' : String(generation),
      startedAt === null ? '–' : formatDuration((session.now - startedAt) / 1000),
      residentBytes === null ? '–' : formatBytes(residentBytes),
      storage === null ? '–' : formatCount(storage.storedResponses),
      error !== null
        ? printable(error)
        : storage === null
          ? '–'
          : `${formatBytes(storage.bodyBytes)} of ${formatBytes(storage.budgetBytes)}`,
    ]),
  );
}

function renderHealth(session: Drawing, health: Status['health'], paint: Paint): string {
  return session.table(
    [
      { heading: 'EDGE' },
      { heading: 'POP' },
      { heading: 'HEALTH' },
      { heading: 'FOR', align: 'right' },
      { heading: 'WHY' },
    ],
    health.map(({ edgeId, popId, state, reason, since }) => [
      printable(edgeId),
      printable(popId),
      paint(state),
      formatDuration((session.now - since) / 1000),
      printable(reason),
    ]),
  );
}
