/** Waiting without giving up the turn, for the fractions of a millisecond in which another process holds a lock. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread for about `ms`. */
export function pause(ms: number): void {
  Atomics.wait(NOBODY, 0, 0, ms);
}
