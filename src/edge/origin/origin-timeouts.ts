/** The bounds that hold for one origin: the client's, with what the origin's own settings put in their place. */
import type { Origin } from '#core/model/site.ts';
import type { OriginLimits } from './limits.ts';

/** Remembered with each origin, which is part of an immutable snapshot. */
export function limitsByOrigin(limits: OriginLimits): (origin: Origin) => OriginLimits {
  const known = new WeakMap<Origin, OriginLimits>();
  return (origin) => {
    if (origin.timeouts === null) return limits;
    let own = known.get(origin);
    if (own === undefined) {
      const { firstByteSeconds, betweenBytesSeconds, totalSeconds } = origin.timeouts;
      own = {
        ...limits,
        ...(firstByteSeconds === null ? {} : { firstByteMs: firstByteSeconds * 1_000 }),
        ...(betweenBytesSeconds === null ? {} : { bodyIdleMs: betweenBytesSeconds * 1_000 }),
        ...(totalSeconds === null ? {} : { totalMs: totalSeconds * 1_000 }),
      };
      known.set(origin, own);
    }
    return own;
  };
}
