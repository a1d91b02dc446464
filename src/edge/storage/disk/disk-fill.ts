/**
 * A fill on its way to a disk. What is small is gathered and stored whole at its end; of what is large each chunk goes to the
 * disk as soon as it is complete, so that a body of any size takes little memory. Followers read what has left memory
 * of the disk again.
 */
import type { StoredHead } from '#core/caching/stored-head.ts';
import { releaseBytes } from '#platform/release-bytes.ts';
import type { FillMemory } from '../fill-memory.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { GrowingBody } from '../memory/growing-body.ts';
import type { StorageWriter, StoredResponse } from '../storage.ts';
import type { ChunkedBody } from './chunked-body.ts';
import type { Disk } from './disk.ts';
import { DiskBodySource } from './disk-body-source.ts';
import type { Location } from './disk-index.ts';
import { chunkName, newObjectId, urlHashOf } from './record-names.ts';
import { CHUNK, CHUNK_BYTES } from './segment-format.ts';

/** A worker's fills under way for a disk, and what becomes of them. */
export interface DiskFills {
  readonly disk: Disk;
  readonly memory: FillMemory;
  readonly writers: Set<DiskFill>;
  /** One was given up for want of room. */
  refused(): void;
  publishWhole(cacheKey: string, head: StoredHead, body: Uint8Array): StoredResponse | null;
  /** `isComplete`: whether all chunks have been written; false from the first one that could not be. */
  publishChunked(
    cacheKey: string,
    head: StoredHead,
    body: ChunkedBody,
    bodyLength: number,
    isComplete: () => boolean,
  ): StoredResponse | null;
}

