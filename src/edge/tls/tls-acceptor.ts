/**
 * From an admitted connection to a secured one: reads the ClientHello, finds who the client wants to speak to, has
 * the engine do the handshake as that one, and hands on the socket with what was agreed. Bounds on handshakes
 * are admission's; which certificate and policy a name has, the certificate store's.
 */
import type { TlsPolicy } from '#core/model/tls-policy.ts';
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { Admission } from '../connection/admission.ts';
import type { DeadlineSweep } from '../connection/deadline-sweep.ts';
import type { TlsFacts } from '../exchange.ts';
import type { CertificateStore } from './certificate-store.ts';
import { readClientCertificate } from './client-certificate.ts';
import { Handshake, type HandshakeEvents, type HandshakeFailure, type HandshakeSocket } from './handshake.ts';
import type { SecuredSocket, TlsEngine } from './tls-engine.ts';

/** `alpnProtocol` null: none was agreed on. */
export type OnSecure = (socket: ByteSocket, tls: TlsFacts, alpnProtocol: string | null) => void;

export interface TlsAcceptorOptions<Socket extends HandshakeSocket> {
  readonly engine: TlsEngine<Socket>;
  readonly certificates: CertificateStore;
  readonly admission: Admission;
  readonly sweep: DeadlineSweep;
  readonly handshakeMs: number;
  readonly countRefusal: (reason: string) => void;
}

export class TlsAcceptor<Socket extends HandshakeSocket> {
  readonly #options: TlsAcceptorOptions<Socket>;
  /** Handshakes under way, and who is told of their success. */
  readonly #handshakes = new Map<Handshake<Socket>, OnSecure>();
  readonly #events: HandshakeEvents<Socket> = {
    onClientHello: (handshake, serverName, bytes) => this.#begin(handshake, serverName, bytes),
    onFailed: (handshake, failure) => this.#onFailed(handshake, failure),
  };

  constructor(options: TlsAcceptorOptions<Socket>) {
    this.#options = options;
  }

  /** Takes an admitted connection of which nothing was read. `clientAddress`: whom its handshake is counted to. */
  accept(socket: Socket, clientAddress: string, onSecure: OnSecure): void {
    const { admission, sweep, handshakeMs } = this.#options;
    if (!admission.beginHandshake(socket, clientAddress)) return;
    this.#handshakes.set(new Handshake(socket, sweep, handshakeMs, this.#events), onSecure);
  }

  /** Breaks off the handshakes under way. */
  close(): void {
    for (const handshake of [...this.#handshakes.keys()]) handshake.fail(null);
  }

  #begin(handshake: Handshake<Socket>, serverName: string | null, bytes: Buffer): void {
    const { engine, certificates } = this.#options;
    const identity = certificates.identify(serverName);
    const onSecured = (secured: SecuredSocket): void =>
      this.#onSecured(handshake, serverName, identity?.policy ?? null, secured);
    if (identity === null || !engine.begin(handshake.socket, bytes, identity, onSecured)) {
      handshake.fail('no-certificate');
    }
  }

  #onSecured(
    handshake: Handshake<Socket>,
    serverName: string | null,
    policy: TlsPolicy | null,
    secured: SecuredSocket,
  ): void {
    const onSecure = this.#handshakes.get(handshake);
    if (onSecure === undefined || !handshake.succeed()) {
      secured.socket.destroy();
      return;
    }
    this.#forget(handshake);
    const tls: TlsFacts = {
      serverName: serverName === null ? null : serverName.toLowerCase(),
      protocol: secured.protocol,
      policy,
      clientCertificate: policy?.clientCertificates ? readClientCertificate(secured) : null,
    };
    onSecure(secured.socket, tls, secured.alpnProtocol);
  }

  #onFailed(handshake: Handshake<Socket>, failure: HandshakeFailure | null): void {
    this.#forget(handshake);
    if (failure !== null) this.#options.countRefusal(failure);
  }

  #forget(handshake: Handshake<Socket>): void {
    this.#options.admission.endHandshake(handshake.socket);
    this.#options.engine.forget(handshake.socket);
    this.#handshakes.delete(handshake);
  }
}
