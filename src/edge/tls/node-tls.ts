/**
 * Handshakes on sockets of `node:net`, by TLS servers of `node:tls` that listen nowhere: one for each identity in
 * use, given the connections whose ClientHello names a host of theirs. Contexts chosen by an SNICallback would
 * not do: the least version and the asking for certificates stay the server's there, and Node takes one
 * certificate of several.
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Logger } from '#platform/log.ts';
import type { ServerIdentity } from './certificate-store.ts';
import { asksForCertificate, makeWithOptions } from './context-options.ts';
import { IdentityCache } from './identity-cache.ts';
import type { SecuredSocket, TlsEngine } from './tls-engine.ts';

interface Pending {
  readonly transport: Socket;
  readonly onSecured: (secured: SecuredSocket) => void;
}

export class NodeTls implements TlsEngine<Socket> {
  readonly #servers: IdentityCache<TlsServer>;
  /** By the peer's address and port: a TLS server does not say which socket its own came from. */
  readonly #pending = new Map<string, Pending>();
  /** A closed socket does not know its peer any more. */
  readonly #peers = new WeakMap<Socket, string>();

  constructor(alpnProtocols: readonly string[], serversMax: number, log: Logger) {
    this.#servers = new IdentityCache(serversMax, (identity) =>
      makeWithOptions(identity, log, (options) => {
        const server = createServer({
          ...options,
          ALPNProtocols: [...alpnProtocols],
          // Whether what is shown is trusted, and enough, is for the road to judge: it can say what is wrong.
          requestCert: asksForCertificate(identity),
          rejectUnauthorized: false,
        });
        server.on('secureConnection', (socket) => this.#onSecured(socket));
        // The connection closes with it, and that is where a failed handshake is noticed.
        server.on('tlsClientError', (_error, socket) => socket.destroy());
        return server;
      }),
    );
  }

  begin(
    socket: Socket,
    clientHello: Buffer,
    identity: ServerIdentity,
    onSecured: (secured: SecuredSocket) => void,
  ): boolean {
    const server = this.#servers.get(identity);
    if (server === null) return false;
    const peer = peerOf(socket);
    this.#peers.set(socket, peer);
    this.#pending.set(peer, { transport: socket, onSecured });
    // A TLS server finds what is put back only on a paused socket (Bun 1.4.5).
    socket.pause();
    socket.unshift(clientHello);
    // On Node, a client that leaves within a handshake that may be half open goes unnoticed until its deadline.
    socket.allowHalfOpen = false;
    server.emit('connection', socket);
    return true;
  }

  forget(socket: Socket): void {
    const peer = this.#peers.get(socket);
    if (peer !== undefined && this.#pending.get(peer)?.transport === socket) this.#pending.delete(peer);
  }

  #onSecured(socket: TLSSocket): void {
    const peer = peerOf(socket);
    const pending = this.#pending.get(peer);
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    this.#pending.delete(peer);
    pending.transport.allowHalfOpen = true;
    socket.allowHalfOpen = true;
    pending.onSecured({
      socket,
      alpnProtocol: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
      protocol: socket.getProtocol() ?? 'unknown',
      isAuthorized: socket.authorized,
      peerCertificate: () => socket.getPeerX509Certificate(),
    });
  }
}

/** The same for a connection and the TLS socket on it, and no other that is open. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`;
}
