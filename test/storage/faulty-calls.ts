/** The system as a disk reaches it, but broken now and then, as disks are: some calls fail, some octets are others. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DiskCalls, type SegmentHandle, SYSTEM_CALLS } from '#edge/storage/disk/disk-calls.ts';
import { NOT_AT_HAND, UNKNOWN } from '#platform/cached-read.ts';
import type { Random } from '../fuzz/random.ts';

/** One call in so many fails. */
const FAULT_ONE_IN = 60;

/** By chance: `isNow` says whether the next call fails. */
export function faultyCalls(random: Random, oneIn = FAULT_ONE_IN): DiskCalls {
  const isNow = (): boolean => random.below(oneIn) === 0;
  const failing = (codes: readonly string[]): void => {
    if (!isNow()) return;
    const code = codes[random.below(codes.length)] as string;
    throw Object.assign(new Error(`${code}: on purpose`), { code });
  };
  /** Fewer than there are, or another octet among them. */
  const spoiled = (bytes: Uint8Array, count: number): number => {
    if (count <= 0 || !isNow()) return count;
    if (random.below(2) === 0) return random.below(count);
    const at = random.below(count);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    return count;
  };
  const system = SYSTEM_CALLS;
  return {
    createSync(path) {
      failing(['EIO', 'ENOSPC', 'EROFS', 'EMFILE']);
      return system.createSync(path);
    },
    openSync(path) {
      failing(['EIO', 'EMFILE']);
      return system.openSync(path);
    },
    closeSync: system.closeSync,
    async open(path) {
      failing(['EIO', 'EMFILE']);
      return faultyHandle(await system.open(path), failing, spoiled);
    },
    async close(descriptor) {
      await system.close(descriptor);
      failing(['EIO']);
    },
    readSync(descriptor, bytes, byteLength, at) {
      failing(['EIO']);
      return spoiled(bytes, system.readSync(descriptor, bytes, byteLength, at));
    },
    readHeldSync(descriptor, bytes, byteLength, at) {
      failing(['EIO']);
      const count = system.readHeldSync(descriptor, bytes, byteLength, at);
      // It may have left memory meanwhile, but there it does not change.
      return isNow() ? random.below(byteLength) : count;
    },
    async read(descriptor, bytes, byteLength, at) {
      failing(['EIO']);
      return spoiled(bytes, await system.read(descriptor, bytes, byteLength, at));
    },
    cachedReader(bytes) {
      const read = system.cachedReader(bytes);
      return (descriptor, byteLength, at) => {
        if (isNow()) return random.below(2) === 0 ? NOT_AT_HAND : UNKNOWN;
        const count = read(descriptor, byteLength, at);
        return spoiled(bytes, count) === count ? count : NOT_AT_HAND;
      };
    },
    async write(descriptor, bytes, at) {
      failing(['EIO', 'ENOSPC']);
      if (isNow()) {
        const others = bytes.slice();
        others[random.below(others.byteLength)] = random.below(256);
        return system.write(descriptor, others, at);
      }
      if (!isNow()) return system.write(descriptor, bytes, at);
      // Only some of it, which is no fault, and then perhaps no more.
      const part = 1 + random.below(bytes.byteLength);
      const written = await system.write(descriptor, bytes.subarray(0, part), at);
      if (random.below(2) === 0) throw Object.assign(new Error('ENOSPC: on purpose'), { code: 'ENOSPC' });
      return written;
    },
    async datasync(descriptor) {
      failing(['EIO', 'ENOSPC']);
      await system.datasync(descriptor);
    },
    async unlink(path) {
      failing(['EIO', 'EROFS']);
      await system.unlink(path);
    },
  };
}

function faultyHandle(
  handle: SegmentHandle,
  failing: (codes: readonly string[]) => void,
  spoiled: (bytes: Uint8Array, count: number) => number,
): SegmentHandle {
  const before = <Arguments extends unknown[], Result>(work: (...given: Arguments) => Promise<Result>) =>
    (async (...given: Arguments) => {
      failing(['EIO', 'ENOSPC']);
      return await work(...given);
    }) as typeof work;
  const read = async (buffer: Buffer, offset: number, length: number, position: number) => {
    failing(['EIO']);
    const done = await handle.read(buffer, offset, length, position);
    return { ...done, bytesRead: spoiled(buffer, done.bytesRead) };
  };
  return {
    stat: before(handle.stat.bind(handle)) as SegmentHandle['stat'],
    read: read as unknown as SegmentHandle['read'],
    write: before(handle.write.bind(handle) as () => Promise<unknown>) as SegmentHandle['write'],
    truncate: before(handle.truncate.bind(handle)),
    datasync: before(handle.datasync.bind(handle)),
    close: () => handle.close(),
  };
}

/** One of the folder's segments vanishes. */
export function harm(random: Random, folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith('.seg'));
  const name = files[random.below(files.length || 1)];
  if (name !== undefined) rmSync(join(folder, name), { force: true });
}
