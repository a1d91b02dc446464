import { expect, test } from 'bun:test';
import type { BenchRow, RecordedBench } from '../bench-result.ts';
import { markdownOf, replaceTables } from './markdown.ts';
import { ratiosOf } from './ratios.ts';

function row(subject: string, ...cpu: readonly number[]): BenchRow {
  const rounds = cpu.map((cpuMicrosecondsPerRequest) => ({ cpuMicrosecondsPerRequest }));
  return { subject, scenario: '1 KiB', figures: rounds[0] ?? {}, rounds };
}

test('a ratio is the median of the ratios of the rounds, so that a slow round spoils none', () => {
  const rows = [row('perigee', 10, 100, 20), row('nginx', 15, 150, 20)];
  expect(ratiosOf(rows, 'perigee')).toEqual([
    { scenario: '1 KiB', figure: 'cpuMicrosecondsPerRequest', against: 'nginx', ratio: 1.5 },
  ]);
});

test('the best peer is the one that Perigee does worst against, and absent ones leave a dash', () => {
  const rows = [
    row('perigee', 10),
    row('nginx', 20),
    row('haproxy', 8),
    { ...row('varnish', 1), scenario: 'other' },
  ];
  const bench: RecordedBench = {
    bench: 'hit',
    description: '',
    rows,
    ratios: ratiosOf(rows, 'perigee'),
    versions: { bun: '1' },
    notes: [],
    startedAt: '2026-11-25T00:00:00.000Z',
    seconds: 4,
    roundsPlayed: 3,
    machine: { processor: 'P', cores: 2, memoryBytes: 2 ** 30, system: 'Linux' },
  };
  expect(markdownOf(bench).split('\n').slice(3)).toEqual([
    '| cpu microseconds per request | perigee | nginx | haproxy | varnish | against each | against the best |',
    '|---|---|---|---|---|---|---|',
    '| 1 KiB | 10.0 | 20.0 | 8.0 | – | 2.00× nginx, 0.80× haproxy | **0.80×** |',
    '| other | – | – | – | 1.0 | – | – |',
  ]);
});

test('tables go between their marks and nowhere else; a document without marks is refused', () => {
  const document = 'before\n<!-- bench hit -->\nold\n<!-- end of bench hit -->\nafter';
  const updated = replaceTables(document, [['hit', 'new']]);
  expect(updated).toBe('before\n<!-- bench hit -->\nnew\n<!-- end of bench hit -->\nafter');
  expect(() => replaceTables(document, [['miss', 'new']])).toThrow('no place for these benches');
});
