/** Prints a bench's result for people. */
import type { RecordedBench } from '../bench-result.ts';
import { isLessBetter } from './ratios.ts';

const MIB = 1_048_576;

/** Columns aligned: the first two as text, figures to the right. */
function printColumns(lines: readonly (readonly string[])[], textColumns: number): void {
  const widths: number[] = [];
  for (const line of lines) {
    line.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  for (const line of lines) {
    const cells = line.map((cell, i) =>
      i < textColumns ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

/** requestsPerSecond → requests per second */
export function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export function printed(value: number | null): string {
  if (value === null) return '-';
  const size = Math.abs(value);
  if (size >= 1_000) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 100 ? 0 : 1);
}

export function printResult(result: RecordedBench): void {
  const { machine } = result;
  const names = [...new Set(result.rows.flatMap((row) => Object.keys(row.figures)))];
  process.stdout.write(`\n${result.bench}: ${result.description}\n`);
  process.stdout.write(
    `${machine.processor}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / MIB)} MiB, ${machine.system}; ${result.roundsPlayed} rounds of ${result.seconds} s\n`,
  );
  const versions = Object.entries(result.versions).map(([program, version]) => `${program} ${version}`);
  process.stdout.write(`${versions.join(', ')}\n\n`);
  printColumns(
    [
      ['scenario', 'subject', ...names.map(spaced)],
      ...result.rows.map((row) => [
        row.scenario,
        row.subject,
        ...names.map((name) => printed(row.figures[name] ?? null)),
      ]),
    ],
    2,
  );
  const ratios = result.ratios.filter(({ figure }) => isLessBetter(figure));
  if (ratios.length > 0) {
    process.stdout.write('\nratios (above 1: Perigee does better)\n');
    printColumns(
      ratios.map(({ scenario, figure, against, ratio }) => [
        scenario,
        `${spaced(figure)} against ${against}`,
        `${ratio.toFixed(2)}×`,
      ]),
      2,
    );
  }
  for (const note of result.notes) process.stdout.write(`\nnote: ${note}\n`);
}
