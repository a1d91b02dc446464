/**
 * One body arriving from the origin, read by many clients, each at its own pace, while it is stored.
 *
 *   being stored:   source ──▶ writer (grows within the storage's bounds) ◀── readers look at what is written
 *   not (any more): source ──▶ part → part → part ──▶            readers hold their place in the list;
 *                                                                parts behind the slowest are garbage
 *
 * While it is being stored the fill goes as fast as the origin sends and the storage takes it; memory is bounded by
 * the storage, and what has left that is read back for who comes later. When it is not (too large, no room), the source is read no further than `lagBytesMax` ahead of the
 * slowest reader: it is slowed for the sake of the slow, but a reader that has held up the others for
 * `heldUpMsMax` in all is cut off. A single reader holds up nobody and is never cut off here.
 */
import type { Fields } from '#core/http/fields.ts';
import type { Clock } from '#platform/clock.ts';
import type { BodySource } from './exchange.ts';
import { ROAD_LIMITS } from './limits.ts';
import type { StorageWriter, StoredResponse } from './storage/storage.ts';

/** A piece of a body that is not being stored. */
interface Part {
  readonly start: number;
  readonly bytes: Uint8Array;
  next: Part | null;
}

/** The pump's wait for slow readers. */
interface WaitForSlow {
  readonly behind: Set<SharedBodyReader>;
  /** When those behind began to hold up others; null while all are equally slow. */
  heldUpSince: number | null;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly resume: () => void;
}

type End = { readonly kind: 'whole' } | { readonly kind: 'broken'; readonly error: unknown };

export interface SharedBodyOptions {
  readonly source: BodySource;
  /** Null: not stored. */
  readonly writer: StorageWriter | null;
  /** Asked when all has arrived: false leaves the response unstored (purged meanwhile). */
  readonly mayPublish: () => boolean;
  /** Whether it is stored to its end when no reader is left; unless said, it is. */
  readonly finishes?: boolean;
  readonly clock: Clock;
  readonly lagBytesMax?: number;
  readonly heldUpMsMax?: number;
}

export class SharedBody {
  readonly length: number | null;
  readonly #source: BodySource;
  readonly #mayPublish: () => boolean;
  readonly #finishes: boolean;
  readonly #clock: Clock;
  readonly #lagBytesMax: number;
  readonly #heldUpMsMax: number;
  readonly #readers = new Set<SharedBodyReader>();
  #writer: StorageWriter | null;
  /** The writer that gave up: what was written before that is still read there. */
  #formerWriter: StorageWriter | null = null;
  /** The newest part, when nothing is stored (any more). */
  #last: Part | null = null;
  #arrived = 0;
  /** From here on what arrives lies in the source's own buffers; before it, in those of the storage. */
  #listedFrom = 0;
  #end: End | null = null;
  #isAbandoned = false;
  #wait: WaitForSlow | null = null;

  constructor(options: SharedBodyOptions) {
    this.length = options.source.length;
    this.#source = options.source;
    this.#writer = options.writer;
    this.#mayPublish = options.mayPublish;
    this.#finishes = options.finishes ?? true;
    this.#clock = options.clock;
    this.#lagBytesMax = options.lagBytesMax ?? ROAD_LIMITS.lagBytesMax;
    this.#heldUpMsMax = options.heldUpMsMax ?? ROAD_LIMITS.heldUpMsMax;
  }

  /** Bytes that came from the origin so far. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Whether its beginning is still held, so that a newcomer gets it whole. */
  get isOpenable(): boolean {
    return (
      !this.#isAbandoned && this.#end?.kind !== 'broken' && (this.#writer !== null || this.#arrived === 0)
    );
  }

  /** A reader from the first byte on; null when the beginning is no longer held. */
  open(): BodySource | null {
    if (!this.isOpenable) return null;
    const reader = new SharedBodyReader(this);
    this.#readers.add(reader);
    return reader;
  }

