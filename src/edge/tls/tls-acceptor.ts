/**
 * From an admitted connection to a secured one: reads the ClientHello, finds who the client wants to speak to, has
 * the TLS server of that identity do the handshake, and hands on the socket with what was agreed. Bounds on
 * handshakes are admission's; which certificate and policy a name has, the certificate store's.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsPolicy } from '#core/model/tls-policy.ts';
import type { Logger } from '#platform/log.ts';
import type { Admission } from '../connection/admission.ts';
import type { DeadlineSweep } from '../connection/deadline-sweep.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import type { TlsFacts } from '../exchange.ts';
import type { CertificateStore } from './certificate-store.ts';
import { readClientCertificate } from './client-certificate.ts';
import { Handshake, type HandshakeEvents, type HandshakeFailure, peerOf } from './handshake.ts';
import { TlsServers } from './tls-servers.ts';

/** The protocol agreed on is the socket's `alpnProtocol`, false without one. */
export type OnSecure = (socket: TLSSocket, tls: TlsFacts) => void;

export interface TlsAcceptorOptions {
  readonly certificates: CertificateStore;
  readonly admission: Admission;
  readonly sweep: DeadlineSweep;
  readonly limits: Pick<ConnectionLimits, 'handshakeMs' | 'tlsServersMax'>;
  /** Offered by ALPN (RFC 7301), the preferred one first. */
  readonly alpnProtocols: readonly string[];
  readonly log: Logger;
  readonly countRefusal: (reason: string) => void;
}

/** A handshake in the hands of a TLS server. */
interface Pending {
  readonly handshake: Handshake;
  readonly serverName: string | null;
  readonly policy: TlsPolicy | null;
}

export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  readonly #servers: TlsServers;
  /** Handshakes under way, and who is told of their success. */
  readonly #handshakes = new Map<Handshake, OnSecure>();
  /** By the peer's address and port: a TLS server does not say which socket its own came from. */
  readonly #pending = new Map<string, Pending>();
  readonly #events: HandshakeEvents = {
    onClientHello: (handshake, serverName) => this.#begin(handshake, serverName),
    onFailed: (handshake, failure) => this.#onFailed(handshake, failure),
  };

  constructor(options: TlsAcceptorOptions) {
    const { alpnProtocols, log, limits } = options;
    this.#options = options;
    this.#servers = new TlsServers({
      alpnProtocols,
      log,
      serversMax: limits.tlsServersMax,
      onSecure: (socket) => this.#onSecure(socket),
      // Its connection closes with it, and that is where a failed handshake is noticed.
      onFailed: (socket) => socket.destroy(),
    });
  }

  /** Takes an admitted connection of which nothing was read. `clientAddress`: whom its handshake is counted to. */
  accept(socket: Socket, clientAddress: string, onSecure: OnSecure): void {
    const { admission, sweep, limits } = this.#options;
    if (!admission.beginHandshake(socket, clientAddress)) return;
    this.#handshakes.set(new Handshake(socket, sweep, limits.handshakeMs, this.#events), onSecure);
  }

  /** Breaks off the handshakes under way. */
  close(): void {
    for (const handshake of [...this.#handshakes.keys()]) handshake.fail(null);
  }

  #begin(handshake: Handshake, serverName: string | null): void {
    const identity = this.#options.certificates.identify(serverName);
    const server = identity === null ? null : this.#servers.serverFor(identity);
    if (identity === null || server === null) {
      handshake.fail('no-certificate');
      return;
    }
    this.#pending.set(handshake.peer, { handshake, serverName, policy: identity.policy });
    // On Node, a client that leaves within a handshake that may be half open goes unnoticed until its deadline.
    handshake.socket.allowHalfOpen = false;
    server.emit('connection', handshake.socket);
  }

  #onSecure(socket: TLSSocket): void {
    const pending = this.#pending.get(peerOf(socket));
    const onSecure = pending === undefined ? undefined : this.#handshakes.get(pending.handshake);
    if (pending === undefined || onSecure === undefined || !pending.handshake.succeed()) {
      socket.destroy();
      return;
    }
    this.#forget(pending.handshake);
    pending.handshake.socket.allowHalfOpen = true;
    socket.allowHalfOpen = true;
    const { serverName, policy } = pending;
    onSecure(socket, {
      serverName: serverName === null ? null : serverName.toLowerCase(),
      protocol: socket.getProtocol() ?? 'unknown',
      policy,
      clientCertificate: policy?.clientCertificates ? readClientCertificate(socket) : null,
    });
  }

  #onFailed(handshake: Handshake, failure: HandshakeFailure | null): void {
    this.#forget(handshake);
    if (failure !== null) this.#options.countRefusal(failure);
  }

  #forget(handshake: Handshake): void {
    const { socket, peer } = handshake;
    this.#options.admission.endHandshake(socket);
    this.#handshakes.delete(handshake);
    if (this.#pending.get(peer)?.handshake === handshake) this.#pending.delete(peer);
  }
}
