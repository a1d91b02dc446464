/**
 * The sending side of one connection: puts head and body into as few socket writes as possible, hands out
 * large bodies in parts and in turns with the other connections of the worker, and turns the socket's
 * backpressure into promises. Message framing is left to its callers.
 *
 * Small messages are put together in one scratch buffer shared by all connections of a worker, which
 * saves an allocation per response. The socket has sent or copied it when `write` returns, unless it says
 * that bytes are pending; then the buffer is left to it and a new one made. A TLS socket has always
 * encrypted or copied what it was given, and says for the rest of the turn that it is pending: a new buffer
 * for each of its responses would cost a fifth of their CPU.
 */
import { TLSSocket } from 'node:tls';
import type { ByteSocket } from '#platform/byte-socket.ts';
import { ClientGone, rejectedAsGone } from '../connection/client-gone.ts';
import { type OutputScratch, SCRATCH_BYTES } from '../connection/output-scratch.ts';
import type { TurnTaker, WriteTurns } from '../connection/write-turns.ts';
import type { FilePart } from '../exchange.ts';

const WRITABLE = Promise.resolve();

function ignore(): void {}

/** What whoever is let go on is taken to write: the size of the parts that bodies mostly come in. */
const PART_EXPECTED_BYTES = 64 * 1024;

/** Of a file, what is given to the socket at once: sent as it lies, it costs a fraction of what is copied. */
const FILE_BYTES_AT_ONCE = 1024 * 1024;

/** A file on its way. */
interface FileRest {
  readonly descriptor: number;
  at: number;
  readonly end: number;
  readonly done: PromiseWithResolvers<void>;
}

export class Output implements TurnTaker {
  readonly #socket: ByteSocket;
  readonly #scratch: OutputScratch;
  readonly #turns: WriteTurns;
  readonly #partBytes: number;
  readonly #onTurn: () => void;
  /** Whether the socket may still refer to a buffer after `write` has returned. */
  readonly #mayKeepBytes: boolean;
  #writtenBytes = 0;
  /** What is left of a whole body that goes out in parts. */
  #rest: Uint8Array | null = null;
  #restAt = 0;
  /** What is left of a file's octets. */
  #file: FileRest | null = null;
  #waiter: PromiseWithResolvers<void> | null = null;
  #isInLine = false;
  #goneReason: string | null = null;
  /** For `isStalled`: how much the socket had taken when it last took something. */
  #takenBytes = 0;
  #takenTick = 0;

  /** `onTurn`: as when the socket drains, `drained` is to be called. */
  constructor(
    socket: ByteSocket,
    scratch: OutputScratch,
    turns: WriteTurns,
    partBytes: number,
    onTurn: () => void,
  ) {
    this.#socket = socket;
    this.#scratch = scratch;
    this.#turns = turns;
    this.#partBytes = partBytes;
    this.#onTurn = onTurn;
    this.#mayKeepBytes = !(socket instanceof TLSSocket);
  }

  /** Whether the client takes less than we have: nothing more should be produced. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain && this.#socket.writableLength > 0;
  }

  get hasPending(): boolean {
    return this.#rest !== null || this.#file !== null || this.#socket.writableLength > 0;
  }

  /** Whether `writeFile` may be used. */
  get takesFiles(): boolean {
    return this.#socket.writeFile !== undefined;
  }

