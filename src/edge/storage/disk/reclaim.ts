/**
 * Making room on a disk: the oldest segment goes, and what was used of it since it was written moves into this worker's
 * own segment, as far as half of the room allows.
 */
import { SlicesOfTime } from '../slices-of-time.ts';
import type { DiskCalls } from './disk-calls.ts';
import type { DiskIndex, IndexEntry } from './disk-index.ts';
import { entriesOf } from './footers.ts';
import type { RemovalLog } from './removal-log.ts';
import { type SegmentFiles, segmentFile } from './segment-files.ts';
import type { FooterEntry } from './segment-format.ts';
import type { SegmentTable, TakenSegment } from './segment-table.ts';
import type { SegmentWriter } from './segment-writer.ts';

/** What may move on of a segment, of its octets: the rest is room that was won. */
const MOVED_SHARE_MAX = 1 / 2;

export interface ReclaimTools {
  readonly folder: string;
  readonly calls: DiskCalls;
  readonly table: SegmentTable;
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly writer: SegmentWriter;
  readonly removals: RemovalLog;
  readonly segmentBytes: number;
  readonly onFault: (error: unknown) => void;
}

/** Resolves with whether a segment went. */
export async function reclaimOldest(tools: ReclaimTools): Promise<boolean> {
  const segment = tools.table.takeOldest();
  if (segment === null) return false;
  await reclaimSegment(tools, segment);
  return true;
}

/** Also one that a worker which died was reclaiming. */
export async function reclaimSegment(tools: ReclaimTools, segment: TakenSegment): Promise<void> {
  const { calls, folder, table, removals, onFault } = tools;
  const file = segmentFile(folder, segment.id);
  try {
    await emptySegment(tools, segment, await entriesOf(calls, file));
    await calls.unlink(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onFault(error);
  }
  table.free(segment.place);
  removals.prune(table.oldestId);
}

async function emptySegment(
  tools: ReclaimTools,
  { id }: TakenSegment,
  entries: readonly FooterEntry[],
): Promise<void> {
  const { index, writer, segmentBytes } = tools;
  const time = new SlicesOfTime();
  let movable = segmentBytes * MOVED_SHARE_MAX;
  let evictions = 0;
  for (const entry of entries) {
    if (time.isOver) await time.next();
    const { hash, check, variant, offset } = entry;
    const known = index
      .find(hash, check)
      .find((each) => each.variant === variant && each.segment === id && each.offset === offset);
    if (known === undefined) continue;
    if (known.uses > 0 && known.byteLength <= movable && (await move(tools, entry, known))) {
      movable -= known.byteLength;
    } else if (index.drop(known, known)) evictions++;
  }
  index.countEvictions(evictions);
  await writer.flush();
}

/** Whether it is on its way: what cannot be read or written stays behind, and goes. */
async function move(
  { index, files, writer, onFault }: ReclaimTools,
  entry: FooterEntry,
  known: IndexEntry,
): Promise<boolean> {
  try {
    const octets = await files.read(known);
    return writer.appendCopy(octets, known.byteLength, entry, (location) => {
      if (location === null || !index.move(known, known, location)) index.drop(known, known);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onFault(error);
    return false;
  }
}
