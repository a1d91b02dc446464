/**
 * One handshake from accepting its connection to its end, in good time or not: waits for the whole ClientHello,
 * puts it back, and hands the socket on to who does the rest. Until then a client has cost no more than its
 * bytes. It leaves to others: what is in the ClientHello (`client-hello.ts`) and what follows (`tls-acceptor.ts`).
 */
import type { Socket } from 'node:net';
import type { DeadlineSweep, Guarded } from '../connection/deadline-sweep.ts';
import { readClientHello } from './client-hello.ts';

export type HandshakeFailure =
  | 'client-hello-unreadable'
  | 'client-hello-too-large'
  | 'handshake-too-slow'
  | 'handshake-failed'
  | 'no-certificate';

export interface HandshakeEvents {
  /** The socket is paused and holds the ClientHello again, unread. */
  onClientHello(handshake: Handshake, serverName: string | null): void;
  /** Called once when it ends without success; the connection is closed. Null: it was broken off by us. */
  onFailed(handshake: Handshake, failure: HandshakeFailure | null): void;
}

/** A fatal alert, unrecognized_name (RFC 6066 §3), so that a client can tell a missing certificate from a broken line. */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

export class Handshake implements Guarded {
  readonly socket: Socket;
  /** The other end's address and port. */
  readonly peer: string;
  readonly #events: HandshakeEvents;
  readonly #sweep: DeadlineSweep;
  readonly #deadlineTick: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #bytesMin = 0;
  #isOver = false;

  constructor(socket: Socket, sweep: DeadlineSweep, handshakeMs: number, events: HandshakeEvents) {
    this.socket = socket;
    this.peer = peerOf(socket);
    this.#events = events;
    this.#sweep = sweep;
    this.#deadlineTick = sweep.tick + sweep.ticks(handshakeMs);
    sweep.add(this);
    socket.on('error', ignore);
    socket.once('close', this.#onClose);
    socket.once('end', this.#onEnd);
    socket.on('data', this.#onData);
    socket.resume();
  }

  /** The handshake is done: the connection is somebody else's from here on. False: it is over already. */
  succeed(): boolean {
    return this.#finish();
  }

  /** Ends handshake and connection. */
  fail(failure: HandshakeFailure | null): void {
    if (!this.#finish()) return;
    if (failure === 'no-certificate') this.socket.end(UNRECOGNIZED_NAME, () => this.socket.destroy());
    else this.socket.destroy();
    this.#events.onFailed(this, failure);
  }

  onTick(tick: number): void {
    if (tick >= this.#deadlineTick) this.fail('handshake-too-slow');
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#chunks = [];
    this.#sweep.delete(this);
    this.#stopReading();
    this.socket.off('close', this.#onClose);
    return true;
  }

  #stopReading(): void {
    this.socket.off('data', this.#onData);
    this.socket.off('end', this.#onEnd);
  }

  #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#bytesMin) return;
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    const hello = readClientHello(all);
    switch (hello.kind) {
      case 'incomplete':
        this.#chunks = [all];
        this.#bytesMin = hello.bytesMin;
        return;
      case 'refused':
        this.fail(hello.reason);
        return;
      case 'complete':
        this.#chunks = [];
        this.#stopReading();
        this.socket.pause();
        this.socket.unshift(all);
        this.#events.onClientHello(this, hello.serverName);
    }
  };

  #onEnd = (): void => this.fail('handshake-failed');

  #onClose = (): void => this.fail('handshake-failed');
}

/** The same for a connection and the TLS socket on it, and no other that is open. */
export function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}

function ignore(): void {}
