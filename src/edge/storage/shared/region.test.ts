import { afterAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OWN_MARK } from '#platform/process-mark.ts';
import { fileOnBun } from '../../../../test/support/runtime.ts';
import { removeSharedFiles } from '../shared-file.ts';
import { openRegion, type Region } from './region.ts';

fileOnBun('only Bun maps files');

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'perigee-region-'));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(path: string, budgetBytes = MIB): Region {
  const region = openRegion(path, budgetBytes);
  if ('reason' in region) throw new Error(region.reason);
  return region;
}

function filesOf(name: string): string[] {
  return readdirSync(folder).filter((file) => file.startsWith(`${name}-`));
}

describe('memory that workers share', () => {
  test('is made by the first and attached to by the others', () => {
    const path = join(folder, 'first');
    expect(opened(path).isAttached).toBe(false);
    expect(opened(path).isAttached).toBe(true);
    expect(filesOf('first').length).toBe(1);
  });

  test('takes no more than its budget, and nearly all of it', () => {
    for (const budget of [MIB, 16 * MIB, 100_000_000]) {
      const { layout } = opened(join(folder, `budget${budget}`), budget);
      expect(layout.byteLength).toBeLessThanOrEqual(budget);
      expect(layout.byteLength).toBeGreaterThan(budget * 0.98);
      const { shard } = layout;
      expect((shard.smallUnits + shard.mainUnits) * 64).toBeGreaterThan(shard.byteLength * 0.97);
      removeSharedFiles(join(folder, `budget${budget}`));
    }
  });

  test('of another size is another, and the former goes', () => {
    const path = join(folder, 'size');
    opened(path, MIB);
    const [former] = filesOf('size');
    expect(opened(path, 2 * MIB).isAttached).toBe(false);
    expect(filesOf('size').length).toBe(1);
    expect(filesOf('size')).not.toEqual([former as string]);
  });

  test('of another layout or boot goes when its successor is made, and what is not ours stays', () => {
    const path = join(folder, 'layout');
    for (const suffix of ['-v0-123-abc', '-v1-123-0']) writeFileSync(path + suffix, 'former');
    for (const suffix of ['-notes', '-v1', '']) writeFileSync(path + suffix, 'not ours');
    opened(path);
    const left = readdirSync(folder).filter((file) => file.startsWith('layout'));
    expect(left.filter((file) => /^layout-v\d+-\d+-/.test(file)).length).toBe(1);
    expect(left).toContain('layout-notes');
    expect(left).toContain('layout-v1');
    expect(existsSync(path)).toBe(true);
  });

  test('is taken from nobody who is making it, and what a dead worker began goes', () => {
    const path = join(folder, 'making');
    const living = `making-v1-99-abc.${OWN_MARK}.new`;
    const dead = `making-v1-99-abc.${0xffff_ffff}.new`;
    for (const name of [living, dead]) writeFileSync(join(folder, name), '');
    opened(path);
    expect(filesOf('making')).toContain(living);
    expect(filesOf('making')).not.toContain(dead);
    removeSharedFiles(path);
  });

  test('that was cut, or is something else, is not used: the reason names it', () => {
    const path = join(folder, 'broken');
    opened(path);
    const [name = ''] = filesOf('broken');
    truncateSync(join(folder, name), 8_192);
    expect(openRegion(path, MIB)).toEqual({ reason: `${join(folder, name)} is no storage of ours` });
    removeSharedFiles(path);
    const { layout } = opened(path);
    writeFileSync(join(folder, name), new Uint8Array(layout.byteLength));
    expect(openRegion(path, MIB)).toMatchObject({ reason: expect.stringContaining('no storage of ours') });
    removeSharedFiles(path);
    expect(filesOf('broken')).toEqual([]);
  });

  test('is not made where there is no room, or no folder', () => {
    expect(openRegion(join(folder, 'huge'), 200 * 1024 ** 3)).toMatchObject({
      reason: expect.stringMatching(/has \d+ MiB free, and \d+ MiB are needed$/),
    });
    expect(filesOf('huge')).toEqual([]);
    expect(openRegion('/nonexistent/x', MIB)).toMatchObject({ reason: expect.stringContaining('ENOENT') });
  });

  test('several who begin at once come to the same', async () => {
    const path = join(folder, 'race');
    const script = `
      import { openRegion } from '${join(import.meta.dirname, 'region.ts')}';
      const region = openRegion('${path}', ${4 * MIB});
      if ('reason' in region) throw new Error(region.reason);
      region.invalidations.addUrl('u');
      process.stdout.write('ok');`;
    const file = join(folder, 'race.ts');
    writeFileSync(file, script);
    const ends = Array.from({ length: 6 }, () => {
      const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
      return new Promise<number | null>((resolve) => child.on('exit', resolve));
    });
    expect(await Promise.all(ends)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(filesOf('race').length).toBe(1);
    // All six wrote to the one file that has the name.
    const { invalidations, isAttached } = opened(path, 4 * MIB);
    expect(isAttached).toBe(true);
    const { sequence } = invalidations;
    invalidations.addUrl('u');
    // The numbers began at whole milliseconds.
    expect(sequence % 1000).toBe(6 * (invalidations.sequence - sequence));
  });
});
