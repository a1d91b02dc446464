/**
 * Makes one connection to a destination: name lookup, TCP with both address families (RFC 8305, in
 * sequence with a short head start for each), TLS. Never sends a byte of a request.
 */

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext } from 'node:tls';
import { errorMessage } from '#core/base/error-message.ts';
import type { Deadlines, Timed } from './deadlines.ts';
import type { Destination } from './destination.ts';
import { connectFailure } from './failures.ts';
import type { OriginLimits } from './limits.ts';
import type { HostAddress, LookupOutcome, NameCache } from './name-cache.ts';
import { OriginFailure } from './origin-client.ts';

export interface DialSettings {
  /** Local address of connections, or null for the system's choice. */
  readonly egressAddress: string | null;
  /** With the authorities trusted; made at its first use. */
  readonly secureContext: () => SecureContext;
  /** Offered over TLS (RFC 7301), the preferred one first. */
  readonly alpnProtocols: readonly string[];
  readonly limits: OriginLimits;
  readonly names: NameCache;
  readonly deadlines: Deadlines;
}

export interface DialListener {
  onConnected(socket: Socket): void;
  onDialFailure(failure: OriginFailure): void;
}

export class Dialer implements Timed {
  deadlineAt: number;
  readonly #destination: Destination;
  readonly #settings: DialSettings;
  readonly #listener: DialListener;
  readonly #where: string;
  #addresses: readonly HostAddress[] = [];
  #nextAddress = 0;
  #nextTimer: ReturnType<typeof setTimeout> | null = null;
  /** Sockets under way; more than one only while the next address is tried beside a silent one. */
  readonly #attempts = new Set<Socket>();
  #isTlsBegun = false;
  #isOver = false;
  #firstFailure: OriginFailure | null = null;

  constructor(destination: Destination, settings: DialSettings, listener: DialListener) {
    this.#destination = destination;
    this.#settings = settings;
    this.#listener = listener;
    this.#where = `${destination.host}:${destination.port}`;
    this.deadlineAt = settings.deadlines.now() + (destination.connectMs ?? settings.limits.connectMs);
    settings.deadlines.watch(this);
  }

  start(): void {
    const { names } = this.#settings;
    const known = names.recall(this.#destination.host);
    if (known !== null) this.#begin(known);
    else void names.resolve(this.#destination.host).then((outcome) => this.#begin(outcome));
  }

  /** Gives up without telling the listener. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settings.deadlines.forget(this);
    if (this.#nextTimer !== null) clearTimeout(this.#nextTimer);
    for (const socket of this.#attempts) this.#abandon(socket);
  }

  /** Its listeners stay (an error without one would end the process), and know by the set that it is over. */
  #abandon(socket: Socket): void {
    this.#attempts.delete(socket);
    socket.destroy();
  }

  onDeadline(): void {
    const phase = this.#isTlsBegun
      ? 'TLS handshake'
      : this.#addresses.length === 0
        ? 'name lookup'
        : 'connect';
    const type = phase === 'name lookup' ? 'dns_error' : 'connection_timeout';
    this.#fail(new OriginFailure(type, `${this.#where}: ${phase} took too long`, false));
  }

  #fail(failure: OriginFailure): void {
    if (this.#isOver) return;
    this.cancel();
    this.#listener.onDialFailure(failure);
  }

  #begin(outcome: LookupOutcome): void {
    if (this.#isOver) return;
    if (!outcome.ok) {
      const detail = `${this.#destination.host}: ${errorMessage(outcome.error)}`;
      this.#fail(new OriginFailure('dns_error', detail, false, { cause: outcome.error }));
      return;
    }
    const { egressAddress } = this.#settings;
    const family = egressAddress === null ? 0 : isIP(egressAddress);
    this.#addresses = outcome.addresses.filter((address) => family === 0 || address.family === family);
    if (this.#addresses.length === 0) {
      const detail = `${this.#destination.host} has no IPv${family} address, which the egress address ${egressAddress} needs`;
      this.#fail(new OriginFailure('destination_unavailable', detail, false));
      return;
    }
    this.#tryNext();
  }

  #tryNext(): void {
    if (this.#nextTimer !== null) clearTimeout(this.#nextTimer);
    this.#nextTimer = null;
    const address = this.#addresses[this.#nextAddress];
    if (address === undefined) return;
    this.#nextAddress += 1;
    this.#attempt(address.address);
    if (this.#nextAddress < this.#addresses.length && !this.#isOver) {
      this.#nextTimer = setTimeout(() => this.#tryNext(), this.#settings.limits.nextAddressMs);
    }
  }

  #attempt(address: string): void {
    let socket: Socket;
    try {
      socket = this.#open(address);
    } catch (error) {
      this.#attemptFailed(connectFailure(error, this.#where, false));
      return;
    }
    this.#attempts.add(socket);
    const { tls } = this.#destination;
    let isConnected = false;
    socket.on('connect', () => {
      isConnected = true;
      if (tls === null) this.#succeed(socket);
      else this.#beginTls(socket);
    });
    if (tls !== null) socket.on('secureConnect', () => this.#succeed(socket));
    let failure: OriginFailure | null = null;
    socket.on('error', (error) => {
      failure ??= connectFailure(error, this.#where, isConnected);
    });
    socket.on('close', () => {
      if (!this.#attempts.delete(socket)) return;
      const closed = new Error('the connection was closed while it was being made');
      this.#attemptFailed(failure ?? connectFailure(closed, this.#where, isConnected));
    });
  }

  #open(address: string): Socket {
    const { egressAddress, secureContext } = this.#settings;
    const { port, tls } = this.#destination;
    // An origin that has sent all it will may still be sent to.
    const local = { allowHalfOpen: true, ...(egressAddress === null ? {} : { localAddress: egressAddress }) };
    if (tls === null) return connectTcp({ host: address, port, ...local });
    const { serverName, verifies } = tls;
    return connectTls({
      host: address,
      port,
      ...local,
      secureContext: secureContext(),
      // RFC 6066 §3: literal addresses are no server names.
      servername: isIP(serverName) === 0 ? serverName : '',
      rejectUnauthorized: verifies,
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
      ALPNProtocols: [...this.#settings.alpnProtocols],
    });
  }

  /** The first TCP connection wins; the handshake has a deadline of its own. */
  #beginTls(socket: Socket): void {
    this.#isTlsBegun = true;
    this.#keepOnly(socket);
    const { deadlines, limits } = this.#settings;
    this.deadlineAt = deadlines.now() + (this.#destination.connectMs ?? limits.tlsMs);
  }

  #keepOnly(winner: Socket): void {
    if (this.#nextTimer !== null) clearTimeout(this.#nextTimer);
    this.#nextTimer = null;
    this.#nextAddress = this.#addresses.length;
    for (const socket of this.#attempts) {
      if (socket !== winner) this.#abandon(socket);
    }
  }

  #succeed(socket: Socket): void {
    if (this.#isOver) return;
    this.#keepOnly(socket);
    this.#attempts.clear();
    this.#isOver = true;
    this.#settings.deadlines.forget(this);
    socket.setNoDelay(true);
    this.#listener.onConnected(socket);
  }

  #attemptFailed(failure: OriginFailure): void {
    if (this.#isOver) return;
    this.#firstFailure ??= failure;
    if (this.#isTlsBegun) this.#fail(failure);
    else if (this.#nextAddress < this.#addresses.length) this.#tryNext();
    else if (this.#attempts.size === 0) this.#fail(this.#firstFailure);
  }
}
