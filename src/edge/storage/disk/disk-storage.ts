/**
 * Stored responses on a disk, shared by all workers of an edge. A lookup asks the index, which is in memory, and reads
 * a head (with a small body) from the disk, at once where the system has it in memory; large bodies are read as they are
 * sent. What is being written is served from memory until it can be read. A disk that fails is left alone for a while: then nothing is found, and nothing kept.
 */
import { urlKeyWithin } from '#core/caching/cache-key.ts';
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { type CachedReader, NOT_AT_HAND, UNKNOWN } from '#platform/cached-read.ts';
import { FillMemory } from '../fill-memory.ts';
import { encodeHead } from '../head-codec.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { Octets } from '../octets.ts';
import { RecentResponses } from '../recent-responses.ts';
import type { Storage, StorageStatistics, StorageWriter, StoredResponse, TierFigures } from '../storage.ts';
import { variantHashOf } from '../variant-hash.ts';
import type { ChunkedBody } from './chunked-body.ts';
import { ColdReads } from './cold-reads.ts';
import type { Disk } from './disk.ts';
import { DiskFill, type DiskFills } from './disk-fill.ts';
import type { IndexEntry, Location } from './disk-index.ts';
import { DiskResponse } from './disk-response.ts';
import { type Look, PEEK, USE, USE_AT_ONCE } from './look.ts';
import { chunkName, keyName, urlHashOf } from './record-names.ts';
import {
  CHUNK_BYTES,
  type DiskRecord,
  HEAD,
  type ObjectId,
  type ReadDiskRecord,
  readDiskRecord,
  recordBytes,
  WHOLE,
} from './segment-format.ts';
import { hasVariant, merged, without } from './variants.ts';
import { WriteBudget } from './write-budget.ts';

export interface DiskStorageOptions {
  readonly disk: Disk;
  readonly invalidations: Invalidations;
  /** What fills under way, and bodies on their way to the disk, may take of memory, bytes. */
  readonly fillBytesMax: number;
  /** Largest body stored, bytes. */
  readonly objectBytesMax: number;
  /** What may be written in a second, bytes; null: as much as comes. */
  readonly writeBytesPerSecond?: number | null;
}

/** All stored under a key, true while the index has that version. */
interface KnownEntry {
  readonly responses: readonly DiskResponse[];
  readonly slots: readonly number[];
  readonly version: number;
  tick: number;
  chunkChanges: number;
  readonly byteLength: number;
}

const NONE: readonly DiskResponse[] = [];
const NO_BODY = new Uint8Array(0);
const NO_OBJECT: ObjectId = { hash: 0, check: 0 };
/** Of a decoded head, bytes. */
const DECODED_BYTES = 2_048;
/** Of what is known of a chunk. */
const PLACE_BYTES = 96;
/** What heads and small bodies are read into: one at a time, copied from there. */
const scratch = Octets.allocate(2 * CHUNK_BYTES);
/** Said of a record that the disk would have to be waited for. */
const COLD = 'cold';

const always = (): boolean => true;

export class DiskStorage implements Storage {
  readonly invalidations: Invalidations;
  readonly #disk: Disk;
  readonly #options: DiskStorageOptions;
  readonly #recent = new RecentResponses<KnownEntry>(STORAGE_LIMITS.diskRecentBytesMax);
  readonly #fills: DiskFills;
  readonly #coldReads = new ColdReads();
  readonly #budget: WriteBudget;
  readonly #readAtHand: CachedReader;
  /** What is on its way to the disk, by key. */
  readonly #pending = new Map<string, readonly DiskResponse[]>();
  /** What another tier found when there was nothing beside it here, and as long as that is so. */
  readonly #settled = new WeakMap<readonly StoredResponse[], { bucket: number; version: number }>();
  #refusals = 0;
  #hits = 0;
  #isClosed = false;

