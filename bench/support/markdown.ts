/**
 * A bench's result as Markdown, and its place in a document: everything between `<!-- bench NAME -->` and
 * `<!-- end of bench NAME -->` is written by a run, and by nobody else.
 */
import type { BenchRow, RecordedBench } from '../bench-result.ts';
import { isLessBetter } from './ratios.ts';
import { printed, spaced } from './table.ts';

const GIB = 1_073_741_824;

/** Puts each bench's tables between its marks. A bench without a place is left out; throws when none has one. */
export function replaceTables(document: string, tables: readonly (readonly [string, string])[]): string {
  let text = document;
  let placed = 0;
  for (const [name, markdown] of tables) {
    const begin = `<!-- bench ${name} -->`;
    const end = `<!-- end of bench ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) continue;
    placed += 1;
    text = `${text.slice(0, from)}${begin}\n${markdown}\n${text.slice(to)}`;
  }
  if (placed === 0) throw new Error('the document has no place for these benches: <!-- bench NAME --> …');
  return text;
}

/** Where and when, then a table for each set of figures. */
export function markdownOf(bench: RecordedBench): string {
  const { machine } = bench;
  const versions = Object.entries(bench.versions).map(([program, version]) => `${program} ${version}`);
  const gibibytes = Math.round(machine.memoryBytes / GIB);
  const lines = [
    `${bench.startedAt.slice(0, 10)}, ${machine.processor}, ${machine.cores} virtual cores, ${gibibytes} GiB, ${machine.system};`,
    `medians of ${bench.roundsPlayed} rounds of ${bench.seconds} s. Versions: ${versions.join(', ')}.`,
  ];
  for (const rows of groupsOf(bench.rows)) lines.push('', ...tableOf(bench, rows));
  return lines.join('\n');
}

/** Rows with the same figures, in order of their first appearance. */
function groupsOf(rows: readonly BenchRow[]): BenchRow[][] {
  const groups = new Map<string, BenchRow[]>();
  for (const row of rows) {
    const kind = Object.keys(row.figures).join();
    groups.set(kind, [...(groups.get(kind) ?? []), row]);
  }
  return [...groups.values()];
}

function tableOf(bench: RecordedBench, rows: readonly BenchRow[]): string[] {
  const figures = Object.keys(rows[0]?.figures ?? {});
  const judged = figures.find(isLessBetter) ?? figures[0] ?? '';
  const subjects = [...new Set(rows.map(({ subject }) => subject))];
  const title = figures.map(spaced).join(', ');
  const lines = [
    `| ${title} | ${subjects.join(' | ')} | against each | against the best |`,
    `|---|${'---|'.repeat(subjects.length)}---|---|`,
  ];
  for (const scenario of new Set(rows.map((row) => row.scenario))) {
    const cells = subjects.map((subject) => {
      const row = rows.find((each) => each.subject === subject && each.scenario === scenario);
      return row === undefined ? '–' : figures.map((name) => printed(row.figures[name] ?? null)).join(', ');
    });
    const ratios = bench.ratios.filter((ratio) => ratio.scenario === scenario && ratio.figure === judged);
    const each = ratios.map(({ against, ratio }) => `${ratio.toFixed(2)}× ${against}`).join(', ');
    const best = Math.min(...ratios.map(({ ratio }) => ratio));
    const bestCell = Number.isFinite(best) ? `**${best.toFixed(2)}×**` : '–';
    lines.push(`| ${scenario} | ${cells.join(' | ')} | ${each === '' ? '–' : each} | ${bestCell} |`);
  }
  return lines;
}
