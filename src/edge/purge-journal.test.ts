import { afterAll, describe, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Purge, PurgeTarget } from '#core/model/purge.ts';
import { createSilentLogger } from '#platform/log.ts';
import { ROAD_LIMITS } from './limits.ts';
import { PurgeJournal } from './purge-journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'perigee-journal-'));
afterAll(() => rmSync(folder, { recursive: true }));
const log = createSilentLogger();
let made = 0;

function purge(position: number, target: PurgeTarget = { kind: 'everything', siteId: 'shop' }): Purge {
  return { position, siteId: 'shop', target, soft: position % 2 === 0, requestedAt: 1000 * position };
}

function readAllOf(file: string): { purges: Purge[]; before: number[] } {
  const purges: Purge[] = [];
  const before: number[] = [];
  const reader = {
    apply: (each: Purge) => purges.push(each),
    forgetBefore: (position: number) => before.push(position),
  };
  new PurgeJournal(file).read(reader, log);
  return { purges, before };
}

function freshFolder(): string {
  return join(folder, `edge${made++}`);
}

describe('the journal of purges', () => {
  test('gives back what was noted, of every kind', () => {
    const file = join(freshFolder(), '0.jsonl');
    const journal = new PurgeJournal(file);
    journal.read({ apply: () => {}, forgetBefore: () => {} }, log);
    const targets: PurgeTarget[] = [
      { kind: 'url', url: 'https://www.example.com/a?b' },
      { kind: 'prefix', siteId: 'shop', prefix: '/a' },
      { kind: 'tag', siteId: 'shop', tag: 'ü' },
      { kind: 'host', siteId: 'shop', host: 'www.example.com' },
      { kind: 'everything', siteId: 'shop' },
    ];
    const purges = targets.map((target, i) => purge(i + 1, target));
    for (const each of purges) journal.append(each);
    expect(readAllOf(file)).toEqual({ purges, before: [] });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('is read of all workers of the edge, and of no other file', () => {
    const own = freshFolder();
    for (const [name, position] of [
      ['0', 1],
      ['http3', 2],
    ] as const) {
      const journal = new PurgeJournal(join(own, `${name}.jsonl`));
      journal.read({ apply: () => {}, forgetBefore: () => {} }, log);
      journal.append(purge(position));
    }
    writeFileSync(join(own, 'notes.txt'), 'not a journal\n');
    expect(
      readAllOf(join(own, '7.jsonl'))
        .purges.map(({ position }) => position)
        .sort(),
    ).toEqual([1, 2]);
  });

  test('loses nothing but the line that was cut or cannot be read', () => {
    const file = join(freshFolder(), '0.jsonl');
    const journal = new PurgeJournal(file);
    journal.read({ apply: () => {}, forgetBefore: () => {} }, log);
    journal.append(purge(1));
    appendFileSync(file, 'nonsense\n{"position":-1}\n{"before":"x"}\n');
    journal.append(purge(2));
    appendFileSync(file, '{"position":3,"siteId":"shop"');
    expect(readAllOf(file).purges.map(({ position }) => position)).toEqual([1, 2]);
  });

  test('is bounded: the older half becomes the position that it reached', () => {
    const file = join(freshFolder(), '0.jsonl');
    const journal = new PurgeJournal(file);
    journal.read({ apply: () => {}, forgetBefore: () => {} }, log);
    const kept = ROAD_LIMITS.purgesJournaledMax;
    const lines = Array.from({ length: 2 * kept - 1 }, (_, i) => JSON.stringify(purge(i + 1)));
    writeFileSync(file, `${lines.join('\n')}\n`);
    const successor = new PurgeJournal(file);
    successor.read({ apply: () => {}, forgetBefore: () => {} }, log);
    successor.append(purge(2 * kept));
    const { purges, before } = readAllOf(file);
    expect(before).toEqual([kept]);
    expect([purges.length, purges[0]?.position]).toEqual([kept, kept + 1]);
    // What was left out of a journal that had been shortened before is not forgotten.
    expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(JSON.stringify({ before: kept }));
  });

  test('that is kept nowhere does nothing', () => {
    const journal = new PurgeJournal(null);
    journal.append(purge(1));
    journal.read({ apply: () => expect.unreachable(), forgetBefore: () => expect.unreachable() }, log);
  });

  test('that cannot be written throws, so that the purge is not confirmed', () => {
    const journal = new PurgeJournal(join(folder, 'missing', '0.jsonl'));
    expect(() => journal.append(purge(1))).toThrow('ENOENT');
  });
});
