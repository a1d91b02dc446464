/**
 * TLS servers that listen nowhere: one for each set of certificates and policy in use, kept in a bounded LRU, and
 * given the connections whose ClientHello names a host of theirs. All that is agreed in a handshake is then
 * the host's own, on Bun and on Node alike, which contexts chosen by an SNICallback are not: there the least
 * version and the asking for certificates stay the server's, and Node takes one certificate of several.
 * Session tickets are each server's own too, so a session never carries one policy's trust to another.
 */
import { createPrivateKey } from 'node:crypto';
import {
  createSecureContext,
  createServer,
  type TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls';
import { errorMessage } from '#core/base/error-message.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Logger } from '#platform/log.ts';
import type { ServerIdentity } from './certificate-store.ts';

/** TLS 1.2 with forward secrecy and authenticated encryption only (RFC 9325 §4.2); those of TLS 1.3 are all of that kind. */
const CIPHERS_OF_TLS_1_2 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface TlsServersOptions {
  /** Offered by ALPN (RFC 7301), the preferred one first. */
  readonly alpnProtocols: readonly string[];
  readonly log: Logger;
  readonly serversMax: number;
  readonly onSecure: (socket: TLSSocket) => void;
  readonly onFailed: (socket: TLSSocket) => void;
}

export class TlsServers {
  readonly #options: TlsServersOptions;
  /** By digest of what they were made of, least recently used first. Null: it cannot be used. */
  readonly #servers = new Map<string, TlsServer | null>();

  constructor(options: TlsServersOptions) {
    this.#options = options;
  }

  /** Null when none of the certificates, or not the authorities, can be read. */
  serverFor(identity: ServerIdentity): TlsServer | null {
    const { digest } = identity;
    let server = this.#servers.get(digest);
    if (server === undefined) server = this.#make(identity);
    else this.#servers.delete(digest);
    this.#servers.set(digest, server);
    if (this.#servers.size > this.#options.serversMax) {
      for (const oldest of this.#servers.keys()) {
        this.#servers.delete(oldest);
        break;
      }
    }
    return server;
  }

  #make({ certificates, policy }: ServerIdentity): TlsServer | null {
    const { alpnProtocols, log, onSecure, onFailed } = this.#options;
    const usable = selectUsable(certificates, log);
    const authorities = policy?.clientCertificates?.authoritiesPem ?? null;
    try {
      if (usable.length === 0) return null;
      const server = createServer({
        cert: usable.map(({ certificatePem }) => certificatePem),
        key: usable.map(({ privateKeyPem }) => privateKeyPem),
        minVersion: policy?.minTlsVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
        ciphers: CIPHERS_OF_TLS_1_2,
        ALPNProtocols: [...alpnProtocols],
        ...(authorities === null ? {} : askFor(authorities)),
      });
      server.on('secureConnection', onSecure);
      server.on('tlsClientError', (_error: Error, socket: TLSSocket) => onFailed(socket));
      return server;
    } catch (error) {
      report(log, certificates, error);
      return null;
    }
  }
}

/**
 * Whether a certificate was shown, and is trusted, is for the road to judge: it can say what is wrong. An authority
 * is trusted as listed, also one below another; Node (26) passes this by and wants the topmost one listed.
 */
function askFor(authoritiesPem: string): TlsOptions {
  return { ca: authoritiesPem, allowPartialTrustChain: true, requestCert: true, rejectUnauthorized: false };
}

/** Of each key type the first that can be read; of a single certificate that is found out by using it. */
function selectUsable(certificates: readonly Certificate[], log: Logger): readonly Certificate[] {
  if (certificates.length === 1) return certificates;
  const keyTypes = new Set<string>();
  return certificates.filter((certificate) => {
    try {
      const { certificatePem, privateKeyPem } = certificate;
      createSecureContext({ cert: certificatePem, key: privateKeyPem });
      const keyType = createPrivateKey(privateKeyPem).asymmetricKeyType ?? 'unknown';
      const isFirst = !keyTypes.has(keyType);
      keyTypes.add(keyType);
      return isFirst;
    } catch (error) {
      report(log, [certificate], error);
      return false;
    }
  });
}

/** The reason is the TLS library's, which quotes nothing of a key. */
function report(log: Logger, certificates: readonly Certificate[], error: unknown): void {
  const hosts = certificates.flatMap((certificate) => certificate.hosts);
  log.error(
    { hosts, reason: errorMessage(error) },
    'a certificate cannot be used; handshakes that need it are refused',
  );
}
