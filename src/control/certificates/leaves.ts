/**
 * One leaf certificate per site, for its hosts and its name in the zone; kept in the database, signed anew
 * when the hosts change, the authority changes, or a third of its life is left.
 */
import * as x509 from '@peculiar/x509';
import { cnameOf } from '#core/model/compile.ts';
import type { Site } from '#core/model/site.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '../database/schema.ts';
import { type Authority, BACKDATED_MS, makeKeys, makeSerialNumber, SIGNING_ALGORITHM } from './authority.ts';

const DAY_MS = 86_400_000;
/** Browsers refuse leaves of more than 398 days; 90 is what ACME authorities give. */
export const LEAF_DAYS = 90;
const RENEW_WHEN_LEFT_MS = (LEAF_DAYS / 3) * DAY_MS;
/** A common name has at most 64 characters (RFC 5280 appendix A); clients look at subjectAltName alone. */
const COMMON_NAME_CHARACTERS_MAX = 64;

export interface LeavesOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly clock: Clock;
}

/** A certificate for each site, in the order of the sites; missing and ageing ones are signed and kept first. */
export async function ensureLeaves(
  options: LeavesOptions,
  sites: readonly Site[],
  zoneName: string,
): Promise<Certificate[]> {
  const { database, authority, clock } = options;
  const rows = await database.selectFrom('certificates').selectAll().execute();
  const kept = new Map(rows.map((row) => [row.site_id, row]));
  const certificates: Certificate[] = [];
  for (const site of sites) {
    const hosts = [...new Set([...site.hosts, cnameOf(site.id, zoneName)])].sort();
    const row = kept.get(site.id);
    const isGood =
      row !== undefined &&
      row.hosts === hosts.join(',') &&
      row.authority === authority.fingerprint &&
      row.not_after - clock.now() > RENEW_WHEN_LEFT_MS;
    if (isGood) {
      certificates.push({ hosts, certificatePem: row.certificate_pem, privateKeyPem: row.private_key_pem });
    } else {
      certificates.push(await renewLeaf(options, site.id, hosts));
    }
  }
  return certificates;
}

async function renewLeaf(
  { database, authority, clock }: LeavesOptions,
  siteId: string,
  hosts: readonly string[],
): Promise<Certificate> {
  const leaf = await signLeaf(authority, hosts, clock);
  const columns = {
    hosts: hosts.join(','),
    authority: authority.fingerprint,
    certificate_pem: leaf.certificatePem,
    private_key_pem: leaf.privateKeyPem,
    not_after: clock.now() + LEAF_DAYS * DAY_MS,
  };
  await database
    .insertInto('certificates')
    .values({ site_id: siteId, ...columns })
    .onConflict((conflict) => conflict.column('site_id').doUpdateSet(columns))
    .execute();
  return leaf;
}

/** A certificate for these hosts; its PEM has the leaf alone, as clients know the authority. */
export async function signLeaf(
  authority: Authority,
  hosts: readonly string[],
  clock: Clock,
): Promise<Certificate> {
  const { keys, privateKeyPem } = await makeKeys();
  const commonName = hosts.find((host) => host.length <= COMMON_NAME_CHARACTERS_MAX);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: makeSerialNumber(),
    ...(commonName === undefined ? {} : { subject: [{ CN: [commonName] }] }),
    issuer: authority.certificate.subjectName,
    notBefore: new Date(clock.now() - BACKDATED_MS),
    notAfter: new Date(clock.now() + LEAF_DAYS * DAY_MS),
    signingAlgorithm: SIGNING_ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      // Critical where the subject is empty (RFC 5280 §4.2.1.6).
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIpAddress(value) ? ('ip' as const) : ('dns' as const), value })),
        commonName === undefined,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  return { hosts: [...hosts], certificatePem: `${certificate.toString('pem')}\n`, privateKeyPem };
}

/** A host that is an IPv4 address is one for the certificate too; host names cannot hold IPv6 addresses. */
function isIpAddress(host: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host);
}
