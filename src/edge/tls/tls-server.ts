/**
 * The TLS side of a listener: handshakes within the bounds of admission, a certificate by the name the client
 * asks for, and for each finished handshake its socket and the facts of it. Which certificate that is, is the
 * certificate store's; what is spoken on the socket is the caller's (`listen.ts`).
 */
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Admission } from '../connection/admission.ts';
import type { ConnectionInfo } from '../exchange.ts';
import type { CertificateStore } from './certificate-store.ts';

export interface TlsServerOptions {
  readonly certificates: CertificateStore;
  readonly admission: Admission;
  /** Offered by ALPN (RFC 7301), the preferred one first. */
  readonly alpnProtocols: readonly string[];
  readonly handshakeMs: number;
  readonly countRefusal: (reason: string) => void;
  /** The protocol agreed on is the socket's `alpnProtocol`, false without one. */
  readonly onSecure: (socket: TLSSocket, tls: TlsFacts) => void;
}

export type TlsFacts = NonNullable<ConnectionInfo['tls']>;

export interface TlsListener {
  /** Not listening yet. */
  readonly server: TlsServer;
  /** Ends following the certificate store; the server is the caller's to close. */
  release(): void;
}

export function createTlsListener(options: TlsServerOptions): TlsListener {
  const { certificates, admission, countRefusal, onSecure } = options;
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: [...options.alpnProtocols],
    handshakeTimeout: options.handshakeMs,
    SNICallback: (serverName, answer) => {
      const context = certificates.contextFor(serverName);
      if (context === null) answer(new Error('no certificate for this name'));
      else answer(null, context);
    },
    ...certificates.defaultCertificate,
  });
  const release = certificates.onDefault(() => {
    server.setSecureContext(certificates.defaultCertificate ?? {});
  });
  server.on('connection', (socket: Socket) => {
    if (admission.admit(socket)) admission.beginHandshake(socket);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    admission.endHandshake(socket);
    // Only from here on: on Node, a client that leaves within a handshake that may be half open goes unnoticed
    // until the handshake's deadline, and holds its place that long.
    socket.allowHalfOpen = true;
    onSecure(socket, factsOf(socket));
  });
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => {
    if (admission.endHandshake(socket)) countRefusal('handshake-failed');
    socket.destroy();
  });
  return { server, release };
}

function factsOf(socket: TLSSocket): TlsFacts {
  const serverName = typeof socket.servername === 'string' ? socket.servername.toLowerCase() : null;
  return { serverName, protocol: socket.getProtocol() ?? 'unknown' };
}
