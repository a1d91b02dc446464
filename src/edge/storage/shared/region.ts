/** The memory that an edge's workers share, from its file: shards and invalidations. */
import { Invalidations } from '#core/caching/invalidations.ts';
import { mapFile } from '#platform/mapped-file.ts';
import { textHash } from '#platform/text-hash.ts';
import { openSharedFile } from '../shared-file.ts';
import { SlicesOfTime } from '../slices-of-time.ts';
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
  void touchAll(shards);
  const invalidations = new Invalidations({
    memory,
    slots,
    hash: (text) => textHash(text),
    startedAt: Date.now(),
  });
  return { layout, shards, invalidations, isAttached };
}

/** Pages that a look at one of them brings along (`fault_around_bytes` of Linux). */
const PAGES_BYTES = 64 * 1024;

/** Has this process's view of the memory set up ahead of use: page by page it costs several times what copying does. */
async function touchAll(shards: readonly Shard[]): Promise<void> {
  const time = new SlicesOfTime();
  for (const { octets } of shards) {
    for (let at = 0; at < octets.words.length; at += PAGES_BYTES / 4) {
      Atomics.load(octets.words, at);
      if (time.isOver) await time.next();
    }
  }
}
