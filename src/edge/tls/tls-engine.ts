/**
 * Does the server's side of handshakes. There are two: on sockets of `node:net` (`node-tls.ts`), and on Bun's own
 * (`lean-tls.ts`), which cost less. Either gives each identity a context of its own, so that all that is agreed in
 * a handshake is the host's: least version, certificates of several key types, the asking for certificates.
 * Session tickets are each context's own too, so a session never carries one policy's trust to another.
 */
import type { X509Certificate } from 'node:crypto';
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { ServerIdentity } from './certificate-store.ts';

/** A connection that TLS protects from here on. */
export interface SecuredSocket {
  readonly socket: ByteSocket;
  /** Null: none was agreed on. */
  readonly alpnProtocol: string | null;
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  readonly isAuthorized: boolean;
  /** Undefined: the client showed none. In a resumed session, what it showed when the session began. */
  readonly peerCertificate: () => X509Certificate | undefined;
}

export interface TlsEngine<Socket extends ByteSocket> {
  /**
   * Goes on where `clientHello`, all that came so far, ends. Calls `onSecured` once, or closes the socket.
   * False: there is nothing to do it with.
   */
  begin(
    socket: Socket,
    clientHello: Buffer,
    identity: ServerIdentity,
    onSecured: (secured: SecuredSocket) => void,
  ): boolean;
  /** The handshake is over, one way or the other. */
  forget(socket: Socket): void;
}
