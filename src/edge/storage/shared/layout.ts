/**
 * How the memory that an edge's workers share is divided, from its size alone: all who map it come to the same.
 *
 *   file    page of what it is │ invalidations │ shard │ shard │ …
 *   shard   control (256) │ buckets │ ghosts │ small ring │ main ring
 *   bucket  version │ 16 × (hash of the key, position + 1, uses)
 *   ring    records, each a multiple of 64 octets and in one piece: header (32) │ head │ key │ body
 *
 * A change of anything here, or of what lies in a record, needs another `LAYOUT_VERSION`.
 */
import { invalidationBytes } from '#core/caching/invalidations.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { PAGE_BYTES } from '../shared-file.ts';

export const LAYOUT_VERSION = 1;
/** What rings count in. */
export const UNIT_BYTES = 64;

/** A shard's control words, up to the first bucket. Doubles follow from octet 64 on. */
export const CONTROL_BYTES = 256;
export const LOCK_WORD = 0;
export const STAMP_WORD = 1;
export const SMALL_HEAD_WORD = 2;
export const SMALL_TAIL_WORD = 3;
export const MAIN_HEAD_WORD = 4;
export const MAIN_TAIL_WORD = 5;
/** 1: the main ring has been full. In memory that was made before there was this word, and the next, they are 0, which does no harm. */
export const FILLED_WORD = 6;
/** Units that left the small ring unused, from the beginning of time, modulo 2^32: what the age of ghosts is counted in. */
export const GHOST_CLOCK_WORD = 7;
/** The shard's figures, doubles. */
export const STORED_DOUBLE = 8;
export const BODY_BYTES_DOUBLE = 9;
export const CHARGED_UNITS_DOUBLE = 10;
export const ADMISSIONS_DOUBLE = 11;
export const EVICTIONS_DOUBLE = 12;

export const SLOTS_PER_BUCKET = 16;
export const SLOT_WORDS = 3;
export const BUCKET_WORDS = 1 + SLOTS_PER_BUCKET * SLOT_WORDS;

/** Sizes and places within a shard, octets unless said. */
export interface ShardLayout {
  readonly byteLength: number;
  readonly bucketCount: number;
  readonly ghostsAt: number;
  /** A power of two. */
  readonly ghostCount: number;
  readonly smallAt: number;
  readonly smallUnits: number;
  readonly mainAt: number;
  readonly mainUnits: number;
}

export interface Layout {
  readonly byteLength: number;
  readonly invalidationsAt: number;
  readonly invalidationSlots: number;
  readonly shardsAt: number;
  /** A power of two. */
  readonly shardCount: number;
  readonly shard: ShardLayout;
}

const SHARD_BYTES_TARGET = 16 * 1024 * 1024;
const SHARDS_MAX = 64;
/** Below 4 GiB, which is what one mapping may have. */
const SHARD_BYTES_MAX = 4 * 1024 ** 3 - PAGE_BYTES;
/** A slot of the index for so many octets: about as many as the smallest usual record has. */
const BYTES_PER_SLOT = 1_024;
const BYTES_PER_GHOST = 4_096;
const BYTES_PER_INVALIDATION_SLOT = 1_024;
const INVALIDATION_SLOTS = { min: 1_024, max: 512 * 1_024 };
/** Share of the ring for newcomers, as in S3-FIFO's paper. */
const SMALL_SHARE = 0.1;

/** `budgetBytes`: all that may be used; at least `STORAGE_LIMITS.memoryBytesMin`. */
export function layoutOf(budgetBytes: number): Layout {
  const invalidationSlots = powerOfTwo(
    clamp(budgetBytes / BYTES_PER_INVALIDATION_SLOT, INVALIDATION_SLOTS.min, INVALIDATION_SLOTS.max),
  );
  const invalidationsAt = PAGE_BYTES;
  const shardsAt = invalidationsAt + wholePages(invalidationBytes(invalidationSlots) + PAGE_BYTES - 1);
  const shardCount = powerOfTwo(clamp(budgetBytes / SHARD_BYTES_TARGET, 1, SHARDS_MAX));
  const shardBytes = Math.min(wholePages((budgetBytes - shardsAt) / shardCount), SHARD_BYTES_MAX);
  return {
    byteLength: shardsAt + shardCount * shardBytes,
    invalidationsAt,
    invalidationSlots,
    shardsAt,
    shardCount,
    shard: shardLayoutOf(shardBytes),
  };
}

function shardLayoutOf(byteLength: number): ShardLayout {
  const bucketCount = Math.max(1, Math.floor(byteLength / (BYTES_PER_SLOT * SLOTS_PER_BUCKET)));
  const ghostCount = powerOfTwo(Math.max(byteLength / BYTES_PER_GHOST, 64));
  const ghostsAt = CONTROL_BYTES + bucketCount * BUCKET_WORDS * 4;
  const smallAt = Math.ceil((ghostsAt + ghostCount * 4) / UNIT_BYTES) * UNIT_BYTES;
  const units = Math.floor((byteLength - smallAt) / UNIT_BYTES);
  const smallUnits = Math.floor(units * SMALL_SHARE);
  const mainAt = smallAt + smallUnits * UNIT_BYTES;
  return {
    byteLength,
    bucketCount,
    ghostsAt,
    ghostCount,
    smallAt,
    smallUnits,
    mainAt,
    mainUnits: units - smallUnits,
  };
}

/** The largest body that is kept: a share of a shard's main ring, so that one does not push out everything else. */
export function bodyBytesMaxOf({ shard }: Layout): number {
  const share = Math.floor(shard.mainUnits * UNIT_BYTES * STORAGE_LIMITS.objectShareOfBudget);
  return Math.min(share, STORAGE_LIMITS.sharedObjectBytesMax);
}

function wholePages(bytes: number): number {
  return Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** The largest that is not above `value`. */
function powerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
