/**
 * A worker's way to a disk: records are gathered in a buffer, which is written to the worker's open segment when it is
 * full or has waited for a while; a full segment gets its footer and another is opened. One write at a time, on the
 * thread pool. A record is told where it lies when it is there to be read.
 */
import { STORAGE_LIMITS } from '../limits.ts';
import { Octets } from '../octets.ts';
import type { DiskCalls } from './disk-calls.ts';
import type { Location, RecordName } from './disk-index.ts';
import type { DiskLayout } from './disk-layout.ts';
import { segmentFile } from './segment-files.ts';
import {
  type DiskRecord,
  type FooterEntry,
  footerBytes,
  type RecordKind,
  recordBytes,
  writeDiskRecord,
  writeFooter,
} from './segment-format.ts';
import { OPEN, type SegmentTable } from './segment-table.ts';

/** Of the table, for what moves on when room is made. */
const PLACES_KEPT = 1;

/** Told where the record lies; null: it could not be written. */
type Published = (location: Location | null) => void;

interface OpenSegment {
  readonly place: number;
  readonly id: number;
  readonly descriptor: number;
  /** Octets up to where buffers have been handed on to be written. */
  written: number;
  readonly entries: FooterEntry[];
  /** Something of it could not be written: it has been given up, and its descriptor may be another file's by now. */
  isGivenUp: boolean;
}

export interface SegmentWriterOptions {
  readonly folder: string;
  readonly calls: DiskCalls;
  readonly table: SegmentTable;
  readonly layout: DiskLayout;
  /** A write or an opening failed. */
  readonly onFault: (error: unknown) => void;
  /** A segment was sealed, so that the next ones need room, or there was none for the next. */
  readonly onRoomNeeded: () => void;
}

