/** Reads a range of a body that lies on a disk in chunks: a chunk at a time, checked, on the thread pool. */
import type { BodySource } from '../../exchange.ts';
import { STORAGE_LIMITS } from '../limits.ts';
import type { Location } from './disk-index.ts';
import type { SegmentFiles } from './segment-files.ts';
import { CHUNK, CHUNK_BYTES, type ObjectId, readDiskRecord } from './segment-format.ts';

export class DiskBodySource implements BodySource {
  readonly length: number;
  /** A chunk is read for this reader alone, so that its memory can be used anew when it has left. */
  readonly isSole = true;
  readonly #files: SegmentFiles;
  readonly #object: ObjectId;
  readonly #chunks: readonly Location[];
  #at: number;
  #end: number;
  /** The chunk that is being handed out, and where it begins within the body. */
  #chunk: Uint8Array | null = null;
  #chunkAt = 0;

  /** Octets [start, end) of the body that `chunks` make. */
  constructor(
    files: SegmentFiles,
    object: ObjectId,
    chunks: readonly Location[],
    start: number,
    end: number,
  ) {
    this.#files = files;
    this.#object = object;
    this.#chunks = chunks;
    this.#at = start;
    this.#end = end;
    this.length = end - start;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#at >= this.#end) return null;
    const number = Math.floor(this.#at / CHUNK_BYTES);
    if (this.#chunk === null || this.#chunkAt !== number * CHUNK_BYTES) {
      this.#chunk = await this.#readChunk(number);
      this.#chunkAt = number * CHUNK_BYTES;
      // Given up while it was read.
      if (this.#at >= this.#end) return null;
    }
    const from = this.#at - this.#chunkAt;
    const most = Math.min(STORAGE_LIMITS.readPartBytesMax, this.#end - this.#at);
    const part = this.#chunk.subarray(from, from + most);
    this.#at += part.byteLength;
    return part;
  }

  trailers(): null {
    return null;
  }

  cancel(): void {
    this.#end = this.#at;
    this.#chunk = null;
  }

  async #readChunk(number: number): Promise<Uint8Array> {
    const location = this.#chunks[number] as Location;
    const octets = await this.#files.read(location);
    const record = readDiskRecord(octets, 0, location.byteLength);
    const isOurs = record?.kind === CHUNK && record.object.hash === this.#object.hash;
    if (!isOurs || record.object.check !== this.#object.check || record.body.byteLength === 0) {
      throw new Error(`chunk ${number} of a stored body is damaged (segment ${location.segment})`);
    }
    return record.body;
  }
}
