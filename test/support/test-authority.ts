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
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Certificate } from '#core/model/snapshot.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
} as const;
const DAY_MS = 86_400_000;

export interface TestCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface IssueOptions {
  readonly notAfter?: Date;
  /** Left out: ECDSA. */
  readonly keyType?: 'ecdsa' | 'rsa';
}

export interface TestAuthority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for host names and IP addresses. */
  issue(names: readonly string[], options?: IssueOptions): Promise<TestCertificate>;
  /** An authority whose certificate is of this one. */
  issueAuthority(): Promise<TestAuthority>;
}

function generateKeys(keyType: 'ecdsa' | 'rsa' = 'ecdsa'): Promise<CryptoKeyPair> {
  const algorithm = keyType === 'ecdsa' ? ECDSA : RSA;
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
}

function validity(notAfter?: Date): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 30 * DAY_MS), notAfter: notAfter ?? new Date(now + DAY_MS) };
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Test authority',
    keys,
    signingAlgorithm: ECDSA,
    ...validity(),
    extensions: await authorityExtensions(keys),
  });
  return authorityOf(certificate, keys);
}

async function authorityExtensions({ publicKey }: CryptoKeyPair) {
  return [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    // All authorities of tests have one name; by this they are told apart.
    await SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

function authorityOf(certificate: X509Certificate, keys: CryptoKeyPair): TestAuthority {
  const signed = {
    issuer: certificate.subject,
    signingKey: keys.privateKey,
    signingAlgorithm: ECDSA,
  } as const;
  return {
    certificate: certificate.toString('pem'),
    async issue(names, { notAfter, keyType } = {}) {
      const own = await generateKeys(keyType);
      const issued = await X509CertificateGenerator.create({
        subject: 'CN=Test origin',
        publicKey: own.publicKey,
        ...signed,
        ...validity(notAfter),
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
    async issueAuthority() {
      const own = await generateKeys();
      const issued = await X509CertificateGenerator.create({
        subject: 'CN=Test authority below another',
        publicKey: own.publicKey,
        ...signed,
        ...validity(),
        extensions: [
          ...(await authorityExtensions(own)),
          await AuthorityKeyIdentifierExtension.create(certificate.publicKey),
        ],
      });
      return authorityOf(issued, own);
    },
  };
}

/** A certificate of an authority of its own, as snapshots have them. */
export async function makeCertificate(hosts: readonly string[]): Promise<Certificate> {
  const authority = await createTestAuthority();
  const { cert, key } = await authority.issue(hosts);
  return { hosts: [...hosts], certificatePem: cert, privateKeyPem: key };
}
