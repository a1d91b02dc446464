/**
 * The local certificate authority, made at the first start: it signs one leaf per site, so that TLS works on
 * any machine at once. Browsers trust it after its certificate (`/ca.pem`) was added; certificates that the
 * world trusts come by ACME, from elsewhere. ECDSA P-256 throughout (RFC 5480), keys in files of mode 0600.
 */
// The next line brings what x509's own dependencies expect of the runtime, and must come first.
import { errorMessage } from '#core/base/error-message.ts';
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { AppError } from '#core/base/app-error.ts';
import { writeFileAtomically } from '#platform/atomic-file.ts';
import type { Clock } from '#platform/clock.ts';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** Certificates begin this much in the past, for machines whose clocks are behind. */
export const BACKDATED_MS = 3_600_000;

export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly certificatePem: string;
  readonly privateKey: CryptoKey;
  /** SHA-256 of the certificate, hex: leaves remember which authority signed them. */
  readonly fingerprint: string;
}

/**
 * Reads the authority from `directory`, or makes one there when there is none or it has run out. Throws
 * AppError `unavailable` when its files cannot be read or written.
 */
export async function openAuthority(directory: string, clock: Clock): Promise<Authority> {
  const certificateFile = join(directory, 'ca.pem');
  const keyFile = join(directory, 'ca-key.pem');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (existsSync(certificateFile) && existsSync(keyFile)) {
      const kept = await readAuthority(certificateFile, keyFile);
      if (kept.certificate.notAfter.getTime() > clock.now()) return kept;
    }
    await makeAuthority(certificateFile, keyFile, clock);
    return await readAuthority(certificateFile, keyFile);
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new AppError(
      'unavailable',
      `the certificate authority in ${directory} cannot be used: ${reason}; restore its files, or remove the directory to have a new one made`,
      { cause },
    );
  }
}

/** A key pair for a leaf or the authority itself, with its private half as PEM (PKCS #8). */
export async function makeKeys(): Promise<{ readonly keys: CryptoKeyPair; readonly privateKeyPem: string }> {
  const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const exported = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { keys, privateKeyPem: `${x509.PemConverter.encode(exported, 'PRIVATE KEY')}\n` };
}

/** A positive serial number of 127 random bits, hex (RFC 5280 §4.1.2.2). */
export function makeSerialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function readAuthority(certificateFile: string, keyFile: string): Promise<Authority> {
  const certificatePem = readFileSync(certificateFile, 'utf8');
  const certificate = new x509.X509Certificate(certificatePem);
  const [key] = x509.PemConverter.decode(readFileSync(keyFile, 'utf8'));
  if (key === undefined) throw new Error(`${keyFile} holds no key`);
  const privateKey = await crypto.subtle.importKey('pkcs8', key, KEY_ALGORITHM, false, ['sign']);
  const fingerprint = createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex');
  return { certificate, certificatePem, privateKey, fingerprint };
}

/** The key is written before the certificate: one without the other is made anew. */
async function makeAuthority(certificateFile: string, keyFile: string, clock: Clock): Promise<void> {
  const { keys, privateKeyPem } = await makeKeys();
  const serialNumber = makeSerialNumber();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Several authorities on one machine can be told apart in a browser's list.
    name: [{ O: ['Perigee'] }, { CN: [`Perigee local CA ${serialNumber.slice(0, 8)}`] }],
    notBefore: new Date(clock.now() - BACKDATED_MS),
    notAfter: new Date(clock.now() + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  writeFileAtomically(keyFile, privateKeyPem, 0o600);
  writeFileAtomically(certificateFile, `${certificate.toString('pem')}\n`, 0o644);
}
