/** The demo's measurements as a table, and what they say in three sentences. */
import { formatBytes, formatCount } from '#cli/quantity.ts';
import { renderTable } from '#cli/table.ts';
import type { Measurement } from './measurement.ts';
import type { PageLoad } from './page-load.ts';

const COLUMNS = [
  { heading: 'USER IN' },
  { heading: 'KM TO ORIGIN', align: 'right' },
  { heading: 'POP' },
  { heading: 'KM TO POP', align: 'right' },
  { heading: 'FIRST BYTE: DIRECT', align: 'right' },
  { heading: 'CDN', align: 'right' },
  { heading: 'PAGE: DIRECT', align: 'right' },
  { heading: 'CDN, FIRST VIEW', align: 'right' },
  { heading: 'CDN', align: 'right' },
  { heading: 'FROM ORIGIN: DIRECT', align: 'right' },
  { heading: 'CDN', align: 'right' },
  { heading: 'FASTER', align: 'right' },
] as const;

function milliseconds(value: number): string {
  return `${formatCount(value)} ms`;
}

function bytesFromOrigin({ bodyBytes, bytesFromCache }: PageLoad): number {
  return bodyBytes - bytesFromCache;
}

function times(ratio: number): string {
  return `${ratio.toFixed(1)}×`;
}

/** One row per user, the nearest to the origin first. */
export function renderMeasurements(measurements: readonly Measurement[]): string {
  const rows = byDistance(measurements).map(({ city, originKm, popName, popKm, direct, cold, warm }) => [
    city,
    formatCount(originKm),
    popName,
    formatCount(popKm),
    milliseconds(direct.firstByteMs),
    milliseconds(warm.firstByteMs),
    milliseconds(direct.pageMs),
    milliseconds(cold.pageMs),
    milliseconds(warm.pageMs),
    formatBytes(bytesFromOrigin(direct)),
    formatBytes(bytesFromOrigin(warm)),
    times(direct.pageMs / warm.pageMs),
  ]);
  return renderTable(COLUMNS, rows);
}

function byDistance(measurements: readonly Measurement[]): Measurement[] {
  return measurements.toSorted((one, other) => one.originKm - other.originKm);
}

/** What the table shows: how much longer the far wait than the near, without and with the CDN. */
export function summarise(measurements: readonly Measurement[]): string {
  const sorted = byDistance(measurements);
  const near = sorted[0];
  const far = sorted.at(-1);
  if (near === undefined || far === undefined) return '';
  const byWait = measurements.toSorted((one, other) => one.warm.pageMs - other.warm.pageMs);
  const first = byWait[0] ?? near;
  const last = byWait.at(-1) ?? far;
  return `${[
    `Without a CDN, ${far.city} is ${times(far.originRoundTripMs / near.originRoundTripMs)} as far from the shop in round-trip time as ${near.city}, and waits ${times(far.direct.pageMs / near.direct.pageMs)} as long: ${milliseconds(far.direct.pageMs)} against ${milliseconds(near.direct.pageMs)}.`,
    `Through Perigee the waits reach from ${milliseconds(first.warm.pageMs)} (${first.city}) to ${milliseconds(last.warm.pageMs)} (${last.city}): ${times(last.warm.pageMs / first.warm.pageMs)}.`,
    `A page is ${near.direct.requests} requests and ${formatBytes(near.direct.bodyBytes)}; distance is propagation alone (5 ms + 1.5 ms per 100 km and round trip), without limits of bandwidth and without loss.`,
  ].join('\n')}\n`;
}
