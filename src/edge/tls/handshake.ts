/**
 * One handshake from accepting its connection to its end, in good time or not: waits for the whole ClientHello and
 * hands it on with the socket to who does the rest. Until then a client has cost no more than its bytes. It
 * leaves to others: what is in the ClientHello (`client-hello.ts`) and what follows (`tls-acceptor.ts`).
 */
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { DeadlineSweep, Guarded } from '../connection/deadline-sweep.ts';
import { readClientHello } from './client-hello.ts';

export type HandshakeFailure =
  | 'client-hello-unreadable'
  | 'client-hello-too-large'
  | 'handshake-too-slow'
  | 'handshake-failed'
  | 'no-certificate';

/** A socket from which listeners can be taken off again. */
export type HandshakeSocket = ByteSocket & {
  off(event: 'data', listener: (bytes: Buffer) => void): unknown;
  off(event: 'end' | 'close', listener: () => void): unknown;
};

export interface HandshakeEvents<Socket extends HandshakeSocket> {
  /** `bytes`: all that came so far, the ClientHello at its beginning. Nobody listens to the socket. */
  onClientHello(handshake: Handshake<Socket>, serverName: string | null, bytes: Buffer): void;
  /** Called once when it ends without success; the connection is closed. Null: it was broken off by us. */
  onFailed(handshake: Handshake<Socket>, failure: HandshakeFailure | null): void;
}

/** A fatal alert, unrecognized_name (RFC 6066 §3), so that a client can tell a missing certificate from a broken line. */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

export class Handshake<Socket extends HandshakeSocket> implements Guarded {
  readonly socket: Socket;
  readonly #events: HandshakeEvents<Socket>;
  readonly #sweep: DeadlineSweep;
  readonly #deadlineTick: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #bytesMin = 0;
  #isOver = false;

  constructor(socket: Socket, sweep: DeadlineSweep, handshakeMs: number, events: HandshakeEvents<Socket>) {
    this.socket = socket;
    this.#events = events;
    this.#sweep = sweep;
    this.#deadlineTick = sweep.tick + sweep.ticks(handshakeMs);
    sweep.add(this);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    socket.on('end', this.#onEnd);
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
    if (failure === 'no-certificate') {
      this.socket.write(UNRECOGNIZED_NAME);
      this.socket.destroySoon();
    } else {
      this.socket.destroy();
    }
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
        this.#events.onClientHello(this, hello.serverName, all);
    }
  };

  #onEnd = (): void => this.fail('handshake-failed');

  #onClose = (): void => this.fail('handshake-failed');
}

function ignore(): void {}
