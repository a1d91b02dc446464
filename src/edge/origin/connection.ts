/**
 * One connection to an origin: a socket with at most one user at a time. An idle connection on which
 * anything happens (bytes, end, error) is of no use any more: what came belongs to no request.
 */
import type { Socket } from 'node:net';
import { resetSocket } from '../connection/reset-socket.ts';
import type { Deadlines, Timed } from './deadlines.ts';
import type { Destination } from './destination.ts';

/** Who a connection's events go to while a request is under way. */
export interface ConnectionUser {
  onBytes(bytes: Buffer): void;
  /** The origin has sent all it will. */
  onEnd(): void;
  /** The connection is gone; `error` null when nothing was reported. */
  onLost(error: Error | null): void;
  /** What was written has left. */
  onDrain(): void;
  onDeadline(): void;
}

export class OriginConnection implements Timed {
  readonly destination: Destination;
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly #socket: Socket;
  readonly #deadlines: Deadlines;
  readonly #onClosed: (connection: OriginConnection) => void;
  #user: ConnectionUser | null = null;
  #error: Error | null = null;
  #isPaused = false;
  #isClosed = false;
  #hasEnded = false;
  #hasRested = false;

  /** `onClosed` is called once, whoever closes it. */
  constructor(
    socket: Socket,
    destination: Destination,
    deadlines: Deadlines,
    onClosed: (connection: OriginConnection) => void,
  ) {
    this.destination = destination;
    this.#socket = socket;
    this.#deadlines = deadlines;
    this.#onClosed = onClosed;
    deadlines.watch(this);
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('end', () => this.#onEnd());
    socket.on('drain', () => this.#user?.onDrain());
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#close());
  }

  /** Whether it was idle before, so that its origin may have closed it without our knowing yet. */
  get hasRested(): boolean {
    return this.#hasRested;
  }

  /** Whether a request can still be written. */
  get isUsable(): boolean {
    return !this.#isClosed && !this.#hasEnded && this.#error === null && this.#socket.writable;
  }

  use(user: ConnectionUser): void {
    this.#user = user;
    this.deadlineAt = Number.POSITIVE_INFINITY;
  }

  /** Ends the present use; the connection is kept for at most `idleMs`. */
  rest(idleMs: number): void {
    this.#user = null;
    this.#hasRested = true;
    this.resume();
    this.setDeadline(idleMs);
  }

  /** Closes it at once; its user hears no more. */
  destroy(): void {
    this.#user = null;
    this.#socket.destroy();
    this.#close();
  }

  /** Closes it at once; its user is told that it is lost. */
  shutDown(): void {
    this.#socket.destroy();
    this.#close();
  }

  /** False: what was written has not left yet; wait for `onDrain`. */
  write(bytes: Uint8Array | string): boolean {
    return typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes);
  }

  /** Sends no more, once what was written has left; the origin still may. */
  end(): void {
    this.#socket.end();
  }

  /** Cuts it so that the origin cannot take it for an end; its user hears no more. */
  reset(): void {
    this.#user = null;
    resetSocket(this.#socket);
    this.#close();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  setDeadline(afterMs: number): void {
    this.deadlineAt = this.#deadlines.now() + afterMs;
  }

  onDeadline(): void {
    if (this.#user === null) this.destroy();
    else this.#user.onDeadline();
  }

  #onData(bytes: Buffer): void {
    if (this.#user === null) this.destroy();
    else this.#user.onBytes(bytes);
  }

  #onEnd(): void {
    this.#hasEnded = true;
    if (this.#user === null) this.destroy();
    else this.#user.onEnd();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadlines.forget(this);
    const user = this.#user;
    this.#user = null;
    this.#onClosed(this);
    user?.onLost(this.#error);
  }
}