  /**
   * Writes latin1 `text`, `body` and latin1 `tail`, in one socket write when they fit the scratch buffer. The
   * bytes of `body` must not change any more.
   */
  write(text: string, body: Uint8Array | null, tail: string): void {
    if (this.#goneReason !== null) return;
    const bodyBytes = body === null ? 0 : body.length;
    const total = text.length + bodyBytes + tail.length;
    if (total <= SCRATCH_BYTES) {
      // Behind pending bytes ours would wait too, and keep the whole scratch buffer alive.
      const isShared = this.#socket.writableLength === 0;
      const scratch = isShared ? this.#scratch.bytes : Buffer.allocUnsafeSlow(total);
      scratch.write(text, 0, 'latin1');
      if (body !== null) scratch.set(body, text.length);
      if (tail !== '') scratch.write(tail, text.length + bodyBytes, 'latin1');
      this.#put(scratch.subarray(0, total));
      if (isShared && this.#mayKeepBytes && this.#socket.writableLength > 0) this.#scratch.renew();
      return;
    }
    let rest = body;
    if (text.length > SCRATCH_BYTES) {
      this.#put(Buffer.from(text, 'latin1'));
    } else if (text !== '') {
      const first = SCRATCH_BYTES - text.length;
      this.write(text, body === null ? null : body.subarray(0, first), '');
      rest = body === null ? null : body.subarray(first);
    }
    if (rest !== null && rest.length > 0) this.#put(rest);
    if (tail !== '') this.#put(Buffer.from(tail, 'latin1'));
  }

  /** Writes what has been put together before; it must not change any more. */
  writeMessage(bytes: Uint8Array): void {
    if (this.#goneReason === null) this.#put(bytes);
  }

  /**
   * Writes `text` and the whole of `body`. True when the socket has been given all of it; false: the
   * rest follows as it drains, and `drained` tells when it is done.
   */
  writeWhole(text: string, body: Uint8Array | null): boolean {
    if (body === null || text.length + body.length <= SCRATCH_BYTES) {
      this.write(text, body, '');
      return true;
    }
    const first = Math.max(0, SCRATCH_BYTES - text.length);
    this.write(text, body.subarray(0, first), '');
    this.#rest = body;
    this.#restAt = first;
    return this.#writeRest();
  }

  /**
   * Writes `text`, and octets as they lie in a file. Resolves when the kernel has them all; rejects with `ClientGone`, or
   * with what reading says: then some are missing.
   */
  writeFile(text: string, { descriptor, offset, byteLength }: FilePart): Promise<void> {
    if (this.#goneReason !== null) return rejectedAsGone(this.#goneReason);
    this.write(text, null, '');
    const done = Promise.withResolvers<void>();
    this.#file = { descriptor, at: offset, end: offset + byteLength, done };
    this.#writeFileRest(this.#file);
    return done.promise;
  }

  /** Resolves when more may be written; rejects with `ClientGone`. */
  writable(): Promise<void> {
    if (this.#goneReason !== null) return rejectedAsGone(this.#goneReason);
    const { isBlocked } = this;
    if (!isBlocked && !this.#turns.isOver) return WRITABLE;
    if (this.#waiter === null) {
      this.#waiter = Promise.withResolvers<void>();
      this.#waiter.promise.catch(ignore);
    }
    if (!isBlocked) this.#getInLine();
    return this.#waiter.promise;
  }

  /** To be called when the socket drains, or on its turn. True when this finished a body begun by `writeWhole`. */
  drained(): boolean {
    if (this.#rest !== null) return this.#writeRest();
    if (this.#file !== null) {
      this.#writeFileRest(this.#file);
      return false;
    }
    if (this.#waiter === null || this.isBlocked) return false;
    if (this.#turns.isOver) {
      this.#getInLine();
      return false;
    }
    this.#turns.spend(PART_EXPECTED_BYTES);
    this.#waiter.resolve();
    this.#waiter = null;
    return false;
  }

  onTurn(): void {
    this.#isInLine = false;
    if (this.#goneReason === null) this.#onTurn();
  }

  /** To be called once when the connection is lost: what is written from now on is dropped. */
  gone(reason: string): void {
    this.#goneReason ??= reason;
    this.#rest = null;
    this.#file?.done.reject(new ClientGone(this.#goneReason));
    this.#file = null;
    this.#waiter?.reject(new ClientGone(this.#goneReason));
    this.#waiter = null;
  }

  /** Whether the client has taken nothing of what is pending for `ticksMax` ticks; to be asked every tick. */
  isStalled(tick: number, ticksMax: number): boolean {
    const pending = this.#socket.writableLength;
    const taken = this.#writtenBytes - pending;
    if ((pending === 0 && this.#file === null) || taken !== this.#takenBytes) {
      this.#takenBytes = taken;
      this.#takenTick = tick;
      return false;
    }
    return tick - this.#takenTick >= ticksMax;
  }

  #getInLine(): void {
    if (this.#isInLine) return;
    this.#isInLine = true;
    this.#turns.wait(this);
  }

  #put(bytes: Uint8Array): void {
    this.#writtenBytes += bytes.length;
    this.#turns.spend(bytes.length);
    this.#socket.write(bytes);
  }

  #writeFileRest(file: FileRest): void {
    let hasWritten = false;
    try {
      while (file.at < file.end) {
        // What was written before goes first; `drained` goes on.
        if (this.#socket.writableLength > 0) return;
        if (this.#turns.isOver || (hasWritten && this.#turns.hasWaiting)) {
          this.#getInLine();
          return;
        }
        hasWritten = true;
        const asked = Math.min(FILE_BYTES_AT_ONCE, file.end - file.at);
        const taken = this.#socket.writeFile?.(file.descriptor, file.at, asked) ?? 0;
        file.at += taken;
        this.#writtenBytes += taken;
        this.#turns.spend(taken);
        if (taken < asked) return;
      }
      file.done.resolve();
    } catch (error) {
      file.done.reject(error);
    }
    this.#file = null;
  }

  #writeRest(): boolean {
    const body = this.#rest;
    if (body === null) return true;
    let hasWrittenPart = false;
    while (this.#restAt < body.length) {
      if (this.isBlocked) return false;
      if (this.#turns.isOver || (hasWrittenPart && this.#turns.hasWaiting)) {
        this.#getInLine();
        return false;
      }
      hasWrittenPart = true;
      const end = Math.min(body.length, this.#restAt + this.#partBytes);
      this.#put(body.subarray(this.#restAt, end));
      this.#restAt = end;
    }
    this.#rest = null;
    return true;
  }
}