/** What is known of a record beside its octets. */
type RecordFacts = RecordName & {
  readonly kind: RecordKind;
  readonly urlHash: number;
  readonly sequence: number;
  readonly respondedAt: number;
};

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #segment: OpenSegment | null = null;
  #buffer: Octets | null = null;
  #used = 0;
  #published: (() => void)[] = [];
  #failed: (() => void)[] = [];
  /** All that is to be written before what comes next. */
  #tail: Promise<void> = Promise.resolve();
  #pendingBytes = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /** Octets that wait to be written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** False: not now, because there is no room, or too much waits already. */
  append(record: DiskRecord, published: Published): boolean {
    const byteLength = recordBytes(record);
    if (this.#pendingBytes + byteLength > STORAGE_LIMITS.diskPendingBytesMax) return false;
    return this.#append(record, byteLength, published, PLACES_KEPT, (to, at) =>
      writeDiskRecord(to, at, record),
    );
  }

  /** The same of a record that was read: its octets as they are. Room is made by this, so that it comes before others. */
  appendCopy(octets: Octets, byteLength: number, facts: RecordFacts, published: Published): boolean {
    return this.#append(facts, byteLength, published, 0, (to, at) => {
      to.bytes.set(octets.bytes.subarray(0, byteLength), at);
    });
  }

  /** Resolves when all that was appended so far has been written, or has failed. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const segment = this.#segment;
    const buffer = this.#buffer;
    const used = this.#used;
    if (segment === null || buffer === null || used === 0) return this.#tail;
    const at = segment.written;
    const { published, failed } = this.#takeWaiting();
    segment.written += used;
    this.#enqueue(segment, async () => {
      try {
        if (segment.isGivenUp) throw new Error('the segment has been given up');
        await writeWhole(this.#options.calls, segment.descriptor, buffer.bytes.subarray(0, used), at);
        for (const tell of published) tell();
      } catch (error) {
        for (const tell of failed) tell();
        throw error;
      } finally {
        this.#pendingBytes -= used;
      }
    });
    return this.#tail;
  }

  #takeWaiting(): { published: readonly (() => void)[]; failed: readonly (() => void)[] } {
    const waiting = { published: this.#published, failed: this.#failed };
    this.#buffer = null;
    this.#used = 0;
    this.#published = [];
    this.#failed = [];
    return waiting;
  }

  /** Writes what waits, and seals the open segment. */
  async close(): Promise<void> {
    await this.flush();
    const segment = this.#segment;
    if (segment !== null) this.#seal(segment);
    await this.#tail;
  }

  #append(
    facts: RecordFacts,
    byteLength: number,
    published: Published,
    placesKept: number,
    put: (to: Octets, at: number) => void,
  ): boolean {
    const { segmentBytes } = this.#options.layout;
    let segment = this.#segment;
    if (segment !== null) {
      const end = segment.written + this.#used + byteLength + footerBytes(segment.entries.length + 1);
      if (end > segmentBytes) {
        this.flush();
        this.#seal(segment);
        segment = null;
      }
    }
    segment ??= this.#openNext(placesKept);
    if (segment === null) return false;
    if (this.#used + byteLength > STORAGE_LIMITS.diskBufferBytes) this.flush();
    this.#buffer ??= Octets.allocate(STORAGE_LIMITS.diskBufferBytes);
    put(this.#buffer, this.#used);
    const location = { segment: segment.id, offset: segment.written + this.#used, byteLength };
    const { hash, check, variant, kind, urlHash, sequence, respondedAt } = facts;
    segment.entries.push({
      hash,
      check,
      variant,
      kind,
      offset: location.offset,
      byteLength,
      urlHash,
      sequence,
      respondedAt,
    });
    this.#published.push(() => published(location));
    this.#failed.push(() => published(null));
    this.#used += byteLength;
    this.#pendingBytes += byteLength;
    this.#timer ??= setTimeout(() => void this.flush(), STORAGE_LIMITS.diskFlushMs);
    return true;
  }

  #openNext(placesKept: number): OpenSegment | null {
    const { table, folder, calls, onFault, onRoomNeeded } = this.#options;
    if (table.freeCount <= placesKept) {
      onRoomNeeded();
      return null;
    }
    const taken = table.take(OPEN);
    if (taken === null) return null;
    try {
      const descriptor = calls.createSync(segmentFile(folder, taken.id));
      this.#segment = { ...taken, descriptor, written: 0, entries: [], isGivenUp: false };
      return this.#segment;
    } catch (error) {
      table.free(taken.place);
      onFault(error);
      return null;
    }
  }

  #seal(segment: OpenSegment): void {
    const { calls, table, onRoomNeeded } = this.#options;
    this.#segment = null;
    this.#enqueue(segment, async () => {
      if (segment.isGivenUp) return;
      const footer = Octets.allocate(footerBytes(segment.entries.length));
      writeFooter(footer, segment.entries);
      // After a loss of power only a segment that has its footer is believed: what it lists must be there by then.
      await calls.datasync(segment.descriptor);
      await writeWhole(calls, segment.descriptor, footer.bytes, segment.written);
      await calls.close(segment.descriptor);
      table.seal(segment.place);
      onRoomNeeded();
    });
  }

  /** After all before it. A segment of which something could not be written is given up. */
  #enqueue(segment: OpenSegment, work: () => Promise<void>): void {
    this.#tail = this.#tail.then(work).catch(async (error: unknown) => {
      if (segment.isGivenUp) return;
      segment.isGivenUp = true;
      this.#options.onFault(error);
      if (this.#segment === segment) {
        this.#segment = null;
        this.#pendingBytes -= this.#used;
        for (const tell of this.#takeWaiting().failed) tell();
      }
      const { calls, folder, table } = this.#options;
      await calls.close(segment.descriptor).catch(() => undefined);
      await calls.unlink(segmentFile(folder, segment.id)).catch(() => undefined);
      table.free(segment.place);
    });
  }
}

async function writeWhole(
  calls: DiskCalls,
  descriptor: number,
  bytes: Uint8Array,
  at: number,
): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += await calls.write(descriptor, bytes.subarray(done), at + done);
  }
}