  /** Reads the source to its end. Resolves with the stored response, or null; never rejects. */
  async run(): Promise<StoredResponse | null> {
    try {
      for (;;) {
        if (this.#writer === null) await this.#waitForRoom();
        if (this.#isAbandoned) return this.#abandon();
        const bytes = await this.#source.read();
        if (this.#isAbandoned) return this.#abandon();
        if (bytes === null) break;
        if (bytes.byteLength > 0) this.#take(bytes);
        const ready = this.#writer?.ready?.() ?? null;
        if (ready !== null) await ready;
      }
    } catch (error) {
      this.#writer?.abandon();
      this.#finish({ kind: 'broken', error });
      return null;
    }
    if (!this.#mayPublish()) this.#writer?.abandon();
    const stored = this.#writer?.finish() ?? null;
    this.#finish({ kind: 'whole' });
    return stored;
  }

  /** Whether what the reader was given last is of no use to anybody else (`BodySource.isSole`). */
  isSoleFor(reader: SharedBodyReader): boolean {
    const isListed = this.#writer === null && reader.position > this.#listedFrom;
    // Nobody can come to it any more.
    return isListed && this.#readers.size === 1 && this.#source.isSole === true;
  }

  /** The next part for a reader at `position`; undefined: nothing yet; null: the end. Throws when it broke. */
  nextFor(reader: SharedBodyReader): Uint8Array | null | undefined {
    if (reader.position < this.#arrived) return this.#partFor(reader);
    if (this.#end === null) return undefined;
    if (this.#end.kind === 'broken') throw this.#end.error;
    return null;
  }

  trailers(): Fields | null {
    return this.#end?.kind === 'whole' ? this.#source.trailers() : null;
  }

  /** A reader has moved on, or left. */
  moved(reader: SharedBodyReader): void {
    const wait = this.#wait;
    if (wait === null || !wait.behind.has(reader)) return;
    if (!reader.isClosed && this.#isBehind(reader)) return;
    wait.behind.delete(reader);
    if (wait.heldUpSince !== null) reader.heldUpMs += this.#clock.now() - wait.heldUpSince;
    if (wait.behind.size === 0) wait.resume();
    else if (wait.heldUpSince === null) this.#startPatience(wait);
  }

  leave(reader: SharedBodyReader): void {
    if (!this.#readers.delete(reader)) return;
    this.#letGo();
    this.moved(reader);
    // What is being stored is worth finishing, unless the site says otherwise; else nobody wants the rest.
    const isWanted = this.#writer !== null && this.#finishes;
    if (this.#readers.size === 0 && !isWanted && this.#end === null) {
      this.#isAbandoned = true;
      this.#source.cancel('no reader is left');
      this.#wait?.resume();
    }
  }

  #take(bytes: Uint8Array): void {
    const writer = this.#writer;
    if (writer !== null) {
      const { byteLength } = bytes;
      // Readers look at what the storage has.
      if (writer.write(bytes, this.#source.isSole === true)) {
        this.#arrived += byteLength;
        this.#wakeReaders();
        return;
      }
      this.#stopStoring(writer);
    }
    this.#append(bytes);
    this.#wakeReaders();
  }

  /** The store gave up: what readers have not read yet is read there, and what follows in the list. */
  #stopStoring(writer: StorageWriter): void {
    this.#writer = null;
    this.#listedFrom = this.#arrived;
    for (const reader of this.#readers) if (reader.position < this.#arrived) this.#formerWriter = writer;
  }

  #append(bytes: Uint8Array): void {
    const part: Part = { start: this.#arrived, bytes, next: null };
    if (this.#last !== null) this.#last.next = part;
    // Readers that had read everything hold no part: this is their next.
    for (const reader of this.#readers) reader.part ??= part;
    this.#last = part;
    this.#arrived += bytes.byteLength;
  }

  /** Undefined: it is being read back, and the reader will be given it. */
  #partFor(reader: SharedBodyReader): Uint8Array | undefined {
    const { position, part } = reader;
    const writer = this.#writer ?? (position < this.#listedFrom ? this.#formerWriter : null);
    if (writer === null) {
      // Whoever is not behind the list is in it.
      const { bytes, start } = part as Part;
      return this.#moveOn(reader, bytes.subarray(position - start));
    }
    const back = writer.readBack?.(position) ?? null;
    if (back === null) return this.#moveOn(reader, this.#written(writer.view(position), position));
    reader.waitFor(back.then((bytes) => this.#moveOn(reader, this.#written(bytes, position))));
    return undefined;
  }

  /** Without what a writer took that gave up in the middle of it. */
  #written(bytes: Uint8Array, position: number): Uint8Array {
    return this.#writer === null ? bytes.subarray(0, this.#listedFrom - position) : bytes;
  }

  #moveOn(reader: SharedBodyReader, all: Uint8Array): Uint8Array {
    let bytes = all;
    if (bytes.byteLength > ROAD_LIMITS.readPartBytesMax) {
      bytes = bytes.subarray(0, ROAD_LIMITS.readPartBytesMax);
    }
    reader.position += bytes.byteLength;
    const part = reader.part;
    if (part !== null && reader.position === part.start + part.bytes.byteLength) reader.part = part.next;
    this.#letGo();
    return bytes;
  }

  /** Frees what was written before the store gave up, when all have read it. */
  #letGo(): void {
    if (this.#formerWriter === null) return;
    for (const { position } of this.#readers) if (position < this.#listedFrom) return;
    this.#formerWriter = null;
  }

  #wakeReaders(): void {
    for (const reader of this.#readers) reader.wake();
  }

  #isBehind(reader: SharedBodyReader): boolean {
    return reader.position < this.#arrived - this.#lagBytesMax;
  }

  /** Waits until no reader is too far behind. Where none is left there is nothing to read for. */
  async #waitForRoom(): Promise<void> {
    while (this.#readers.size > 0) {
      const behind = new Set<SharedBodyReader>();
      for (const reader of this.#readers) if (this.#isBehind(reader)) behind.add(reader);
      if (behind.size === 0) return;
      await this.#waitFor(behind);
    }
    this.#isAbandoned = true;
  }

  #waitFor(behind: Set<SharedBodyReader>): Promise<void> {
    return new Promise((resolve) => {
      const wait: WaitForSlow = {
        behind,
        heldUpSince: null,
        timer: undefined,
        resume: () => {
          clearTimeout(wait.timer);
          this.#wait = null;
          resolve();
        },
      };
      this.#wait = wait;
      if (this.#readers.size > behind.size) this.#startPatience(wait);
    });
  }

  /** From now on somebody is held up: those behind have what is left of their patience. */
  #startPatience(wait: WaitForSlow): void {
    let patienceMs = this.#heldUpMsMax;
    for (const { heldUpMs } of wait.behind) patienceMs = Math.min(patienceMs, this.#heldUpMsMax - heldUpMs);
    wait.heldUpSince = this.#clock.now();
    wait.timer = setTimeout(() => this.#cutOff(wait, patienceMs), Math.max(patienceMs, 0));
  }

  /** Cuts off those whose patience has run out, and lets the others go on. */
  #cutOff(wait: WaitForSlow, waitedMs: number): void {
    for (const reader of wait.behind) {
      reader.heldUpMs += waitedMs;
      if (reader.heldUpMs < this.#heldUpMsMax) continue;
      this.#readers.delete(reader);
      reader.cutOff(new Error('this client reads so slowly that it held up the others'));
    }
    wait.resume();
  }

  #abandon(): null {
    this.#writer?.abandon();
    this.#source.cancel('no reader is left');
    this.#finish({ kind: 'broken', error: new Error('the body was given up: no reader was left') });
    return null;
  }

  #finish(end: End): void {
    this.#end = end;
    this.#wakeReaders();
  }
}

/** One client's place in a shared body. */
export class SharedBodyReader implements BodySource {
  readonly length: number | null;
  readonly #body: SharedBody;
  /** Whether something is read back for it. */
  #isReading = false;
  position = 0;
  /** The part in which `position` lies, when the body is not being stored. */
  part: Part | null = null;
  heldUpMs = 0;
  isClosed = false;
  #error: unknown = null;
  #pending: { resolve(bytes: Uint8Array | null): void; reject(error: unknown): void } | null = null;

  constructor(body: SharedBody) {
    this.#body = body;
    this.length = body.length;
  }

  get isSole(): boolean {
    return this.#body.isSoleFor(this);
  }

  read(): Promise<Uint8Array | null> {
    if (this.#error !== null) return Promise.reject(this.#error);
    if (this.isClosed) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.wake();
    });
  }

  /** Answers the pending read with what comes back of the storage. */
  waitFor(back: Promise<Uint8Array>): void {
    this.#isReading = true;
    back
      .finally(() => {
        this.#isReading = false;
      })
      .then(
        (bytes) => {
          const pending = this.#pending;
          this.#pending = null;
          this.#body.moved(this);
          pending?.resolve(bytes);
        },
        (error: unknown) => {
          this.#pending?.reject(error);
          this.#pending = null;
        },
      );
  }

  /** Answers the pending read when there is something to answer it with. */
  wake(): void {
    const pending = this.#pending;
    if (pending === null || this.#isReading) return;
    let bytes: Uint8Array | null | undefined;
    try {
      bytes = this.#body.nextFor(this);
    } catch (error) {
      this.#pending = null;
      pending.reject(error);
      return;
    }
    if (bytes === undefined) return;
    this.#pending = null;
    this.#body.moved(this);
    pending.resolve(bytes);
  }

  trailers(): Fields | null {
    return this.#body.trailers();
  }

  cancel(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.part = null;
    this.#body.leave(this);
    this.#pending?.resolve(null);
    this.#pending = null;
  }

  /** Ends this reader alone with an error. */
  cutOff(error: unknown): void {
    this.isClosed = true;
    this.part = null;
    this.#error = error;
    this.#pending?.reject(error);
    this.#pending = null;
  }
}
