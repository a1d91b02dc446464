/**
 * The certificates of a snapshot as Bun takes them: one entry per host name, the first of two for a name counting, the
 * first of all being the default. Bun refuses to start over a single one that cannot be read, so those are left out.
 */
import { createSecureContext } from 'node:tls';
import { errorMessage } from '#core/base/error-message.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Http3Identity } from '#platform/http3-server.ts';
import type { Logger } from '#platform/log.ts';

export function identitiesOf(certificates: readonly Certificate[], log: Logger): Http3Identity[] {
  const byName = new Map<string, Http3Identity>();
  for (const certificate of certificates) {
    const names = certificate.hosts.map((host) => host.toLowerCase()).filter((name) => !byName.has(name));
    if (names.length === 0 || !isReadable(certificate, log)) continue;
    const { certificatePem: cert, privateKeyPem: key } = certificate;
    for (const serverName of names) byName.set(serverName, { serverName, cert, key });
  }
  return [...byName.values()];
}

export function areEqual(one: readonly Http3Identity[], other: readonly Http3Identity[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ serverName, cert, key }, index) => {
      const entry = other[index];
      return entry?.serverName === serverName && entry.cert === cert && entry.key === key;
    })
  );
}

function isReadable({ hosts, certificatePem, privateKeyPem }: Certificate, log: Logger): boolean {
  try {
    createSecureContext({ cert: certificatePem, key: privateKeyPem });
    return true;
  } catch (error) {
    log.error({ hosts, reason: errorMessage(error) }, 'a certificate cannot be used over HTTP/3');
    return false;
  }
}
