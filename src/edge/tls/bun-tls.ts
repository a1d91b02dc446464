/** Handshakes on Bun's own sockets: one secure context for each identity in use (`#platform/lean-tls.ts`). */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { LeanSocket } from '#platform/lean-socket.ts';
import type { Logger } from '#platform/log.ts';
import type { ServerIdentity } from './certificate-store.ts';
import { asksForCertificate, makeWithOptions } from './context-options.ts';
import { IdentityCache } from './identity-cache.ts';
import type { SecuredSocket, TlsEngine } from './tls-engine.ts';

export class BunTls implements TlsEngine<LeanSocket> {
  readonly #contexts: IdentityCache<SecureContext>;
  readonly #alpnProtocols: Buffer;

  constructor(alpnProtocols: readonly string[], contextsMax: number, log: Logger) {
    this.#contexts = new IdentityCache(contextsMax, (identity) =>
      makeWithOptions(identity, log, createSecureContext),
    );
    this.#alpnProtocols = protocolNameList(alpnProtocols);
  }

  begin(
    socket: LeanSocket,
    clientHello: Buffer,
    identity: ServerIdentity,
    onSecured: (secured: SecuredSocket) => void,
  ): boolean {
    const context = this.#contexts.get(identity);
    if (context === null) return false;
    socket.secure({
      context,
      alpnProtocols: this.#alpnProtocols,
      asksForCertificate: asksForCertificate(identity),
      firstBytes: clientHello,
      onHandshake: (outcome) => {
        // The connection closes with it, and that is where a failed handshake is noticed.
        if (outcome === null) socket.destroy();
        else onSecured({ socket, ...outcome });
      },
    });
    return true;
  }

  forget(): void {}
}

/** RFC 7301 §3.1. */
function protocolNameList(names: readonly string[]): Buffer {
  return Buffer.concat(names.map((name) => Buffer.from([name.length, ...Buffer.from(name, 'latin1')])));
}
