/** Assertions: a failed one is a mistake of the programmer, never of a user or a peer. */

/** Throws when `condition` is false; `message` says which invariant was broken. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
