/** What a host's handshakes are done with, in the words of `node:tls`. */
import { createPrivateKey } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
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

/**
 * Makes something of an identity by its options. Null, with a line in the log, when it has no certificate that
 * can be used, or when `make` throws.
 */
export function makeWithOptions<Made>(
  { certificates, policy }: ServerIdentity,
  log: Logger,
  make: (options: SecureContextOptions) => Made,
): Made | null {
  const usable = selectUsable(certificates, log);
  const authorities = policy?.clientCertificates?.authoritiesPem ?? null;
  try {
    if (usable.length === 0) return null;
    return make({
      cert: usable.map(({ certificatePem }) => certificatePem),
      key: usable.map(({ privateKeyPem }) => privateKeyPem),
      minVersion: policy?.minTlsVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
      ciphers: CIPHERS_OF_TLS_1_2,
      honorCipherOrder: true,
      // An authority is trusted as listed, also one below another; Node (26) passes this by and wants the topmost.
      ...(authorities === null ? {} : { ca: authorities, allowPartialTrustChain: true }),
    });
  } catch (error) {
    report(log, certificates, error);
    return null;
  }
}

/** Whether handshakes ask for the client's certificate. */
export function asksForCertificate({ policy }: ServerIdentity): boolean {
  return policy !== null && policy.clientCertificates !== null;
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
