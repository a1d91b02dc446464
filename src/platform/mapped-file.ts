/** Files as memory that several processes share, as Bun maps them; Node cannot. */

export const canMapFiles = typeof Bun !== 'undefined' && process.platform !== 'win32';

/**
 * Octets [offset, offset + byteLength) of a file, shared with all who map it. `offset` is a multiple of the page's
 * 4,096, `byteLength` below 4 GiB. The file must have these octets, and on a file system in memory hold them already:
 * touching what has no room there ends the process. Unmapped when nobody refers to it any more.
 */
export function mapFile(path: string, offset: number, byteLength: number): ArrayBufferLike {
  const mapped = Bun.mmap(path, { shared: true, offset, size: byteLength });
  return mapped.buffer;
}
