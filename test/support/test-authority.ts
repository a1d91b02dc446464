/** A certificate authority for tests, made on the spot. */
import 'reflect-metadata';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export interface TestCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface TestAuthority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for host names and IP addresses. */
  issue(names: readonly string[], options?: { readonly notAfter?: Date }): Promise<TestCertificate>;
}

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const keys = await generateKeys();
  const notBefore = new Date(Date.now() - 30 * DAY_MS);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test authority',
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter: new Date(Date.now() + DAY_MS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    certificate: certificate.toString('pem'),
    async issue(names, options = {}) {
      const own = await generateKeys();
      const issued = await X509CertificateGenerator.create({
        subject: 'CN=Test origin',
        issuer: certificate.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        notBefore,
        notAfter: options.notAfter ?? new Date(Date.now() + DAY_MS),
        extensions: [
          new SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
          ),
          await AuthorityKeyIdentifierExtension.create(certificate.publicKey),
        ],
      });
      const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY');
      return { key, cert: issued.toString('pem') };
    },
  };
}
