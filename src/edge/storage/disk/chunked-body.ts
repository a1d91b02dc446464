/** A body that lies on a disk in chunks of 1 MiB, some of them perhaps still on their way there. */
import type { DiskIndex, IndexEntry, Location } from './disk-index.ts';
import type { SegmentFiles } from './segment-files.ts';
import type { ObjectId } from './segment-format.ts';

export interface ChunkedBody {
  readonly files: SegmentFiles;
  readonly index: DiskIndex;
  readonly object: ObjectId;
  /** Of each chunk where it lies, or its octets until it has been written. They change as chunks are written. */
  readonly places: (Location | Uint8Array)[];
}

/** Counts a use of a chunk, where its place in the index is known. */
export function countChunkUse({ index }: ChunkedBody, place: Location | Partial<IndexEntry>): void {
  if ('slot' in place && place.slot !== undefined) index.countUse(place.slot);
}
