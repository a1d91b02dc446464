/** An explanation as a page of text: the user's place, the candidates, then the cache of the chosen POP. */
import type { Explanation } from '#core/contract/explain.ts';
import { formatDuration } from './duration.ts';
import { formatBytes, formatCount } from './quantity.ts';
import type { Session } from './session.ts';
import { printable } from './table.ts';

type Drawing = Pick<Session, 'style' | 'table'>;
type Steering = NonNullable<Explanation['steering']>;
type Cache = Explanation['caches'][number];

const SOURCES = {
  operator: "from the operator's list of networks",
  'geo-database': 'from the geography database',
} as const;

export function renderExplanation(session: Drawing, explanation: Explanation): string {
  const { url, site, steering, caches, notes } = explanation;
  const reached = site === null ? '' : `Site ${site.id}, which is reached at ${site.cname}.\n`;
  const sections = [`${session.style('bold', printable(url))}\n${reached}`];
  if (steering !== null) sections.push(renderSteering(session, steering));
  for (const cache of caches) sections.push(renderCache(session, cache));
  if (notes.length > 0) sections.push(notes.map((note) => `Note: ${printable(note)}\n`).join(''));
  return sections.join('\n');
}

function heading(session: Drawing, text: string): string {
  return `${session.style('bold', text)}\n`;
}

function describeClient({
  address,
  network,
  place,
  latitude,
  longitude,
  source,
}: Steering['client']): string {
  const user = `User ${address} in ${network}`;
  if (source === 'none') return `${user}; where that is, is not known.`;
  const at =
    latitude === null || longitude === null ? '' : ` (${latitude.toFixed(2)}, ${longitude.toFixed(2)})`;
  // Asked by place: no address stands behind it.
  if (source === 'given') return `A user in ${printable(place)}${at}.`;
  return `${user}, ${printable(place)}${at}, ${SOURCES[source]}.`;
}

function renderSteering(session: Drawing, { name, client, candidates, chosenPopId }: Steering): string {
  const chosen = candidates.find(({ popId }) => popId === chosenPopId);
  const answer =
    chosen === undefined
      ? 'No POP can serve this user.'
      : `${session.style('green', '→')} ${printable(name)} is answered with ${chosen.addresses.join(', ')}: ${printable(chosen.name)} (${chosen.popId})`;
  const rows = candidates.map(({ popId, name, distanceKm, costMs, isUsable, reason }) => [
    popId === chosenPopId ? session.style('green', '→') : '',
    popId,
    printable(name),
    distanceKm === null ? '–' : `${formatCount(distanceKm)} km`,
    costMs === null ? '–' : `${costMs.toFixed(0)} ms`,
    isUsable ? 'yes' : session.style('red', 'no'),
    printable(reason),
  ]);
  const table = session.table(
    [
      { heading: '' },
      { heading: 'POP' },
      { heading: 'NAME' },
      { heading: 'DISTANCE', align: 'right' },
      { heading: 'ROUND TRIP', align: 'right' },
      { heading: 'USABLE' },
      { heading: 'WHY' },
    ],
    rows,
  );
  return `${heading(session, 'DNS')}${describeClient(client)}\n${rows.length === 0 ? '' : table}${answer}\n`;
}

function renderCache(session: Drawing, cache: Cache): string {
  const label = (text: string) => session.style('dim', text.padEnd(10));
  const rule =
    cache.rule === null
      ? 'none: the origin decides'
      : `${cache.rule.index + 1}: ${printable(cache.rule.description)}`;
  const lines = [
    ...(cache.cacheKey === null ? [] : [`${label('Key')}${printable(cache.cacheKey)}`]),
    `${label('Rule')}${rule}`,
    `${label('Stored')}${describeStored(session, cache.stored)}`,
    `${label('Decision')}${printable(cache.decision)}`,
  ];
  return `${heading(session, `Cache of ${printable(cache.part)}`)}${lines.join('\n')}\n`;
}

function describeStored(session: Drawing, stored: Cache['stored']): string {
  if (stored === null) return 'nothing';
  const { ageSeconds, freshnessLifetimeSeconds } = stored;
  const ages = `age ${formatDuration(ageSeconds)} of ${formatDuration(freshnessLifetimeSeconds)}`;
  const freshness = stored.isFresh
    ? `${session.style('green', 'fresh')} for ${formatDuration(freshnessLifetimeSeconds - ageSeconds)} more`
    : session.style('yellow', 'stale');
  const facts = [`status ${stored.status}`, formatBytes(stored.bodyLength), ages, freshness];
  if (stored.etag !== null) facts.push(`ETag ${printable(stored.etag)}`);
  if (stored.tags.length > 0) facts.push(`tags ${stored.tags.map(printable).join(', ')}`);
  return facts.join(', ');
}
