/** Reading segment files: descriptors are kept open, and closed some time after a segment has gone. */
import { closeSync, openSync, read, readSync } from 'node:fs';
import { join } from 'node:path';
import type { CachedReader } from '#platform/cached-read.ts';
import { isInPageCache } from '#platform/send-file.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { Octets } from '../octets.ts';
import { CheckedRecords } from './checked-records.ts';
import type { Location } from './disk-index.ts';
import type { SegmentTable } from './segment-table.ts';

/** Who holds a response whose segment has gone may read it for this long, ms. */
const GRACE_MS = 60_000;
/** What is read for the system to have it in memory goes here, whatever else goes here meanwhile. */
const nowhere = new Uint8Array(STORAGE_LIMITS.diskBufferBytes);

interface OpenFile {
  readonly descriptor: number;
  /** By readers of bodies: it stays open for them. */
  pins: number;
  /** When its segment was first seen to be gone, ms since the epoch; 0: it is not. */
  goneAt: number;
}

export function segmentFile(folder: string, id: number): string {
  return join(folder, `${id}.seg`);
}

export class SegmentFiles {
  readonly #folder: string;
  readonly #open = new Map<number, OpenFile>();
  readonly #checked = new CheckedRecords();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads into `octets` from its beginning; how many were read. Throws what the system says. */
  readSync({ segment, offset }: Location, octets: Octets, byteLength: number): number {
    const descriptor = this.descriptorOf(segment);
    return readSync(descriptor, octets.bytes, 0, byteLength, offset);
  }

  /** The same with a reader of what the system has in memory. */
  readAtHand({ segment, offset }: Location, reader: CachedReader, byteLength: number): number {
    return reader(this.descriptorOf(segment), byteLength, offset);
  }

  /** Has the system read a record into its memory. Rejects with what it says. */
  bring({ segment, offset, byteLength }: Location): Promise<void> {
    return new Promise((resolve, reject) => {
      const most = Math.min(byteLength, nowhere.byteLength);
      read(this.descriptorOf(segment), nowhere, 0, most, offset, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** The octets of a record, in memory of their own. Rejects with what the system says, or when there are fewer. */
  read({ segment, offset, byteLength }: Location): Promise<Octets> {
    return new Promise((resolve, reject) => {
      const octets = Octets.allocateUnset(byteLength);
      const descriptor = this.descriptorOf(segment);
      read(descriptor, octets.bytes, 0, byteLength, offset, (error, count) => {
        if (error !== null) reject(error);
        else if (count < byteLength) reject(new Error(`segment ${segment} ends at ${offset + count}`));
        else resolve(octets);
      });
    });
  }

  /** The same for what a follower of a fill may come to want, even of a segment that is given up before that. */
  keepOpen(segment: number): void {
    try {
      this.descriptorOf(segment);
    } catch {
      // Who reads it is told.
    }
  }

  /** Says that a record was read, and is as it was written. */
  noteChecked(location: Location): void {
    this.#checked.add(location);
  }

  /** Whether a record was checked, and has been in the page cache since. */
  isAtHand(location: Location): boolean {
    if (!this.#checked.has(location)) return false;
    const { segment, offset, byteLength } = location;
    return isInPageCache(this.descriptorOf(segment), offset, byteLength);
  }

  /** Octets of a record from `from` on, in memory of their own. Throws what the system says, or when there are fewer. */
  readPart({ segment, offset }: Location, from: number, byteLength: number): Uint8Array {
    const octets = Buffer.allocUnsafeSlow(byteLength);
    const count = readSync(this.descriptorOf(segment), octets, 0, byteLength, offset + from);
    if (count < byteLength) throw new Error(`segment ${segment} ends at ${offset + from + count}`);
    return octets;
  }

  /** Keeps a segment's file open until `unpin`, gone or not; its descriptor. Throws what the system says. */
  pin(segment: number): number {
    const descriptor = this.descriptorOf(segment);
    (this.#open.get(segment) as OpenFile).pins++;
    return descriptor;
  }

  unpin(segment: number): void {
    const file = this.#open.get(segment);
    if (file !== undefined) file.pins--;
  }

  /** Closes the files of segments that have been gone for long enough. */
  sweep(table: SegmentTable, now: number): void {
    for (const [id, file] of this.#open) {
      if (file.pins > 0 || table.has(id)) continue;
      if (file.goneAt === 0) file.goneAt = now;
      else if (now - file.goneAt >= GRACE_MS) {
        this.#open.delete(id);
        closeSync(file.descriptor);
      }
    }
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  /** Opened if need be. Throws what the system says. */
  descriptorOf(id: number): number {
    const known = this.#open.get(id);
    if (known !== undefined) return known.descriptor;
    const descriptor = openSync(segmentFile(this.#folder, id), 'r');
    this.#open.set(id, { descriptor, pins: 0, goneAt: 0 });
    return descriptor;
  }
}
