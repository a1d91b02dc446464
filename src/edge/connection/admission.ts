/**
 * Who may connect to one listener: bounds on all connections, on those of one client address, and on TLS
 * handshakes at one time. What is over a bound is reset at once, which costs least; nobody waits in a queue.
 */
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './limits.ts';
import type { ProxiedEnds } from './proxy-protocol.ts';

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
  /** Connections counted by `enter`, whose client is not known yet. */
  readonly #unnamed = new Set<Socket>();
  /** By the connection's own far end, what a trusted load balancer said of it. */
  readonly #proxied = new Map<string, ProxiedEnds>();
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

  /** Counts a new connection until it closes, its client not known yet; false when it was over a bound, and is reset. */
  enter(socket: Socket): boolean {
    if (this.#open >= this.#limits.connectionsMax) return this.refuse(socket, 'connections-max');
    this.#open += 1;
    this.#accepted += 1;
    this.#unnamed.add(socket);
    socket.once('close', () => {
      this.#open -= 1;
      this.#unnamed.delete(socket);
      this.#onClosed();
    });
    return true;
  }

  /** The true ends of a connection, by the word of a load balancer that is trusted. Before `admit`. */
  setEnds(socket: Socket, ends: ProxiedEnds): void {
    const key = farEnd(socket);
    this.#proxied.set(key, ends);
    socket.once('close', () => this.#proxied.delete(key));
  }

  /** What `setEnds` said of the connection that `socket` is of, as it is or as the socket of TLS on it. */
  endsOf(socket: Socket): ProxiedEnds | null {
    return this.#proxied.size === 0 ? null : (this.#proxied.get(farEnd(socket)) ?? null);
  }

  /** Counts a connection, new or entered before, as its client's; false when it was over a bound, and is reset. */
  admit(socket: Socket): boolean {
    const address = this.#clientAddress(socket);
    // Gone before it was accepted.
    if (address === undefined) {
      socket.destroy();
      return false;
    }
    if (!this.#unnamed.has(socket) && !this.enter(socket)) return false;
    this.#unnamed.delete(socket);
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (ofAddress >= this.#limits.connectionsPerAddressMax) {
      return this.refuse(socket, 'connections-per-address-max');
    }
    this.#byAddress.set(address, ofAddress + 1);
    socket.once('close', () => countOneLess(this.#byAddress, address));
    return true;
  }

  /** Counts a handshake until `endHandshake` or the end of the connection. */
  beginHandshake(socket: Socket): boolean {
    if (this.#handshakes.size >= this.#limits.handshakesMax) return this.refuse(socket, 'handshakes-max');
    const address = this.#clientAddress(socket) ?? '';
    const ofAddress = this.#handshakesByAddress.get(address) ?? 0;
    if (ofAddress >= this.#limits.handshakesPerAddressMax) {
      return this.refuse(socket, 'handshakes-per-address-max');
    }
    const key = farEnd(socket);
    this.#handshakes.set(key, socket);
    this.#handshakesByAddress.set(address, ofAddress + 1);
    socket.once('close', () => this.#forget(key, address));
    return true;
  }

  /** Whether `socket` was one of the handshakes under way. */
  endHandshake(socket: Socket): boolean {
    return this.#forget(farEnd(socket), this.#clientAddress(socket) ?? '');
  }

  cutHandshakes(): void {
    for (const socket of [...this.#handshakes.values()]) socket.destroy();
  }

  /** Resets a connection, and counts why. */
  refuse(socket: Socket, reason: string): false {
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

  #clientAddress(socket: Socket): string | undefined {
    return this.endsOf(socket)?.clientAddress ?? socket.remoteAddress;
  }
}

function countOneLess(counts: Map<string, number>, address: string): void {
  const left = (counts.get(address) ?? 1) - 1;
  if (left === 0) counts.delete(address);
  else counts.set(address, left);
}

function farEnd(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