  constructor(options: DiskStorageOptions) {
    this.invalidations = options.invalidations;
    this.#disk = options.disk;
    this.#options = options;
    this.#readAtHand = options.disk.files.cachedReader(scratch);
    this.#budget = new WriteBudget(options.writeBytesPerSecond ?? null);
    this.#fills = {
      disk: options.disk,
      memory: new FillMemory(options.fillBytesMax),
      writers: new Set(),
      refused: () => {
        this.#refusals++;
      },
      publishWhole: (key, head, body) => (this.#isRemoved(key, head) ? null : this.#write(key, head, body)),
      publishChunked: (...what) => this.#publishChunked(...what),
    };
  }

  lookup(cacheKey: string): readonly StoredResponse[] {
    return this.#use(cacheKey, null, USE) ?? NONE;
  }

  lookupAtOnce(cacheKey: string): readonly StoredResponse[] | Promise<void> {
    return this.#use(cacheKey, null, USE_AT_ONCE) ?? this.#bring(cacheKey);
  }

  /** The variants that are not among `known`, which another tier has. A use of those counts here, too, now and then. */
  lookupBeside(cacheKey: string, known: readonly StoredResponse[]): readonly StoredResponse[] {
    return this.#use(cacheKey, known, USE) ?? NONE;
  }

  lookupBesideAtOnce(
    cacheKey: string,
    known: readonly StoredResponse[],
  ): readonly StoredResponse[] | Promise<void> {
    return this.#use(cacheKey, known, USE_AT_ONCE) ?? this.#bring(cacheKey);
  }

  peek(cacheKey: string): readonly StoredResponse[] {
    return this.#find(cacheKey, null, PEEK) ?? NONE;
  }

