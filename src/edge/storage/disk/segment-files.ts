/** Reading segment files: descriptors are kept open, and closed some time after a segment has gone. */
import { join } from 'node:path';
import type { CachedReader } from '#platform/cached-read.ts';
import { isInPageCache } from '#platform/send-file.ts';
import { within } from '#platform/within.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { Octets } from '../octets.ts';
import { CheckedRecords } from './checked-records.ts';
import type { DiskCalls } from './disk-calls.ts';
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
  readonly #calls: DiskCalls;
  readonly #open = new Map<number, OpenFile>();
  readonly #checked = new CheckedRecords();

  constructor(folder: string, calls: DiskCalls) {
    this.#folder = folder;
    this.#calls = calls;
  }

  /** Reads into `octets` from its beginning; how many were read. Throws what the system says. */
  readSync({ segment, offset }: Location, octets: Octets, byteLength: number): number {
    const descriptor = this.descriptorOf(segment);
    return this.#calls.readSync(descriptor, octets.bytes, byteLength, offset);
  }

  /** For `readAtHand`. */
  cachedReader(octets: Octets): CachedReader {
    return this.#calls.cachedReader(octets.bytes);
  }

  /** The same with a reader of what the system has in memory. */
  readAtHand({ segment, offset }: Location, reader: CachedReader, byteLength: number): number {
    return reader(this.descriptorOf(segment), byteLength, offset);
  }

  /** Has the system read a record into its memory. Rejects with what it says. */
  async bring({ segment, offset, byteLength }: Location): Promise<void> {
    const most = Math.min(byteLength, nowhere.byteLength);
    const read = this.#calls.read(this.descriptorOf(segment), nowhere, most, offset);
    await within(read, STORAGE_LIMITS.diskPatienceMs, `a read of segment ${segment}`);
  }

  /** The octets of a record, in memory of their own. Rejects with what the system says, or when there are fewer. */
  async read({ segment, offset, byteLength }: Location): Promise<Octets> {
    const octets = Octets.allocateUnset(byteLength);
    const read = this.#calls.read(this.descriptorOf(segment), octets.bytes, byteLength, offset);
    const count = await within(read, STORAGE_LIMITS.diskReadMsMax, `a read of segment ${segment}`);
    if (count < byteLength) throw new Error(`segment ${segment} ends at ${offset + count}`);
    return octets;
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
    const count = this.#calls.readHeldSync(this.descriptorOf(segment), octets, byteLength, offset + from);
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
        this.#calls.closeSync(file.descriptor);
      }
    }
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) this.#calls.closeSync(descriptor);
    this.#open.clear();
  }

  /** Opened if need be. Throws what the system says. */
  descriptorOf(id: number): number {
    const known = this.#open.get(id);
    if (known !== undefined) return known.descriptor;
    const descriptor = this.#calls.openSync(segmentFile(this.#folder, id));
    this.#open.set(id, { descriptor, pins: 0, goneAt: 0 });
    return descriptor;
  }
}
