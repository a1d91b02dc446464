/**
 * What the workers of an edge know together of one disk, in a mapped file: which segments there are, and where on them
 * each response lies. From the disk's size alone, so that all come to the same.
 *
 *   page of what it is │ control │ segment table │ seen hashes │ locks, buckets of the index
 *   segment   state, owner, id, octets (4 words)
 *   bucket    version │ 16 × (hash, check, variant, segment id, offset in 64 octets, units and uses)
 *
 * A change of anything here, or of the segments' form (`segment-format.ts`), needs another `DISK_LAYOUT_VERSION`.
 */
import { PAGE_BYTES } from '../shared-file.ts';

export const DISK_LAYOUT_VERSION = 2;
/** What records and their places are counted in, octets. */
export const UNIT_BYTES = 64;

export const CONTROL_AT = PAGE_BYTES;
/** Words from the control's beginning on. */
export const RECOVERY_WORD = 0;
export const LAST_ID_WORD = 1;
export const REGISTERED_WORD = 2;
export const FULL_WORD = 3;
/** How often a chunk has gone or moved: while it stays, all that were found together are still there. */
export const CHUNKS_WORD = 16;
/** Doubles from there on: figures. */
export const STORED_DOUBLE = 4;
export const BYTES_DOUBLE = 5;
export const ADMISSIONS_DOUBLE = 6;
export const EVICTIONS_DOUBLE = 7;
const CONTROL_BYTES = 256;

export const SEGMENT_WORDS = 4;
export const SLOTS_PER_BUCKET = 16;
export const SLOT_WORDS = 6;
export const BUCKET_WORDS = 1 + SLOTS_PER_BUCKET * SLOT_WORDS;
/** Buckets are changed under the lock of their number modulo this. */
export const LOCKS = 64;

export interface DiskLayout {
  readonly byteLength: number;
  readonly segmentBytes: number;
  readonly segmentCount: number;
  readonly segmentsAt: number;
  readonly seenAt: number;
  /** A power of two. */
  readonly seenCount: number;
  readonly locksAt: number;
  readonly bucketsAt: number;
  readonly bucketCount: number;
}

const MIB = 1024 * 1024;
const SEGMENT_BYTES = { min: 4 * MIB, max: 1024 * MIB };
/** Segments of a disk that is large enough for it: reclaiming one takes that part of what is stored. */
const SEGMENTS_TARGET = 512;
/** A slot of the index for so many octets of the disk. */
const BYTES_PER_SLOT = 8 * 1024;
/** One mapping stays below 4 GiB. */
const INDEX_BYTES_MAX = 3 * 1024 ** 3;

/** `diskBytes`: what segments may take; at least `STORAGE_LIMITS.diskBytesMin`. */
export function diskLayoutOf(diskBytes: number): DiskLayout {
  const wanted = Math.min(Math.max(diskBytes / SEGMENTS_TARGET, SEGMENT_BYTES.min), SEGMENT_BYTES.max);
  const segmentBytes = 2 ** Math.ceil(Math.log2(wanted));
  const segmentCount = Math.floor(diskBytes / segmentBytes);
  const segmentsAt = CONTROL_AT + CONTROL_BYTES;
  const seenCount = 2 ** Math.floor(Math.log2(Math.max(diskBytes / BYTES_PER_SLOT, 1_024)));
  const seenAt = segmentsAt + segmentCount * SEGMENT_WORDS * 4;
  const locksAt = seenAt + seenCount * 4;
  const bucketsAt = locksAt + LOCKS * 4;
  const bucketBytes = BUCKET_WORDS * 4;
  const buckets = Math.ceil(diskBytes / (BYTES_PER_SLOT * SLOTS_PER_BUCKET));
  const bucketCount = Math.min(buckets, Math.floor(INDEX_BYTES_MAX / bucketBytes));
  const end = bucketsAt + bucketCount * bucketBytes;
  const byteLength = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
  return {
    byteLength,
    segmentBytes,
    segmentCount,
    segmentsAt,
    seenAt,
    seenCount,
    locksAt,
    bucketsAt,
    bucketCount,
  };
}