  peekBeside(cacheKey: string, known: readonly StoredResponse[]): readonly StoredResponse[] {
    return this.#find(cacheKey, known, PEEK) ?? NONE;
  }

  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null {
    const { objectBytesMax } = this.#options;
    if ((bodyLength ?? 0) <= objectBytesMax && this.#admits(cacheKey)) {
      return new DiskFill(this.#fills, cacheKey, head, bodyLength, objectBytesMax);
    }
    this.#refusals++;
    return null;
  }

  /** Stores a whole response that another tier has taken; whether this one does is its own matter. */
  keep(cacheKey: string, head: StoredHead, body: Uint8Array): void {
    if (this.#admits(cacheKey)) this.#write(cacheKey, head, body);
    else this.#refusals++;
  }

  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null {
    if (this.#isClosed || !(stored instanceof DiskResponse)) return null;
    const current = this.#find(cacheKey, null, PEEK)?.find((each) => each === stored);
    if (current === undefined) return null;
    const { body, onDisk } = current;
    if (body !== null) return this.#write(cacheKey, head, body);
    if (onDisk === null) return null;
    const freshened = new DiskResponse(head, onDisk, current.bodyLength);
    return this.#writeHead(cacheKey, freshened, onDisk.object, always) ? freshened : null;
  }

  remove(cacheKey: string): number {
    if (this.#isClosed) return 0;
    this.invalidations.addUrl(cacheKey);
    this.#disk.noteRemoval(urlHashOf(cacheKey), this.invalidations.sequence);
    const removed = this.#remove(cacheKey, null);
    if (removed === null) throw new Error('another worker has held the lock of the index for too long');
    return removed;
  }

  forget(cacheKey: string, head: StoredHead): void {
    if (!this.#isClosed) this.#remove(cacheKey, variantHashOf(head));
  }

  /** With what waits to be written; `bodyBytes` are those of whole records. */
  statistics(): StorageStatistics {
    const { storedResponses: onDisk, chargedBytes, ...figures } = this.#disk.figures();
    let storedResponses = this.#isClosed ? 0 : onDisk;
    let bodyBytes = this.#isClosed ? 0 : chargedBytes;
    for (const waiting of this.#isClosed ? [] : this.#pending.values()) {
      storedResponses += waiting.length;
      for (const { bodyLength } of waiting) bodyBytes += bodyLength + DECODED_BYTES;
    }
    const [refusals, hits] = [this.#refusals, this.#hits];
    return { ...figures, storedResponses, bodyBytes, chargedBytes: bodyBytes, refusals, hits };
  }

  tiers(): readonly TierFigures[] {
    return [{ tier: 'disk', ...this.statistics(), problem: this.#disk.state.problem }];
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const writer of [...this.#fills.writers]) writer.abandon();
    this.#recent.clear();
    // What is pending is entered in the index when it has been written.
    await this.#disk.close();
    this.#pending.clear();
  }

  #use(
    cacheKey: string,
    known: readonly StoredResponse[] | null,
    look: Look,
  ): readonly DiskResponse[] | null {
    const settled = known === null ? undefined : this.#settled.get(known);
    if (settled !== undefined && this.#disk.index.versionOf(settled.bucket) === settled.version) {
      if (this.#pending.size === 0 || !this.#pending.has(cacheKey)) return NONE;
    }
    const found = this.#find(cacheKey, known, look);
    if (found !== null && found.length > 0) this.#hits++;
    return found;
  }

  #bring(cacheKey: string): Promise<void> {
    const { hash, check } = keyName(cacheKey, 0);
    return this.#coldReads.bring(this.#disk, cacheKey, this.#disk.index.find(hash, check));
  }

  /** Null: a disk would have to be waited for. */
  #find(
    cacheKey: string,
    beside: readonly StoredResponse[] | null,
    look: Look,
  ): readonly DiskResponse[] | null {
    const { isUse } = look;
    if (this.#isClosed) return NONE;
    const pending = this.#pending.get(cacheKey);
    const waiting =
      pending === undefined
        ? NONE
        : without(
            pending.filter(({ head }) => !this.#isRemoved(cacheKey, head)),
            beside,
          );
    if (!this.#disk.state.mayRead) return waiting;
    const { hash, check } = keyName(cacheKey, 0);
    const { index } = this.#disk;
    const bucket = index.bucketOf(hash);
    const version = index.versionOf(bucket);
    const known = this.#recent.find(cacheKey);
    if (known !== null && known.version === version && this.#isValid(cacheKey, known)) {
      if (isUse) for (const slot of known.slots) index.countUse(slot);
      return merged(waiting, without(known.responses, beside));
    }
    const entries = index.find(hash, check);
    const missing = beside === null ? entries : entries.filter(({ variant }) => !hasVariant(beside, variant));
    if (missing.length === 0) {
      if (isUse) for (const { slot } of entries) index.countUse(slot);
      const isSettled = beside !== null && beside.length > 0 && waiting.length === 0;
      if (isSettled) this.#settled.set(beside, { bucket, version });
      return waiting;
    }
    const areAll = missing.length === entries.length;
    const found = this.#read(cacheKey, missing, version, areAll, look);
    if (found === null) return null;
    if (isUse) for (const { slot } of entries) index.countUse(slot);
    return merged(waiting, found);
  }

  /** Reads records; where they are all of the key's, they are remembered. */
  #read(
    cacheKey: string,
    entries: readonly IndexEntry[],
    version: number,
    areAll: boolean,
    look: Look,
  ): readonly DiskResponse[] | null {
    const { tick } = this.invalidations;
    const { chunkChanges } = this.#disk.index;
    const responses: DiskResponse[] = [];
    const slots: number[] = [];
    let byteLength = cacheKey.length;
    for (const entry of entries) {
      const response = this.#readResponse(cacheKey, entry, look);
      if (response === COLD) return null;
      if (response === null) continue;
      responses.push(response);
      slots.push(entry.slot);
      byteLength += DECODED_BYTES + (response.body?.byteLength ?? 0);
      byteLength += PLACE_BYTES * (response.onDisk?.places.length ?? 0);
    }
    responses.sort((a, b) => b.head.respondedAt - a.head.respondedAt);
    if (areAll && responses.length > 0) {
      this.#recent.remember(cacheKey, { responses, slots, version, tick, chunkChanges, byteLength });
    }
    return responses;
  }

  #readResponse(cacheKey: string, entry: IndexEntry, look: Look): DiskResponse | typeof COLD | null {
    const record = this.#readRecord(entry, look);
    if (record === COLD) return COLD;
    if (record === null || record.key !== cacheKey || record.head === null) return null;
    const { head, kind, body, object, totalLength } = record;
    if (urlKeyWithin(cacheKey) !== cacheKey && this.#isRemoved(cacheKey, head)) return null;
    if (kind === WHOLE) {
      // Where less was read than there is, the index spoke of another record.
      return body.byteLength === totalLength
        ? new DiskResponse(head, new Uint8Array(body), totalLength)
        : null;
    }
    const chunked = this.#chunksOf(object, totalLength);
    if (chunked === null) {
      // Of a response in parts none is of use without the others.
      this.#disk.index.drop(entry, entry);
      return null;
    }
    return new DiskResponse(head, chunked, totalLength);
  }

  /** Into the scratch memory. A record that is not there, or damaged, is forgotten. */
  #readRecord(entry: IndexEntry, { mayWait }: Look): ReadDiskRecord | typeof COLD | null {
    const { files, index, state } = this.#disk;
    const byteLength = Math.min(entry.byteLength, scratch.bytes.byteLength);
    try {
      let available = mayWait ? UNKNOWN : files.readAtHand(entry, this.#readAtHand, byteLength);
      if (available === NOT_AT_HAND) return COLD;
      if (available === UNKNOWN) available = files.readSync(entry, scratch, byteLength);
      state.wasRead();
      const record = readDiskRecord(scratch, 0, available);
      if (record === null) index.drop(entry, entry);
      return record;
    } catch (error) {
      index.drop(entry, entry);
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') state.readFailed(error);
      return null;
    }
  }

  /** Null: some are gone. */
  #chunksOf(object: ObjectId, totalLength: number): ChunkedBody | null {
    const { index, files } = this.#disk;
    const places: Location[] = [];
    for (let number = 0; number * CHUNK_BYTES < totalLength; number++) {
      const { hash, check } = chunkName(object, number);
      const [entry] = index.find(hash, check);
      if (entry === undefined) return null;
      places.push(entry);
    }
    return { files, index, object, places };
  }

  #isValid(cacheKey: string, entry: KnownEntry): boolean {
    const { chunkChanges } = this.#disk.index;
    if (entry.chunkChanges !== chunkChanges) {
      for (const response of entry.responses) {
        if (response.onDisk === null) continue;
        const onDisk = this.#chunksOf(response.onDisk.object, response.bodyLength);
        if (onDisk === null) return false;
        response.onDisk = onDisk;
      }
      entry.chunkChanges = chunkChanges;
    }
    const { tick } = this.invalidations;
    if (entry.tick === tick) return true;
    const isKind = urlKeyWithin(cacheKey) !== cacheKey;
    if (isKind && entry.responses.some(({ head }) => this.#isRemoved(cacheKey, head))) return false;
    entry.tick = tick;
    return true;
  }

  #isRemoved(cacheKey: string, { sequence }: StoredHead): boolean {
    return this.invalidations.isUrlInvalidated(urlKeyWithin(cacheKey), sequence);
  }

  /** Until the disk is full everything is taken; afterwards what is asked for a second time, within the budget. */
  #admits(cacheKey: string): boolean {
    if (this.#isClosed || !this.#disk.mayWrite) return false;
    const { hash, check } = keyName(cacheKey, 0);
    const wasSeen = this.#disk.wasSeen(hash, check);
    if (this.#disk.isFull && !wasSeen) return false;
    return this.#budget.isLeft;
  }

  /** A small response: stored from now on, in memory until it has been written; null: it cannot be. */
  #write(cacheKey: string, head: StoredHead, body: Uint8Array): DiskResponse | null {
    const { byteLength: totalLength } = body;
    const response = new DiskResponse(head, body, totalLength);
    this.#budget.spend(totalLength);
    const record = { kind: WHOLE, body, totalLength, object: NO_OBJECT } as const;
    return this.#append(cacheKey, response, record, always) ? response : null;
  }

  /** Its head goes behind its chunks, and is entered when those are there. */
  #publishChunked(
    cacheKey: string,
    head: StoredHead,
    body: ChunkedBody,
    bodyLength: number,
    isComplete: () => boolean,
  ): DiskResponse | null {
    if (this.#isRemoved(cacheKey, head)) return null;
    const response = new DiskResponse(head, body, bodyLength);
    this.#budget.spend(bodyLength);
    return this.#writeHead(cacheKey, response, body.object, isComplete) ? response : null;
  }

  #writeHead(cacheKey: string, response: DiskResponse, object: ObjectId, isComplete: () => boolean): boolean {
    const { bodyLength: totalLength } = response;
    return this.#append(cacheKey, response, { kind: HEAD, body: NO_BODY, totalLength, object }, isComplete);
  }

  /** A record with a head: it is found, in memory, from now on, and on the disk when it is there. */
  #append(
    cacheKey: string,
    response: DiskResponse,
    rest: Pick<DiskRecord, 'kind' | 'body' | 'totalLength' | 'object'>,
    isComplete: () => boolean,
  ): boolean {
    const { head } = response;
    const encoded = encodeHead(head);
    if (encoded === null) return false;
    const name = keyName(cacheKey, response.variant);
    const urlHash = urlHashOf(cacheKey);
    const { sequence, respondedAt } = head;
    const record = { ...name, ...rest, head: encoded, key: cacheKey, urlHash, sequence, respondedAt };
    if (recordBytes(record) > STORAGE_LIMITS.diskBufferBytes) return false;
    const { writer, index, state } = this.#disk;
    const isTaken = writer.append(record, (location) => {
      // Whatever was removed or replaced meanwhile is not pending any more.
      if (location !== null && isComplete() && this.#isPending(cacheKey, response)) {
        state.wasWritten();
        index.put(name, location, () => !this.#isRemoved(cacheKey, head));
      }
      this.#settle(cacheKey, response);
    });
    if (isTaken) this.#hold(cacheKey, response);
    else if (writer.pendingBytes > STORAGE_LIMITS.diskPendingBytesMax / 2) state.isSlow();
    return isTaken;
  }

  #hold(cacheKey: string, response: DiskResponse): void {
    const pending = this.#pending.get(cacheKey) ?? NONE;
    const others = pending.filter(({ variant }) => variant !== response.variant);
    this.#pending.set(cacheKey, [response, ...others].slice(0, STORAGE_LIMITS.variantsPerKeyMax));
  }

  #isPending(cacheKey: string, response: DiskResponse): boolean {
    return this.#pending.get(cacheKey)?.includes(response) === true;
  }

  /** It is on the disk, or will never be. */
  #settle(cacheKey: string, response: DiskResponse): void {
    const others = (this.#pending.get(cacheKey) ?? NONE).filter((each) => each !== response);
    if (others.length === 0) this.#pending.delete(cacheKey);
    else this.#pending.set(cacheKey, others);
  }

  /** Null: another worker has held the lock of the index for too long. */
  #remove(cacheKey: string, variant: number | null): number | null {
    const pending = this.#pending.get(cacheKey) ?? NONE;
    const kept = pending.filter((each) => variant !== null && each.variant !== variant);
    if (kept.length === 0) this.#pending.delete(cacheKey);
    else this.#pending.set(cacheKey, kept);
    const { hash, check } = keyName(cacheKey, 0);
    const removed = this.#disk.index.remove(hash, check, variant);
    return removed === null ? null : removed + pending.length - kept.length;
  }
}
