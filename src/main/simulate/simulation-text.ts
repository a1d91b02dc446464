/** A simulation as text: what was simulated, a table, and bars to compare by eye. */
import { countOf, formatBytes, formatCount, formatShare } from '#cli/quantity.ts';
import { renderTable } from '#cli/table.ts';
import { POLICIES, type SimulationReport } from './simulate.ts';

const BAR_COLUMNS = 50;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export function simulationText(report: SimulationReport): string {
  return `${facts(report)}\n${table(report)}\nRequests that are hits:\n${bars(report)}`;
}

function facts(report: SimulationReport): string {
  const { requests, objects, share, footprintBytes, bodyBytesMax, largeShare, observedHitRatio, starts } =
    report;
  const part = share === 1 ? '' : `, ${formatShare(share)} of all keys`;
  const lines = [
    `${countOf(requests, 'request')}; ${countOf(objects, 'key')} simulated${part}. ${formatBytes(footprintBytes)} would hold all.`,
    `Bodies above ${formatBytes(bodyBytesMax)} are not kept; ${formatShare(largeShare)} of the requests are for such.`,
  ];
  if (observedHitRatio !== null)
    lines.push(`Of the requests ${formatShare(observedHitRatio)} were hits as they were served.`);
  if (starts > 1)
    lines.push(`The edge has started ${formatCount(starts)} times; behind each start all keys are new.`);
  return `${lines.join('\n')}\n`;
}

function table({ sizes }: SimulationReport): string {
  const columns = [
    { heading: 'SIZE', align: 'right' as const },
    ...POLICIES.flatMap((name) => [
      { heading: name.toUpperCase(), align: 'right' as const },
      { heading: 'BYTES', align: 'right' as const },
    ]),
  ];
  const rows = sizes.map(({ bytes, policies }) => [
    formatBytes(bytes),
    ...POLICIES.flatMap((name) => [
      formatShare(policies[name]?.objectHitRatio ?? null),
      formatShare(policies[name]?.byteHitRatio ?? null),
    ]),
  ]);
  return renderTable(columns, rows);
}

function bars({ sizes }: SimulationReport): string {
  return sizes
    .map(({ bytes, policies }) =>
      POLICIES.map((name, i) => {
        const label = `${(i === 0 ? formatBytes(bytes) : '').padStart(8)}  ${name.padEnd(7)}`;
        const ratio = policies[name]?.objectHitRatio ?? null;
        return ratio === null ? `${label}  –\n` : `${label}  ${bar(ratio)} ${formatShare(ratio)}\n`;
      }).join(''),
    )
    .join('\n');
}

function bar(ratio: number): string {
  const eighths = Math.round(ratio * BAR_COLUMNS * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] as string);
}
