import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { CONTROL_AT, type DiskLayout, diskLayoutOf, RECOVERY_WORD, SEGMENT_WORDS } from './disk-layout.ts';
import { FREE, OPEN, RECLAIMING, SEALED, SegmentTable } from './segment-table.ts';

function makeTable(): { table: SegmentTable; words: Uint32Array; layout: DiskLayout } {
  const layout = diskLayoutOf(64 * 1024 * 1024);
  const memory = new ArrayBuffer(layout.byteLength);
  return { table: new SegmentTable(memory, layout), words: new Uint32Array(memory), layout };
}

/** The mark of a process that has ended. */
function endedMark(): number {
  return ((spawnSync(process.execPath, ['-e', '0']).pid << 10) | 1) >>> 0;
}

describe('the table of segments', () => {
  test('a recovery is one worker’s, and the next one’s when that has ended', () => {
    const { table, words } = makeTable();
    expect([table.beginRecovery(), table.beginRecovery()]).toEqual([true, false]);
    words[CONTROL_AT / 4 + RECOVERY_WORD] = endedMark();
    expect([table.beginRecovery(), table.beginRecovery()]).toEqual([true, false]);
    table.giveUpRecovery();
    expect(table.beginRecovery()).toBe(true);
    table.endRecovery();
    expect([table.isRecovered, table.beginRecovery()]).toEqual([true, false]);
  });

  test('a segment goes from free to open, sealed, reclaimed, and free; the oldest first', () => {
    const { table, layout } = makeTable();
    const taken = Array.from({ length: layout.segmentCount }, () => table.take(OPEN));
    expect(taken.map((each) => each?.id)).toEqual(taken.map((_, i) => i + 1));
    expect([table.take(OPEN), table.freeCount, table.takeOldest()]).toEqual([null, 0, null]);
    for (const place of [5, 2, 9]) table.seal(taken[place]?.place ?? -1);
    expect([table.takeOldest()?.id, table.takeOldest()?.id, table.oldestId]).toEqual([3, 6, 1]);
    const place = taken[2]?.place ?? -1;
    expect([table.stateOf(place), table.has(3)]).toEqual([RECLAIMING, true]);
    table.free(place);
    expect([table.stateOf(place), table.has(3), table.freeCount]).toEqual([FREE, false, 1]);
    // Ids are never given again.
    expect(table.take(OPEN)?.id).toBe(layout.segmentCount + 2);
  });

  test('what a worker that died had is another’s, once', () => {
    const { table, words, layout } = makeTable();
    const [open, sealed, own] = [table.take(OPEN), table.take(OPEN), table.take(OPEN)];
    table.seal(sealed?.place ?? -1);
    expect(table.takeAbandoned()).toEqual([]);
    words[layout.segmentsAt / 4 + (open?.place ?? 0) * SEGMENT_WORDS + 1] = endedMark();
    expect(table.takeAbandoned()).toEqual([{ place: open?.place ?? -1, id: open?.id ?? -1, state: OPEN }]);
    expect(table.takeAbandoned()).toEqual([]);
    expect([table.stateOf(sealed?.place ?? -1), table.stateOf(own?.place ?? -1)]).toEqual([SEALED, OPEN]);
  });
});
