/** What is left of what a cache stored when all of its processes have been killed, and how soon it serves it. */
import type { Figures } from '../bench-result.ts';
import { HOST, type RunningCache } from '../caches/cache.ts';
import type { Fleet } from '../caches/fleet.ts';
import { pathOf, type WorkingSet } from './working-set.ts';

/** Asked for at one time to see whether what was stored is found. */
const SAMPLE = 500;
const AT_ONCE = 16;
/** A cache that has not found everything by then is not going to. */
const WAIT_MS_MAX = 15_000;

/** `forgets`: what it keeps in memory beside its processes goes, too. */
export async function measureRestart(
  fleet: Fleet,
  cache: RunningCache,
  set: WorkingSet,
  forgets: boolean,
): Promise<Figures> {
  await cache.server.kill();
  if (forgets) cache.forgetMemory?.();
  const startedAt = performance.now();
  const again = await fleet.startAgain(cache);
  const servesAfterMilliseconds = performance.now() - startedAt;
  // Each sample has responses of its own: what a miss brings back must not count as found.
  for (let sample = 0; ; sample++) {
    const askedAt = performance.now() - startedAt;
    const found = await foundOf(fleet, again, set, sample);
    const isLate = askedAt > WAIT_MS_MAX || (sample + 2) * SAMPLE > set.count;
    if (found < SAMPLE && !isLate) continue;
    const allFoundAfterMilliseconds = found === SAMPLE ? askedAt : Number.NaN;
    return { servesAfterMilliseconds, allFoundAfterMilliseconds, foundShare: found / SAMPLE };
  }
}

/** How many of a sample the origin was not asked for. */
async function foundOf(fleet: Fleet, cache: RunningCache, set: WorkingSet, sample: number): Promise<number> {
  const before = await fleet.origin.requests();
  let next = 0;
  const askers = Array.from({ length: AT_ONCE }, async () => {
    while (next < SAMPLE) {
      // A prime apart: all over the set, in the order in which it was stored or not.
      const i = ((sample * SAMPLE + next++) * 7_919) % set.count;
      const url = `http://${HOST}:${cache.httpPort}${pathOf(set, i)}`;
      const response = await fetch(url);
      const { byteLength } = await response.arrayBuffer();
      if (byteLength !== set.size.bytes) throw new Error(`${url}: ${byteLength} octets came`);
    }
  });
  await Promise.all(askers);
  return SAMPLE - ((await fleet.origin.requests()) - before);
}