/** What waits to be written is waited for from here on, bytes: the disk is slower than the origin. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

export class DiskFill implements StorageWriter {
  readonly #fills: DiskFills;
  readonly #cacheKey: string;
  readonly #head: StoredHead;
  readonly #bodyLength: number | null;
  readonly #bytesMax: number;
  readonly #chunked: ChunkedBody;
  /** The chunk that is being gathered. */
  #current: GrowingBody;
  /** Octets in chunks that are complete. */
  #chunkedBytes = 0;
  #isOpen = true;
  #hasFailed = false;
  /** Nobody will find the chunks: they go from the index. */
  #isDropped = false;

  constructor(
    fills: DiskFills,
    cacheKey: string,
    head: StoredHead,
    bodyLength: number | null,
    bytesMax: number,
  ) {
    this.#fills = fills;
    this.#cacheKey = cacheKey;
    this.#head = head;
    this.#bodyLength = bodyLength;
    this.#bytesMax = bytesMax;
    const { files, index } = fills.disk;
    this.#chunked = { files, index, object: newObjectId(), places: [] };
    this.#current = this.#nextChunk();
    fills.writers.add(this);
  }

  write(bytes: Uint8Array, isGiven = false): boolean {
    if (!this.#isOpen) return false;
    const end = this.#chunkedBytes + this.#current.length + bytes.byteLength;
    if (end <= (this.#bodyLength ?? this.#bytesMax) && end <= this.#bytesMax && this.#take(bytes, isGiven)) {
      return true;
    }
    this.#giveUp();
    return false;
  }

  view(offset: number): Uint8Array {
    if (offset >= this.#chunkedBytes) return this.#current.view(offset - this.#chunkedBytes);
    const number = Math.floor(offset / CHUNK_BYTES);
    const place = this.#chunked.places[number];
    return place instanceof Uint8Array ? place.subarray(offset - number * CHUNK_BYTES) : NOTHING;
  }

  readBack(offset: number): Promise<Uint8Array> | null {
    if (offset >= this.#chunkedBytes) return null;
    const number = Math.floor(offset / CHUNK_BYTES);
    if (this.#chunked.places[number] instanceof Uint8Array) return null;
    const end = Math.min((number + 1) * CHUNK_BYTES, this.#chunkedBytes);
    const source = new DiskBodySource(this.#chunked, offset, end);
    return source
      .read()
      .then((part) => part as Uint8Array)
      .finally(() => source.cancel());
  }

  ready(): Promise<void> | null {
    const { writer } = this.#fills.disk;
    const { heldBytes, bytesMax } = this.#fills.memory;
    if (writer.pendingBytes <= Math.min(PENDING_BYTES_MAX, bytesMax / 4) && heldBytes <= bytesMax / 2) {
      return null;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#fills.disk.state.isSlow();
      this.#giveUp();
      resolve();
    }, STORAGE_LIMITS.diskPatienceMs);
    void writer.flush().then(resolve);
    return promise.finally(() => clearTimeout(timer));
  }

  finish(): StoredResponse | null {
    if (!this.#isOpen) return null;
    const length = this.#chunkedBytes + this.#current.length;
    if (this.#hasFailed || (this.#bodyLength !== null && this.#bodyLength !== length)) {
      this.abandon();
      return null;
    }
    if (length <= STORAGE_LIMITS.sharedObjectBytesMax) {
      this.#leave();
      const body = this.#current.complete();
      return body === null ? null : this.#fills.publishWhole(this.#cacheKey, this.#head, body);
    }
    if (this.#current.length > 0 && !this.#completeChunk()) {
      this.abandon();
      return null;
    }
    this.#leave();
    const isComplete = (): boolean => !this.#hasFailed;
    const { publishChunked } = this.#fills;
    const stored = publishChunked(this.#cacheKey, this.#head, this.#chunked, length, isComplete);
    if (stored === null) this.#drop();
    return stored;
  }

  abandon(): void {
    if (!this.#isOpen) return;
    this.#leave();
    this.#drop();
  }

  #giveUp(): void {
    this.abandon();
    this.#fills.refused();
  }

  #take(bytes: Uint8Array, isGiven: boolean): boolean {
    if (this.#chunkedBytes === 0 && this.#current.length + bytes.byteLength <= CHUNK_BYTES) {
      return this.#current.take(bytes, isGiven, this.#fills.memory.hold);
    }
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#hasFailed || (this.#current.length === CHUNK_BYTES && !this.#completeChunk())) return false;
      const piece = bytes.subarray(at, at + CHUNK_BYTES - this.#current.length);
      if (!this.#current.take(piece, false, this.#fills.memory.hold)) return false;
      at += piece.byteLength;
    }
    if (isGiven) releaseBytes(bytes);
    return true;
  }

  /** Hands the chunk to the disk; its octets stay in memory until they are there. */
  #completeChunk(): boolean {
    const { disk } = this.#fills;
    const { object, places, index } = this.#chunked;
    const number = places.length;
    const octets = this.#current.view(0);
    const heldBytes = this.#current.capacity;
    const name = chunkName(object, number);
    const record = {
      ...name,
      kind: CHUNK,
      head: null,
      key: '',
      body: octets,
      totalLength: this.#bodyLength ?? 0,
      object,
      urlHash: urlHashOf(this.#cacheKey),
      sequence: this.#head.sequence,
      respondedAt: this.#head.respondedAt,
    } as const;
    const isTaken = disk.writer.append(record, (location) => {
      this.#fills.memory.release(heldBytes);
      if (location === null) {
        this.#hasFailed = true;
        return;
      }
      places[number] = location;
      disk.files.keepOpen(location.segment);
      if (!this.#isDropped) index.put(name, location);
    });
    if (!isTaken) return false;
    places.push(octets);
    this.#chunkedBytes += octets.byteLength;
    this.#current = this.#nextChunk();
    return true;
  }

  #nextChunk(): GrowingBody {
    const left = this.#bodyLength === null ? null : this.#bodyLength - this.#chunkedBytes;
    return new GrowingBody(left === null ? null : Math.min(left, CHUNK_BYTES), CHUNK_BYTES);
  }

  #drop(): void {
    this.#isDropped = true;
    const { index, object, places } = this.#chunked;
    for (const [number, place] of places.entries()) {
      if (!(place instanceof Uint8Array)) index.drop(chunkName(object, number), place as Location);
    }
  }

  #leave(): void {
    this.#isOpen = false;
    this.#fills.memory.release(this.#current.capacity);
    this.#fills.writers.delete(this);
  }
}
