/**
 * Octets of a file on their way to a socket without coming into this process, by `sendfile`; and whether they are in the
 * page cache, by `cachestat` (Linux 6.5). Both by `bun:ffi`: neither Bun nor Node offers them.
 *
 *   struct cachestat_range   offset @0 (8) | length @8 (8)
 *   struct cachestat         pages in the cache @0 (8) | four more counts (32)
 */

/** `cachestat`, which C libraries have no name for; the same number on all architectures. */
const SYS_CACHESTAT = 451;
/** The smallest there are. Where pages are larger, the counts are lower, and the answer is no. */
const PAGE_BYTES = 4096;

const CALLS = {
  // The count is a `ssize_t`, of which this is the lower half: less than 2 GiB are asked for.
  sendfile: { args: ['int', 'int', 'ptr', 'u64'], returns: 'int' },
  syscall: { args: ['i64', 'int', 'ptr', 'ptr', 'u32'], returns: 'int' },
} as const;

const calls = typeof Bun === 'undefined' ? null : (await import('./libc.ts')).openLibc(CALLS);
const addressOf = typeof Bun === 'undefined' ? null : (await import('bun:ffi')).ptr;

// They live as long as the process: an address keeps nothing alive.
const place = new Uint32Array(2);
const range = new Uint32Array(4);
const counts = new Uint32Array(10);

/** How many octets `socket` has taken; 0 or less: none, for whatever reason, which a write to it will tell. */
export function sendFile(socket: number, file: number, offset: number, byteLength: number): number {
  if (calls === null || addressOf === null) return -1;
  put(place, 0, offset);
  return calls.sendfile(socket, file, addressOf(place), byteLength);
}

/** Whether all of these octets are in the page cache; where the system does not say, they count as being there. */
export function isInPageCache(file: number, offset: number, byteLength: number): boolean {
  if (calls === null || addressOf === null || byteLength === 0) return true;
  put(range, 0, offset);
  put(range, 2, byteLength);
  const result = calls.syscall(SYS_CACHESTAT, file, addressOf(range), addressOf(counts), 0);
  if (result !== 0) return true;
  const pages = Math.floor((offset + byteLength - 1) / PAGE_BYTES) - Math.floor(offset / PAGE_BYTES) + 1;
  return (counts[0] as number) >= pages;
}

/** A number of 64 bits, its lower half first, as all machines have it that this runs on. */
function put(words: Uint32Array, at: number, value: number): void {
  words[at] = value % 2 ** 32;
  words[at + 1] = Math.floor(value / 2 ** 32);
}
