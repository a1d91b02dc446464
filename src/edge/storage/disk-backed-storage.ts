/**
 * Shared memory in front of disks. What is small is kept in memory and on a disk, and comes back to memory from there
 * when it is asked for; what is large is kept on a disk alone. A key's responses are all on one disk.
 */
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { textHash } from '#platform/text-hash.ts';
import type { DiskStorage } from './disk/disk-storage.ts';
import type { Storage, StorageStatistics, StorageWriter, StoredResponse, TierFigures } from './storage.ts';
import { addStatistics, OutgrowingWriter, TierWriter } from './tiered-storage.ts';

/** Seeds what a disk is chosen by: keys of one disk are spread over its index by other hashes. */
const CHOICE_SEED = 0x2f6e_2b1d;

/**
 * Of what is found on a disk alone, what comes back to memory: the often asked for soon does, and what is asked for now and
 * then does not cost a copy each time, nor push out what is used more.
 */
const PROMOTED_SHARE = 1 / 4;

export interface DiskOfStorage {
  readonly storage: DiskStorage;
  /** Its share of the keys: its size, in whatever unit is the same for all. */
  readonly weight: number;
}

export class DiskBackedStorage implements Storage {
  readonly invalidations: Invalidations;
  readonly #memory: Storage;
  readonly #smallBytesMax: number;
  readonly #disks: readonly DiskOfStorage[];
  readonly #weights: number;

  /** `smallBytesMax`: the largest body for memory, bytes; `disks`: at least one. */
  constructor(memory: Storage, smallBytesMax: number, disks: readonly DiskOfStorage[]) {
    this.invalidations = memory.invalidations;
    this.#memory = memory;
    this.#smallBytesMax = smallBytesMax;
    this.#disks = disks;
    this.#weights = disks.reduce((sum, { weight }) => sum + weight, 0);
  }

  lookup(cacheKey: string): readonly StoredResponse[] {
    const inMemory = this.#memory.lookup(cacheKey);
    return this.#together(cacheKey, inMemory, this.#diskOf(cacheKey).lookupBeside(cacheKey, inMemory));
  }

  lookupAtOnce(cacheKey: string): readonly StoredResponse[] | Promise<void> {
    const inMemory = this.#memory.lookup(cacheKey);
    const onDisk = this.#diskOf(cacheKey).lookupBesideAtOnce(cacheKey, inMemory);
    return onDisk instanceof Promise ? onDisk : this.#together(cacheKey, inMemory, onDisk);
  }

  #together(
    cacheKey: string,
    inMemory: readonly StoredResponse[],
    onDisk: readonly StoredResponse[],
  ): readonly StoredResponse[] {
    if (onDisk.length === 0) return inMemory;
    if (Math.random() < PROMOTED_SHARE) for (const stored of onDisk) this.#promote(cacheKey, stored);
    return inMemory.length === 0 ? onDisk : newestFirst([...inMemory, ...onDisk]);
  }

  peek(cacheKey: string): readonly StoredResponse[] {
    const inMemory = this.#memory.peek(cacheKey);
    const onDisk = this.#diskOf(cacheKey).peekBeside(cacheKey, inMemory);
    return onDisk.length === 0 ? inMemory : newestFirst([...inMemory, ...onDisk]);
  }

  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null {
    const disk = this.#diskOf(cacheKey);
    const large = (length: number | null): StorageWriter | null => {
      const writer = disk.admit(cacheKey, head, length);
      return writer === null ? null : new TierWriter(writer, () => this.#memory.forget(cacheKey, head));
    };
    if (bodyLength !== null && bodyLength > this.#smallBytesMax) return large(bodyLength);
    const inner = this.#memory.admit(cacheKey, head, bodyLength);
    if (inner === null) return null;
    const writer = new TierWriter(inner, ({ body }) => {
      // One that the disk does not keep must not stay behind an older one there.
      disk.forget(cacheKey, head);
      if (body !== null) disk.keep(cacheKey, head, body);
    });
    return bodyLength === null
      ? new OutgrowingWriter(writer, this.#smallBytesMax, () => large(null))
      : writer;
  }

  /** What is in memory is updated there alone: on the disk it becomes stale, and is validated when it is needed. */
  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null {
    return (
      this.#memory.freshen(cacheKey, stored, head) ?? this.#diskOf(cacheKey).freshen(cacheKey, stored, head)
    );
  }

  remove(cacheKey: string): number {
    const inMemory = this.#memory.remove(cacheKey);
    let onDisk = 0;
    // The kinds of a URL may be on any disk.
    for (const { storage } of this.#disks) onDisk += storage.remove(cacheKey);
    // What is small is in both.
    return Math.max(inMemory, onDisk);
  }

  forget(cacheKey: string, head: StoredHead): void {
    this.#memory.forget(cacheKey, head);
    this.#diskOf(cacheKey).forget(cacheKey, head);
  }

  statistics(): StorageStatistics {
    const inMemory = this.#memory.statistics();
    const onDisk = addStatistics(this.#disks.map(({ storage }) => storage.statistics()));
    // What is small is in both, as long as there is room: counted once.
    const storedResponses = Math.max(inMemory.storedResponses, onDisk.storedResponses);
    return { ...addStatistics([inMemory, onDisk]), storedResponses };
  }

  tiers(): readonly TierFigures[] {
    return [...this.#memory.tiers(), ...this.#disks.flatMap(({ storage }) => storage.tiers())];
  }

  async close(): Promise<void> {
    await this.#memory.close();
    await Promise.all(this.#disks.map(({ storage }) => storage.close()));
  }

  #diskOf(cacheKey: string): DiskStorage {
    const [first, ...others] = this.#disks as [DiskOfStorage, ...DiskOfStorage[]];
    if (others.length === 0) return first.storage;
    let left = (textHash(cacheKey, CHOICE_SEED) / 2 ** 32) * this.#weights - first.weight;
    if (left < 0) return first.storage;
    for (const { storage, weight } of others) {
      left -= weight;
      if (left < 0) return storage;
    }
    return first.storage;
  }

  #promote(cacheKey: string, { head, body }: StoredResponse): void {
    if (body === null || body.byteLength > this.#smallBytesMax) return;
    const writer = this.#memory.admit(cacheKey, head, body.byteLength);
    if (writer === null) return;
    if (body.byteLength > 0) writer.write(body);
    writer.finish();
  }
}

function newestFirst(responses: StoredResponse[]): readonly StoredResponse[] {
  return responses.sort((a, b) => b.head.respondedAt - a.head.respondedAt);
}
