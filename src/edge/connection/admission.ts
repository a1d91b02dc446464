/**
 * Who may connect to one listener: bounds on all connections, on those of one client address, and on TLS
 * handshakes at one time. What is over a bound is reset at once, which costs least; nobody waits in a queue.
 */
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './limits.ts';

export class Admission {
  readonly #limits: ConnectionLimits;
  readonly #countRefusal: (reason: string) => void;
  readonly #onClosed: () => void;
  /** Open connections by client address; as many entries as there are connections, at most. */
  readonly #byAddress = new Map<string, number>();
  /** Handshakes under way, by the client's address and port, which both ends of a TLS socket know. */
  readonly #handshakes = new Map<string, Socket>();
  /** How many of them each client address has. */
  readonly #handshakesByAddress = new Map<string, number>();
  #open = 0;
  #accepted = 0;

  /** `onClosed` is called after each connection that was admitted and has closed. */
  constructor(limits: ConnectionLimits, countRefusal: (reason: string) => void, onClosed: () => void) {
    this.#limits = limits;
    this.#countRefusal = countRefusal;
    this.#onClosed = onClosed;
  }

  /** Connections open now. */
  get open(): number {
    return this.#open;
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** Counts a new connection until it closes; false when it was over a bound, and is reset. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress;
    // Gone before it was accepted.
    if (address === undefined) {
      socket.destroy();
      return false;
    }
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#open >= this.#limits.connectionsMax) return this.#refuse(socket, 'connections-max');
    if (ofAddress >= this.#limits.connectionsPerAddressMax) {
      return this.#refuse(socket, 'connections-per-address-max');
    }
    this.#open += 1;
    this.#accepted += 1;
    this.#byAddress.set(address, ofAddress + 1);
    socket.once('close', () => this.#release(address));
    return true;
  }

  /** Counts a handshake until `endHandshake` or the end of the connection. */
  beginHandshake(socket: Socket): boolean {
    if (this.#handshakes.size >= this.#limits.handshakesMax) return this.#refuse(socket, 'handshakes-max');
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#handshakesByAddress.get(address) ?? 0;
    if (ofAddress >= this.#limits.handshakesPerAddressMax) {
      return this.#refuse(socket, 'handshakes-per-address-max');
    }
    const key = handshakeKey(socket);
    this.#handshakes.set(key, socket);
    this.#handshakesByAddress.set(address, ofAddress + 1);
    socket.once('close', () => this.#forget(key, address));
    return true;
  }

  /** Whether `socket` was one of the handshakes under way. */
  endHandshake(socket: Socket): boolean {
    return this.#forget(handshakeKey(socket), socket.remoteAddress ?? '');
  }

  cutHandshakes(): void {
    for (const socket of [...this.#handshakes.values()]) socket.destroy();
  }

  #refuse(socket: Socket, reason: string): false {
    this.#countRefusal(reason);
    // Its failure is of our making and of no interest.
    socket.on('error', () => {});
    socket.resetAndDestroy();
    return false;
  }

  #forget(key: string, address: string): boolean {
    const wasUnderWay = this.#handshakes.delete(key);
    if (wasUnderWay) countOneLess(this.#handshakesByAddress, address);
    return wasUnderWay;
  }

  #release(address: string): void {
    this.#open -= 1;
    countOneLess(this.#byAddress, address);
    this.#onClosed();
  }
}

function countOneLess(counts: Map<string, number>, address: string): void {
  const left = (counts.get(address) ?? 1) - 1;
  if (left === 0) counts.delete(address);
  else counts.set(address, left);
}

function handshakeKey(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
