import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OWN_MARK } from '#platform/process-mark.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { RemovalLog } from './removal-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'perigee-removals-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('what was removed is told, until the last segment it is about has gone', () => {
  const log = new RemovalLog(folder);
  log.append(3, 0xdead_beef, 1_000);
  log.append(3, 0xdead_beef, 900);
  log.append(5, 7, 2_000.5);
  writeFileSync(join(folder, 'notes.txt'), 'not ours');
  const { urls, all } = new RemovalLog(folder).read();
  expect([[...urls].sort(), all]).toEqual([
    [
      [0xdead_beef, 1_000],
      [7, 2_000.5],
    ],
    0,
  ]);
  log.prune(4);
  expect(log.read().urls).toEqual(new Map([[7, 2_000.5]]));
  expect(readdirSync(folder)).toContain('notes.txt');
});

test('a file that has grown too long becomes one removal of everything before', () => {
  const log = new RemovalLog(folder);
  const most = STORAGE_LIMITS.removalFileBytesMax / 16;
  for (let i = 0; i < most; i += 1) log.append(9, i, i);
  expect(log.read().all).toBe(0);
  log.append(9, 1, 5_000_000);
  log.append(9, 2, 5_000_001);
  expect(statSync(join(folder, `9-${OWN_MARK}.removed`)).size).toBe(32);
  const { urls, all } = log.read();
  expect([all, urls.get(2)]).toEqual([5_000_000, 5_000_001]);
});
