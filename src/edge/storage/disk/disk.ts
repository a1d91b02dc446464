/**
 * One disk, as a worker has it: its segments, the index that all workers share, this worker's way of writing, and the
 * care for what others left behind.
 */
import { mkdirSync } from 'node:fs';
import { errorMessage } from '#core/base/error-message.ts';
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { Logger } from '#platform/log.ts';
import { mapFile } from '#platform/mapped-file.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { openSharedFile } from '../shared-file.ts';
import { type DiskCalls, SYSTEM_CALLS } from './disk-calls.ts';
import { DiskIndex } from './disk-index.ts';
import * as at from './disk-layout.ts';
import { CONTROL_AT, DISK_LAYOUT_VERSION, type DiskLayout, diskLayoutOf } from './disk-layout.ts';
import { DiskState } from './disk-state.ts';
import { type ReclaimTools, reclaimOldest, reclaimSegment } from './reclaim.ts';
import {
  type RecoveryTools,
  recoverSegments,
  registerSegments,
  removeOrphans,
  sealAbandoned,
} from './recovery.ts';
import { RemovalLog } from './removal-log.ts';
import { SegmentFiles } from './segment-files.ts';
import { RECLAIMING, SegmentTable } from './segment-table.ts';
import { SegmentWriter } from './segment-writer.ts';

export interface DiskOptions {
  /** A folder on the disk, of this edge's own. */
  readonly folder: string;
  /** What segments may take of it. */
  readonly byteLength: number;
  /** Where the index is made (`../shared-file.ts`). */
  readonly indexPath: string;
  readonly invalidations: Invalidations;
  readonly log: Logger;
  /** What it is reached by; the system's unless given. */
  readonly calls?: DiskCalls;
  /** How long it is left alone when it failed, ms. */
  readonly retryMs?: number;
}

/** The oldest segment goes when no more places are free than this: room for a burst while it goes. */
const FREE_PLACES = { min: 2, shareOfAll: 1 / 32 };

