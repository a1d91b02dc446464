/**
 * Who may connect to one listener: bounds on all connections, on those of one client address, and on TLS
 * handshakes at one time. What is over a bound is reset at once, which costs least; nobody waits in a queue.
 * A client address is the user's, which a load balancer in front may have told; IPv6 counts by /64.
 */
import { clientNetwork } from '#core/ip/client-network.ts';
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { ConnectionLimits } from './limits.ts';

export class Admission {
  readonly #limits: ConnectionLimits;
  readonly #countRefusal: (reason: string) => void;
  readonly #onClosed: () => void;
  /** Open connections with the client of each; null: not known yet. */
  readonly #connections = new Map<ByteSocket, string | null>();
  readonly #connectionsByClient = new Map<string, number>();
  /** Handshakes under way, with the client of each. */
  readonly #handshakes = new Map<ByteSocket, string>();
  readonly #handshakesByClient = new Map<string, number>();
  #accepted = 0;

  /** `onClosed` is called after each connection that was admitted and has closed. */
  constructor(limits: ConnectionLimits, countRefusal: (reason: string) => void, onClosed: () => void) {
    this.#limits = limits;
    this.#countRefusal = countRefusal;
    this.#onClosed = onClosed;
  }

  /** Connections open now. */
  get open(): number {
    return this.#connections.size;
  }

  get accepted(): number {
    return this.#accepted;
  }

  /** Counts a new connection until it closes, its client not known yet; false when it was over a bound, and is reset. */
  enter(socket: ByteSocket): boolean {
    if (this.open >= this.#limits.connectionsMax) return this.refuse(socket, 'connections-max');
    this.#accepted += 1;
    this.#connections.set(socket, null);
    socket.on('close', () => this.#release(socket));
    return true;
  }

  /** Counts a connection, new or entered before, as its client's; false when it was over a bound, and is reset. */
  admit(socket: ByteSocket, clientAddress: string): boolean {
    if (!this.#connections.has(socket) && !this.enter(socket)) return false;
    const client = clientNetwork(clientAddress);
    const ofClient = this.#connectionsByClient.get(client) ?? 0;
    if (ofClient >= this.#limits.connectionsPerAddressMax) {
      return this.refuse(socket, 'connections-per-address-max');
    }
    this.#connections.set(socket, client);
    this.#connectionsByClient.set(client, ofClient + 1);
    return true;
  }

  /** Counts a handshake until `endHandshake`; false when it was over a bound, and is reset. */
  beginHandshake(socket: ByteSocket, clientAddress: string): boolean {
    if (this.#handshakes.size >= this.#limits.handshakesMax) return this.refuse(socket, 'handshakes-max');
    const client = clientNetwork(clientAddress);
    const ofClient = this.#handshakesByClient.get(client) ?? 0;
    if (ofClient >= this.#limits.handshakesPerAddressMax) {
      return this.refuse(socket, 'handshakes-per-address-max');
    }
    this.#handshakes.set(socket, client);
    this.#handshakesByClient.set(client, ofClient + 1);
    return true;
  }

  /** Safe to call any number of times. */
  endHandshake(socket: ByteSocket): void {
    const client = this.#handshakes.get(socket);
    if (client === undefined) return;
    this.#handshakes.delete(socket);
    countOneLess(this.#handshakesByClient, client);
  }

  /** Resets a connection, and counts why. */
  refuse(socket: ByteSocket, reason: string): false {
    this.#countRefusal(reason);
    // Its failure is of our making and of no interest.
    socket.on('error', () => {});
    socket.resetAndDestroy();
    return false;
  }

  #release(socket: ByteSocket): void {
    const client = this.#connections.get(socket);
    if (client === undefined) return;
    this.#connections.delete(socket);
    if (client !== null) countOneLess(this.#connectionsByClient, client);
    this.#onClosed();
  }
}

function countOneLess(counts: Map<string, number>, client: string): void {
  const left = (counts.get(client) ?? 1) - 1;
  if (left === 0) counts.delete(client);
  else counts.set(client, left);
}
