/**
 * Reads a range of a body that lies on a disk in chunks. A chunk is checked when it comes from the disk, on the thread pool;
 * what was checked before and is still in the page cache is read at once, or sent as it lies.
 */
import type { BodySource, FilePart } from '../../exchange.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import { type ChunkedBody, countChunkUse } from './chunked-body.ts';
import type { Location } from './disk-index.ts';
import { CHUNK, CHUNK_BODY_AT, CHUNK_BYTES, readDiskRecord } from './segment-format.ts';

export class DiskBodySource implements BodySource {
  readonly length: number;
  /** Whether the last part was read for this reader alone, so that its memory can be used anew when it has left. */
  isSole = true;
  readonly #body: ChunkedBody;
  /** Segments whose files stay open for this reader. */
  readonly #pinned = new Set<number>();
  #at: number;
  #end: number;
  /** The chunk being read, and its octets where they are in memory. */
  #number = -1;
  #octets: Uint8Array | null = null;

  /** Octets [start, end) of the body. */
  constructor(body: ChunkedBody, start: number, end: number) {
    this.#body = body;
    this.#at = start;
    this.#end = end;
    this.length = end - start;
    for (let number = chunkOf(start); number * CHUNK_BYTES < end; number++) this.#pinPlace(number);
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#at >= this.#end) return this.#finish();
    const place = this.#place();
    if (this.#octets === null && !(place instanceof Uint8Array) && this.#body.files.isAtHand(place)) {
      const [from, byteLength] = this.#next(STORAGE_LIMITS.readPartBytesMax);
      return this.#body.files.readPart(place, CHUNK_BODY_AT + from, byteLength);
    }
    this.#octets ??= place instanceof Uint8Array ? place : await this.#readChunk(place);
    // Given up while it was read.
    if (this.#at >= this.#end) return this.#finish();
    const octets = this.#octets;
    const [from, byteLength] = this.#next(STORAGE_LIMITS.readPartBytesMax);
    return octets.subarray(from, from + byteLength);
  }

  async readFile(): Promise<FilePart | Uint8Array | null> {
    if (this.#at >= this.#end) return this.#finish();
    const place = this.#place();
    if (place instanceof Uint8Array) return this.read();
    const { files } = this.#body;
    if (!files.isAtHand(place)) await this.#readChunk(place);
    if (this.#at >= this.#end) return this.#finish();
    const descriptor = this.#pin(place.segment);
    const [from, byteLength] = this.#next(CHUNK_BYTES);
    return { descriptor, offset: place.offset + CHUNK_BODY_AT + from, byteLength };
  }

  trailers(): null {
    return null;
  }

  cancel(): void {
    this.#end = this.#at;
    this.#finish();
  }

  /** Of the chunk that is next. */
  #place(): Location | Uint8Array {
    const number = chunkOf(this.#at);
    const place = this.#body.places[number] as Location | Uint8Array;
    if (number !== this.#number) {
      this.#number = number;
      this.#octets = null;
      this.isSole = !(place instanceof Uint8Array);
      countChunkUse(this.#body, place);
    }
    return place;
  }

  /** Moves on by a part of the chunk: where it begins within that, and how long it is. */
  #next(byteLengthMax: number): [from: number, byteLength: number] {
    const chunkAt = this.#number * CHUNK_BYTES;
    const from = this.#at - chunkAt;
    const byteLength = Math.min(byteLengthMax, this.#end - this.#at, CHUNK_BYTES - from);
    this.#at += byteLength;
    return [from, byteLength];
  }

  async #readChunk(place: Location): Promise<Uint8Array> {
    const { files, object } = this.#body;
    const number = this.#number;
    const octets = await files.read(place);
    const record = readDiskRecord(octets, 0, place.byteLength);
    const isOurs = record?.kind === CHUNK && record.object.hash === object.hash;
    if (!isOurs || record.object.check !== object.check || record.body.byteLength === 0) {
      throw new Error(`chunk ${number} of a stored body is damaged (segment ${place.segment})`);
    }
    files.noteChecked(place);
    return record.body;
  }

  #pinPlace(number: number): void {
    const place = this.#body.places[number];
    if (place === undefined || place instanceof Uint8Array) return;
    try {
      this.#pin(place.segment);
    } catch {
      // Who reads it is told.
    }
  }

  #pin(segment: number): number {
    const { files } = this.#body;
    if (this.#pinned.has(segment)) return files.descriptorOf(segment);
    const descriptor = files.pin(segment);
    this.#pinned.add(segment);
    return descriptor;
  }

  #finish(): null {
    this.#octets = null;
    for (const segment of this.#pinned) this.#body.files.unpin(segment);
    this.#pinned.clear();
    return null;
  }
}

function chunkOf(at: number): number {
  return Math.floor(at / CHUNK_BYTES);
}