export class Disk {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly writer: SegmentWriter;
  readonly state: DiskState;
  readonly layout: DiskLayout;
  readonly #table: SegmentTable;
  readonly #removals: RemovalLog;
  readonly #figures: Float64Array;
  readonly #seen: Uint32Array;
  readonly #tools: RecoveryTools & ReclaimTools;
  readonly #care: ReturnType<typeof setInterval>;
  #reclaim: Promise<void> | null = null;
  /** Of segments without a place: one at a time, however long the disk takes. */
  #removal: Promise<void> | null = null;
  #recovery: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(
    memory: ArrayBufferLike,
    layout: DiskLayout,
    { folder, invalidations, log, calls = SYSTEM_CALLS, retryMs = STORAGE_LIMITS.diskRetryMs }: DiskOptions,
  ) {
    this.layout = layout;
    this.state = new DiskState(folder, log, retryMs);
    this.index = new DiskIndex(memory, layout);
    this.files = new SegmentFiles(folder, calls);
    this.#table = new SegmentTable(memory, layout);
    this.#removals = new RemovalLog(folder);
    this.#figures = new Float64Array(memory, CONTROL_AT);
    this.#seen = new Uint32Array(memory, layout.seenAt, layout.seenCount);
    const onFault = (error: unknown): void => this.state.writeFailed(error);
    const { index, files } = this;
    const [table, removals] = [this.#table, this.#removals];
    this.writer = new SegmentWriter({
      folder,
      calls,
      table,
      layout,
      onFault,
      onRoomNeeded: () => this.#makeRoom(),
    });
    const { writer } = this;
    const { segmentBytes } = layout;
    this.#tools = {
      folder,
      calls,
      table,
      index,
      files,
      writer,
      removals,
      invalidations,
      segmentBytes,
      onFault,
      isClosed: () => this.#isClosed,
    };
    this.#takeCare();
    this.#care = setInterval(() => this.#takeCare(), STORAGE_LIMITS.diskCareMs);
  }

  /** `reason`: why it cannot be had. */
  static open(options: DiskOptions): Disk | { readonly reason: string } {
    const layout = diskLayoutOf(options.byteLength);
    try {
      mkdirSync(options.folder, { recursive: true, mode: 0o700 });
      const opened = openSharedFile(options.indexPath, DISK_LAYOUT_VERSION, layout.byteLength);
      if ('reason' in opened) return opened;
      return new Disk(mapFile(opened.file, 0, layout.byteLength), layout, options);
    } catch (error) {
      return { reason: errorMessage(error) };
    }
  }

  /** Resolves when what this worker recovers has been recovered. */
  get recovered(): Promise<void> {
    return this.#recovery;
  }

  /** Whether something must go for whatever comes: from the first time on. */
  get isFull(): boolean {
    return this.#table.wasFull || this.#needsRoom;
  }

  get #needsRoom(): boolean {
    const { min, shareOfAll } = FREE_PLACES;
    return this.#table.freeCount <= Math.max(min, this.layout.segmentCount * shareOfAll);
  }

  get mayWrite(): boolean {
    return !this.#isClosed && this.#table.isRegistered && this.state.mayWrite;
  }

  /** Whether something of that hash was asked for before, of late; it is remembered. */
  wasSeen(hash: number, check: number): boolean {
    const place = hash & (this.layout.seenCount - 1);
    const wasSeen = this.#seen[place] === check;
    this.#seen[place] = check;
    return wasSeen;
  }

  noteRemoval(urlHash: number, sequence: number): void {
    try {
      this.#removals.append(this.#table.lastId, urlHash, sequence);
    } catch (error) {
      this.state.writeFailed(error);
    }
  }

  /** Of all workers: responses, and octets of all records. */
  figures() {
    const { byteLength: _, segmentBytes, segmentCount } = this.layout;
    return {
      storedResponses: this.#figures[at.STORED_DOUBLE] as number,
      chargedBytes: this.#figures[at.BYTES_DOUBLE] as number,
      admissions: this.#figures[at.ADMISSIONS_DOUBLE] as number,
      evictions: this.#figures[at.EVICTIONS_DOUBLE] as number,
      budgetBytes: segmentBytes * segmentCount,
    };
  }

  /** Writes what waits, and lets go of everything; what is stored stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#care);
    await this.#recovery;
    await this.#reclaim;
    await this.writer.close();
    this.files.close();
  }

  /** Looks for what is nobody's any more: a recovery, and segments of workers that died. */
  #takeCare(): void {
    this.files.sweep(this.#table, Date.now());
    if (this.#table.beginRecovery()) this.#recovery = this.#recover();
    this.#removal ??= removeOrphans(this.#tools)
      .catch((error: unknown) => this.state.writeFailed(error))
      .finally(() => {
        this.#removal = null;
      });
    // Who was to make room may have died before it did.
    if (this.#table.isRecovered) this.#makeRoom();
    for (const segment of this.#table.takeAbandoned()) {
      const work =
        segment.state === RECLAIMING
          ? reclaimSegment(this.#tools, segment)
          : this.#table.isRecovered
            ? sealAbandoned(this.#tools, segment)
            : recoverSegments(this.#tools, [segment]);
      work.catch((error: unknown) => this.state.writeFailed(error));
    }
  }

  async #recover(): Promise<void> {
    try {
      const segments = registerSegments(this.#tools);
      this.#table.endRegistration();
      await recoverSegments(this.#tools, segments);
      // What is left then is the next worker's, as of one that has ended.
      if (this.#isClosed) return;
      this.#table.endRecovery();
      this.#makeRoom();
    } catch (error) {
      this.#table.giveUpRecovery();
      this.state.readFailed(error);
    }
  }

  /** Ahead of need, one segment at a time. */
  #makeRoom(): void {
    if (this.#reclaim !== null || this.#isClosed) return;
    this.#reclaim = this.#reclaimWhileFull()
      .catch((error: unknown) => this.state.writeFailed(error))
      .finally(() => {
        this.#reclaim = null;
      });
  }

  async #reclaimWhileFull(): Promise<void> {
    while (this.#needsRoom && !this.#isClosed) {
      this.#table.noteFull();
      if (!(await reclaimOldest(this.#tools))) return;
    }
  }
}
