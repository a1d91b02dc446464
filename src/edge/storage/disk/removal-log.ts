/**
 * What was removed while it was on a disk, for the next time the index is made from the segments: they still list it. A
 * file for each id that was the last one given, because it is needed only as long as a segment up to that one exists.
 *
 *   entry   hash of the URL's key (4 octets) │ 0 (4) │ how far invalidations were (double)
 */
import { appendFileSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_MARK } from '#platform/process-mark.ts';
import { Octets } from '../octets.ts';

const ENTRY_BYTES = 16;
const NAME = /^(\d+)-\d+\.removed$/;

export class RemovalLog {
  readonly #folder: string;
  readonly #entry = Octets.allocate(ENTRY_BYTES);

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws what the system says. */
  append(lastId: number, urlHash: number, sequence: number): void {
    this.#entry.words[0] = urlHash;
    this.#entry.doubles[1] = sequence;
    appendFileSync(join(this.#folder, `${lastId}-${OWN_MARK}.removed`), this.#entry.bytes, { mode: 0o600 });
  }

  /** Of each URL's hash, up to where what was fetched is gone. */
  read(): Map<number, number> {
    const removed = new Map<number, number>();
    for (const name of readdirSync(this.#folder)) {
      if (!NAME.test(name)) continue;
      const bytes = readFileSync(join(this.#folder, name));
      const octets = Octets.allocate(Math.floor(bytes.byteLength / ENTRY_BYTES) * ENTRY_BYTES);
      octets.bytes.set(bytes.subarray(0, octets.bytes.byteLength));
      for (let i = 0; i < octets.bytes.byteLength / ENTRY_BYTES; i++) {
        const urlHash = octets.words[4 * i] as number;
        removed.set(urlHash, Math.max(removed.get(urlHash) ?? 0, octets.doubles[2 * i + 1] as number));
      }
    }
    return removed;
  }

  /** Deletes what is about segments before `oldestId` alone. */
  prune(oldestId: number): void {
    for (const name of readdirSync(this.#folder)) {
      const lastId = NAME.exec(name)?.[1];
      if (lastId !== undefined && Number(lastId) < oldestId) unlinkSync(join(this.#folder, name));
    }
  }
}
