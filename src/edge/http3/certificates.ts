/**
 * The certificates of a snapshot as Bun takes them: one identity per host name, the first of two for a name counting,
 * the first of all being the default. Bun refuses to start over a single one that cannot be read, so those are left
 * out; each is tried once, because trying takes 40 µs and snapshots come with every change of any site.
 */
import { createSecureContext } from 'node:tls';
import { errorMessage } from '#core/base/error-message.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Http3Identity } from '#platform/http3-server.ts';
import type { Logger } from '#platform/log.ts';

export class Http3Certificates {
  readonly #log: Logger;
  /** Of the snapshot before: whether each can be read, by certificate and key. */
  #tried = new Map<string, boolean>();

  constructor(log: Logger) {
    this.#log = log;
  }

  identitiesOf(certificates: readonly Certificate[]): Http3Identity[] {
    const tried = new Map<string, boolean>();
    const byName = new Map<string, Http3Identity>();
    for (const certificate of certificates) {
      const { certificatePem: cert, privateKeyPem: key } = certificate;
      const id = `${cert}\n${key}`;
      const isReadable = tried.get(id) ?? this.#tried.get(id) ?? this.#try(certificate);
      tried.set(id, isReadable);
      if (!isReadable) continue;
      for (const host of certificate.hosts) {
        const serverName = host.toLowerCase();
        if (!byName.has(serverName)) byName.set(serverName, { serverName, cert, key });
      }
    }
    this.#tried = tried;
    return [...byName.values()];
  }

  #try({ hosts, certificatePem, privateKeyPem }: Certificate): boolean {
    try {
      createSecureContext({ cert: certificatePem, key: privateKeyPem });
      return true;
    } catch (error) {
      this.#log.error({ hosts, reason: errorMessage(error) }, 'a certificate cannot be used over HTTP/3');
      return false;
    }
  }
}

export function areEqual(one: readonly Http3Identity[], other: readonly Http3Identity[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ serverName, cert, key }, index) => {
      const identity = other[index];
      return identity?.serverName === serverName && identity.cert === cert && identity.key === key;
    })
  );
}
