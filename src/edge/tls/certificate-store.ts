/**
 * The certificates in force, chosen by the name the client asks for (SNI, RFC 6066 §3): an exact name,
 * else a wildcard one label up (RFC 9525 §6.3), else the first certificate. The set is swapped whole
 * while connections live on. Secure contexts are made when first asked for and kept in a bounded LRU.
 *
 * It leaves to `listen.ts`: the server, which it tells of a new default through `onDefault`.
 */

import { createSecureContext, type SecureContext } from 'node:tls';
import { errorMessage } from '#core/base/error-message.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Logger } from '#platform/log.ts';

const CERTIFICATE_LIMITS = {
  /** Secure contexts kept ready; each takes about 5 to 15 KB and 40 µs to make. */
  contextsMax: 4_096,
} as const;

/** What a server needs for clients that name no host. */
export interface DefaultCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateStore {
  /** Swaps the whole set; the first is the default. Connections that stand are not touched. */
  setCertificates(certificates: readonly Certificate[]): void;
  /**
   * The context for a server name as the client sent it. Null: there is no certificate at all, or the
   * one for that name cannot be read; the handshake is then refused.
   */
  contextFor(serverName: string): SecureContext | null;
  /** The default certificate, or null. */
  readonly defaultCertificate: DefaultCertificate | null;
  /** Calls `listener` whenever the default may have changed. Returns how to stop that. */
  onDefault(listener: () => void): () => void;
}

export function createCertificateStore(log: Logger, contextsMax?: number): CertificateStore {
  return new SniCertificates(log, contextsMax ?? CERTIFICATE_LIMITS.contextsMax);
}

class SniCertificates implements CertificateStore {
  readonly #log: Logger;
  readonly #contextsMax: number;
  #byName = new Map<string, Certificate>();
  #default: Certificate | null = null;
  /**
   * Contexts by the certificate and key they were made of, least recently used first; so a swap that leaves a
   * certificate as it was keeps its context. Null: it cannot be read.
   */
  readonly #contexts = new Map<string, SecureContext | null>();
  readonly #listeners = new Set<() => void>();

  constructor(log: Logger, contextsMax: number) {
    this.#log = log;
    this.#contextsMax = contextsMax;
  }

  get defaultCertificate(): DefaultCertificate | null {
    const certificate = this.#default;
    return certificate === null ? null : { cert: certificate.certificatePem, key: certificate.privateKeyPem };
  }

  setCertificates(certificates: readonly Certificate[]): void {
    const byName = new Map<string, Certificate>();
    for (const certificate of certificates) {
      for (const host of certificate.hosts) {
        const name = host.toLowerCase();
        // As with the default, of two certificates for a name the first counts.
        if (!byName.has(name)) byName.set(name, certificate);
      }
    }
    this.#byName = byName;
    // A default that cannot be read would leave clients without SNI with nothing.
    this.#default = certificates.find((certificate) => this.#context(certificate) !== null) ?? null;
    for (const listener of this.#listeners) listener();
  }

  contextFor(serverName: string): SecureContext | null {
    const certificate = this.#find(serverName.toLowerCase()) ?? this.#default;
    return certificate === null ? null : this.#context(certificate);
  }

  onDefault(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #find(serverName: string): Certificate | undefined {
    const name = serverName.endsWith('.') ? serverName.slice(0, -1) : serverName;
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot === -1 ? undefined : this.#byName.get(`*${name.slice(dot)}`);
  }

  #context(certificate: Certificate): SecureContext | null {
    const key = `${certificate.certificatePem}\n${certificate.privateKeyPem}`;
    let context = this.#contexts.get(key);
    if (context === undefined) context = this.#make(certificate);
    else this.#contexts.delete(key);
    this.#contexts.set(key, context);
    if (this.#contexts.size > this.#contextsMax) {
      for (const oldest of this.#contexts.keys()) {
        this.#contexts.delete(oldest);
        break;
      }
    }
    return context;
  }

  #make(certificate: Certificate): SecureContext | null {
    try {
      return createSecureContext({
        cert: certificate.certificatePem,
        key: certificate.privateKeyPem,
        minVersion: 'TLSv1.2',
      });
    } catch (error) {
      this.#log.error(
        { hosts: certificate.hosts, reason: errorMessage(error) },
        'a certificate cannot be used; handshakes for these hosts are refused',
      );
      return null;
    }
  }
}
