/**
 * The certificates in force and the policies that go with them, by the name the client asks for (SNI, RFC 6066
 * §3): an exact name, else a wildcard one label up (RFC 9525 §6.3), else the first certificate. Several of one
 * name go together: the handshake takes the one whose key type the client knows. The set is swapped whole, for
 * the handshakes to come; connections that stand are not touched.
 */
import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { errorMessage } from '#core/base/error-message.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { TlsPolicy } from '#core/model/tls-policy.ts';
import type { Logger } from '#platform/log.ts';
import { TLS_LIMITS } from './limits.ts';

/** What a handshake for one server name is done with. */
export interface ServerIdentity {
  /** At least one, the preferred ones first. */
  readonly certificates: readonly Certificate[];
  readonly policy: TlsPolicy | null;
  /** Equal for equal content, across swaps. */
  readonly digest: string;
}

export class CertificateStore {
  readonly #log: Logger;
  #byName: ReadonlyMap<string, readonly Certificate[]> = new Map();
  #policies: ReadonlyMap<string, TlsPolicy> = new Map();
  #default: readonly Certificate[] = [];
  /** Digests of what handshakes have asked for, made once. */
  #digests = new WeakMap<object, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Swaps everything. `policies`: by host, for those that have one. */
  replace(certificates: readonly Certificate[], policies: ReadonlyMap<string, TlsPolicy>): void {
    const byName = new Map<string, readonly Certificate[]>();
    for (const certificate of certificates) {
      const alone = [certificate];
      for (const host of certificate.hosts) {
        const name = host.toLowerCase();
        const others = byName.get(name);
        if (others === undefined) byName.set(name, alone);
        else if (others.length < TLS_LIMITS.certificatesPerHostMax) {
          byName.set(name, [...others, certificate]);
        }
      }
    }
    this.#byName = byName;
    this.#policies = policies;
    // One that cannot be read would leave clients without SNI with nothing.
    const first = certificates.find((certificate) => this.#isReadable(certificate));
    const name = first?.hosts[0]?.toLowerCase() ?? '';
    this.#default = first === undefined ? [] : (byName.get(name) ?? [first]);
  }

  /** For a server name as the client sent it, null when it sent none. Null: there is no certificate at all. */
  identify(serverName: string | null): ServerIdentity | null {
    const name = serverName === null ? '' : normalName(serverName);
    const certificates = this.#find(name) ?? this.#default;
    if (certificates.length === 0) return null;
    const policy = this.#policies.get(name) ?? null;
    const digest = `${this.#digestOf(certificates)} ${policy === null ? '' : this.#digestOf(policy)}`;
    return { certificates, policy, digest };
  }

  #find(name: string): readonly Certificate[] | undefined {
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot === -1 ? undefined : this.#byName.get(`*${name.slice(dot)}`);
  }

  #digestOf(value: readonly Certificate[] | TlsPolicy): string {
    let digest = this.#digests.get(value);
    if (digest === undefined) {
      digest = createHash('sha256').update(JSON.stringify(value)).digest('base64');
      this.#digests.set(value, digest);
    }
    return digest;
  }

  #isReadable(certificate: Certificate): boolean {
    try {
      createSecureContext({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
      return true;
    } catch (error) {
      const reason = errorMessage(error);
      this.#log.error({ hosts: certificate.hosts, reason }, 'a certificate cannot be used');
      return false;
    }
  }
}

/** In lower case and without the trailing dot of a complete name, as hosts are kept. */
function normalName(serverName: string): string {
  const name = serverName.endsWith('.') ? serverName.slice(0, -1) : serverName;
  return name.toLowerCase();
}
