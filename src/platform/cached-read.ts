/**
 * Reading of a file what the system has of it in memory, and nothing that a disk would have to be waited for: `preadv2` with
 * `RWF_NOWAIT`, which neither Bun nor Node offers. It costs what an ordinary read does. Linux with Bun; elsewhere, and on
 * file systems that cannot tell (tmpfs for one), the answer is that it is not known.
 */
import type { Pointer } from 'bun:ffi';

/** Some of it is not in memory, or not there: an ordinary read brings it, or says what is wrong. */
export const NOT_AT_HAND = -1;
/** Whether it is in memory cannot be had here. */
export const UNKNOWN = -2;

/** Reads octets from `at` on: `byteLength`, or one of the two above. */
export type CachedReader = (descriptor: number, byteLength: number, at: number) => number;

const RWF_NOWAIT = 8;
const EINVAL = 22;
const ENOSYS = 38;
const EOPNOTSUPP = 95;

const CALLS = {
  // The count is a `ssize_t`, of which these are the lower half: it never exceeds the vector's length.
  preadv2: { args: ['int', 'ptr', 'int', 'i64', 'int'], returns: 'int' },
  __errno_location: { args: [], returns: 'ptr' },
} as const;

const ffi = typeof Bun === 'undefined' ? null : await import('bun:ffi');
const libc = typeof Bun === 'undefined' ? null : (await import('./libc.ts')).openLibc(CALLS);

/** A reader into one piece of memory, from its beginning on. */
export function cachedReader(bytes: Uint8Array): CachedReader {
  const is64Bit = process.arch === 'x64' || process.arch === 'arm64';
  if (ffi === null || libc === null || !is64Bit) return () => UNKNOWN;
  const { ptr, read } = ffi;
  const { preadv2, __errno_location } = libc;
  // struct iovec: address @0 (8) | length @8 (8), little-endian.
  const vector = new BigUint64Array([BigInt(ptr(bytes)), 0n]);
  const words = new Uint32Array(vector.buffer);
  // An address keeps nothing alive: the reader holds what lies there.
  const held = { bytes, words, address: ptr(vector) };
  return (descriptor, byteLength, at) => {
    held.words[2] = Math.min(byteLength, held.bytes.byteLength);
    const count = preadv2(descriptor, held.address, 1, at, RWF_NOWAIT);
    if (count === byteLength) return count;
    return count < 0 ? problemOf(read.i32(__errno_location() as Pointer, 0)) : NOT_AT_HAND;
  };
}

function problemOf(errno: number): number {
  return errno === EOPNOTSUPP || errno === ENOSYS || errno === EINVAL ? UNKNOWN : NOT_AT_HAND;
}
