/**
 * A plain connection that may speak either version: HTTP/2 with prior knowledge (RFC 9113 §3.3) when it begins
 * with the preface, else HTTP/1.1. It waits for as many bytes as tell them apart, and hands them on.
 */
import type { Socket } from 'node:net';
import type { ClientConnection, ConnectionContext } from '../../connection/context.ts';
import type { Guarded } from '../../connection/deadline-sweep.ts';
import { PREFACE } from '../frame.ts';

const EMPTY = Buffer.alloc(0);

export class PrefaceSniffer implements ClientConnection, Guarded {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #open: (isHttp2: boolean) => ClientConnection;
  readonly #onClosed: () => void;
  readonly #deadline: number;
  #received: Buffer = EMPTY;
  #decided: ClientConnection | null = null;

  /** `open` starts the connection on the socket; its end is its own to tell. */
  constructor(
    socket: Socket,
    context: ConnectionContext,
    open: (isHttp2: boolean) => ClientConnection,
    onClosed: () => void,
  ) {
    this.#socket = socket;
    this.#context = context;
    this.#open = open;
    this.#onClosed = onClosed;
    this.#deadline = context.sweep.tick + context.sweep.ticks(context.limits.headMs);
    context.sweep.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
  }

  drain(): void {
    if (this.#decided !== null) this.#decided.drain();
    else if (!this.#context.isHandingOver) this.#socket.destroy();
  }

  sever(): void {
    if (this.#decided === null) this.#socket.destroy();
    else this.#decided.sever();
  }

  onTick(tick: number): void {
    if (tick < this.#deadline) return;
    this.#context.countRefusal('head-too-slow');
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const compared = Math.min(this.#received.length, PREFACE.length);
    const isPreface = PREFACE.compare(this.#received, 0, compared, 0, compared) === 0;
    if (!isPreface || compared === PREFACE.length) this.#decide(isPreface);
  };

  readonly #onEnd = (): void => this.#decide(false);

  readonly #onClose = (): void => {
    this.#context.sweep.delete(this);
    this.#onClosed();
  };

  #decide(isHttp2: boolean): void {
    const socket = this.#socket;
    const wasEnded = socket.readableEnded;
    this.#context.sweep.delete(this);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', ignore);
    socket.off('close', this.#onClose);
    this.#decided = this.#open(isHttp2);
    if (this.#received.length > 0) socket.emit('data', this.#received);
    if (wasEnded) socket.emit('end');
    this.#received = EMPTY;
    if (this.#context.isDraining) this.#decided.drain();
  }
}

function ignore(): void {}
