/** The memory that an edge's workers share, from its file: shards and invalidations. */
import { Invalidations } from '#core/caching/invalidations.ts';
import { mapFile } from '#platform/mapped-file.ts';
import { textHash } from '#platform/text-hash.ts';
import { openSharedFile } from '../shared-file.ts';
import { LAYOUT_VERSION, type Layout, layoutOf } from './layout.ts';
import { Shard } from './shard.ts';

export interface Region {
  readonly layout: Layout;
  readonly shards: readonly Shard[];
  readonly invalidations: Invalidations;
  /** Whether it was there before, with what it holds. */
  readonly isAttached: boolean;
}

/**
 * The region at `path`, of `budgetBytes` in all. Where it cannot be had, `reason` says why: too little room on the file
 * system, for one.
 */
export function openRegion(path: string, budgetBytes: number): Region | { readonly reason: string } {
  const layout = layoutOf(budgetBytes);
  const opened = openSharedFile(path, LAYOUT_VERSION, layout.byteLength);
  if ('reason' in opened) return opened;
  const { file, isAttached } = opened;
  const { invalidationSlots: slots, invalidationsAt, shardsAt, shard } = layout;
  const memory = mapFile(file, invalidationsAt, shardsAt - invalidationsAt);
  const shards = Array.from(
    { length: layout.shardCount },
    (_, i) => new Shard(mapFile(file, shardsAt + i * shard.byteLength, shard.byteLength), shard),
  );
  const invalidations = new Invalidations({
    memory,
    slots,
    hash: (text) => textHash(text),
    startedAt: Date.now(),
  });
  return { layout, shards, invalidations, isAttached };
}
