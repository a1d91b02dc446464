/**
 * Making the index of a disk again from its segments' footers, while the disk serves and takes new responses already. Of
 * two records of one name the newer response counts, whichever segment it is in: those of two workers overlap. Nothing is
 * entered over what came meanwhile.
 */
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Invalidations } from '#core/caching/invalidations.ts';
import { SlicesOfTime } from '../slices-of-time.ts';
import type { DiskCalls } from './disk-calls.ts';
import { type DiskIndex, type IndexEntry, slotNumber } from './disk-index.ts';
import { entriesOf } from './footers.ts';
import type { RemovalLog, Removals } from './removal-log.ts';
import { segmentFile } from './segment-files.ts';
import type { FooterEntry } from './segment-format.ts';
import { OPEN, type SegmentTable, type TakenSegment } from './segment-table.ts';

export interface RecoveryTools {
  readonly folder: string;
  readonly calls: DiskCalls;
  readonly table: SegmentTable;
  readonly index: DiskIndex;
  readonly removals: RemovalLog;
  readonly invalidations: Invalidations;
  /** The most that one has. */
  readonly segmentBytes: number;
  readonly onFault: (error: unknown) => void;
  /** Whether to leave the rest to whoever comes next. */
  readonly isClosed: () => boolean;
}

const NAME = /^(\d+)\.seg$/;

/**
 * Gives every segment on the disk its place, the newest first. Those that there is no room for any more go, and those that
 * are larger than segments are now: the disk was given another size.
 */
export function registerSegments({ folder, table, segmentBytes }: RecoveryTools): TakenSegment[] {
  const ids = readdirSync(folder)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
  table.raiseLastId(ids[0] ?? 0);
  const taken: TakenSegment[] = [];
  for (const id of ids) {
    // One that a worker has, or had.
    if (table.has(id)) continue;
    const file = segmentFile(folder, id);
    const place = statSync(file).size > segmentBytes ? null : table.take(OPEN, id);
    if (place === null) unlinkSync(file);
    else taken.push(place);
  }
  return taken;
}

/** Removes segments that have no place any more: they could not be read, or not be removed, when their place was given up. */
export async function removeOrphans({ folder, calls, table, onFault }: RecoveryTools): Promise<void> {
  if (!table.isRegistered) return;
  for (const name of await readdir(folder)) {
    const id = Number(NAME.exec(name)?.[1] ?? Number.NaN);
    // A file is made after its place has been taken: what has none will never have one.
    if (Number.isNaN(id) || id > table.lastId || table.has(id)) continue;
    await calls.unlink(segmentFile(folder, id)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') onFault(error);
    });
  }
}

/** Enters what the segments hold. One that cannot be read is left out, and goes. */
export async function recoverSegments(
  tools: RecoveryTools,
  segments: readonly TakenSegment[],
): Promise<void> {
  const removed = tools.removals.read();
  const time = new SlicesOfTime();
  const ids = new Set(segments.map(({ id }) => id));
  // Of what this recovery entered in each slot, in seconds: by number, because there may be millions.
  const times = new Uint32Array(tools.index.slotNumbersMax);
  for (const segment of segments) {
    const entries = await readEntries(tools, segment);
    if (entries === null) continue;
    // What came later stands for what came before it.
    for (const entry of entries.toReversed()) {
      if (!isRemoved(tools, removed, entry)) {
        const seconds = entry.respondedAt / 1000;
        // What is known of another segment came meanwhile, or was moved.
        const isNewerThan = (known: IndexEntry): boolean =>
          ids.has(known.segment) && (times[slotNumber(known.slot)] as number) < seconds;
        const slot = tools.index.putFound(entry, { ...entry, segment: segment.id }, isNewerThan);
        if (slot !== null) times[slotNumber(slot)] = seconds;
      }
      if (time.isOver) await time.next();
      if (tools.isClosed()) return;
    }
    tools.table.seal(segment.place);
  }
}

/** A segment of which a worker that died was the owner: it is sealed. What it holds is in the index already. */
export async function sealAbandoned(tools: RecoveryTools, segment: TakenSegment): Promise<void> {
  if ((await readEntries(tools, segment)) !== null) tools.table.seal(segment.place);
}

async function readEntries(tools: RecoveryTools, { id, place }: TakenSegment): Promise<FooterEntry[] | null> {
  const { calls, folder, onFault, table } = tools;
  const file = segmentFile(folder, id);
  try {
    return await entriesOf(calls, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onFault(error);
    table.free(place);
    return null;
  }
}

function isRemoved(
  { invalidations }: RecoveryTools,
  { urls, all }: Removals,
  { urlHash, sequence }: FooterEntry,
): boolean {
  return (
    all > sequence ||
    (urls.get(urlHash) ?? 0) > sequence ||
    invalidations.isHashInvalidated(urlHash, sequence)
  );
}
