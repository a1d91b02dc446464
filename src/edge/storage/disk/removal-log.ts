/**
 * What was removed while it was on a disk, for the next time the index is made from the segments: they still list it. A
 * file for each id that was the last one given, because it is needed only as long as a segment up to that one exists.
 *
 *   entry   hash of the URL's key (4 octets) │ 0, or 1: of every URL (4) │ how far invalidations were (double)
 *
 * A file that has grown too long becomes one entry of every URL: then more is forgotten than was removed.
 */
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_MARK } from '#platform/process-mark.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { Octets } from '../octets.ts';

const ENTRY_BYTES = 16;
const NAME = /^(\d+)-\d+\.removed$/;

/** What was removed while it was on the disk. */
export interface Removals {
  /** Of each URL's hash, up to where what was fetched is gone. */
  readonly urls: ReadonlyMap<number, number>;
  /** The same of every URL. */
  readonly all: number;
}

export class RemovalLog {
  readonly #folder: string;
  readonly #entry = Octets.allocate(ENTRY_BYTES);
  /** Of this process's last file. */
  #lastId = -1;
  #byteLength = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws what the system says. */
  append(lastId: number, urlHash: number, sequence: number): void {
    const file = join(this.#folder, `${lastId}-${OWN_MARK}.removed`);
    if (lastId !== this.#lastId) this.#byteLength = 0;
    this.#lastId = lastId;
    const isTooLong = this.#byteLength >= STORAGE_LIMITS.removalFileBytesMax;
    this.#entry.words[0] = isTooLong ? 0 : urlHash;
    this.#entry.words[1] = isTooLong ? 1 : 0;
    this.#entry.doubles[1] = sequence;
    (isTooLong ? writeFileSync : appendFileSync)(file, this.#entry.bytes, { mode: 0o600 });
    this.#byteLength = isTooLong ? ENTRY_BYTES : this.#byteLength + ENTRY_BYTES;
  }

  read(): Removals {
    const urls = new Map<number, number>();
    let all = 0;
    for (const name of readdirSync(this.#folder)) {
      if (!NAME.test(name)) continue;
      const bytes = readFileSync(join(this.#folder, name));
      const octets = Octets.allocate(Math.floor(bytes.byteLength / ENTRY_BYTES) * ENTRY_BYTES);
      octets.bytes.set(bytes.subarray(0, octets.bytes.byteLength));
      for (let i = 0; i < octets.bytes.byteLength / ENTRY_BYTES; i++) {
        const urlHash = octets.words[4 * i] as number;
        const sequence = octets.doubles[2 * i + 1] as number;
        if (octets.words[4 * i + 1] === 1) all = Math.max(all, sequence);
        else urls.set(urlHash, Math.max(urls.get(urlHash) ?? 0, sequence));
      }
    }
    return { urls, all };
  }

  /** Deletes what is about segments before `oldestId` alone. */
  prune(oldestId: number): void {
    for (const name of readdirSync(this.#folder)) {
      const lastId = NAME.exec(name)?.[1];
      // Another worker may be at it, too.
      if (lastId !== undefined && Number(lastId) < oldestId)
        rmSync(join(this.#folder, name), { force: true });
    }
  }
}
