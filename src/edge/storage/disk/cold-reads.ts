/**
 * Having the system read from a disk what it has not in memory, on the thread pool, so that a lookup afterwards need not
 * wait for it. What was read is looked at by nobody: the lookup reads it anew, of memory.
 */
import type { DiskIndex, IndexEntry } from './disk-index.ts';
import type { DiskState } from './disk-state.ts';
import type { SegmentFiles } from './segment-files.ts';

export interface ColdReadTools {
  readonly files: SegmentFiles;
  readonly index: DiskIndex;
  readonly state: DiskState;
}

export class ColdReads {
  /** By key: all who want it wait for one reading. As many as there are requests at most. */
  readonly #underWay = new Map<string, Promise<void>>();

  /** Resolves when all the records have been read, or have been forgotten because they could not be. */
  bring(tools: ColdReadTools, cacheKey: string, entries: readonly IndexEntry[]): Promise<void> {
    const known = this.#underWay.get(cacheKey);
    if (known !== undefined) return known;
    const all = Promise.all(entries.map((entry) => bringOne(tools, entry))).then(() => {
      this.#underWay.delete(cacheKey);
    });
    this.#underWay.set(cacheKey, all);
    return all;
  }
}

async function bringOne({ files, index, state }: ColdReadTools, entry: IndexEntry): Promise<void> {
  try {
    await files.bring(entry);
  } catch (error) {
    index.drop(entry, entry);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') state.readFailed(error);
  }
}
