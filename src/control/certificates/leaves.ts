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
/** Leaves that are signed side by side and kept in one transaction: a disk sync for each would take longer. */
const LEAVES_PER_BATCH = 64;
/** A common name has at most 64 characters (RFC 5280 appendix A); clients look at subjectAltName alone. */
const COMMON_NAME_CHARACTERS_MAX = 64;

export interface LeavesOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly clock: Clock;
}

interface WantedLeaf {
  readonly siteId: string;
  readonly hosts: readonly string[];
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
  const leaves = new Map<string, Certificate>();
  const wanted: WantedLeaf[] = [];
  for (const site of sites) {
    const hosts = [...new Set([...site.hosts, cnameOf(site.id, zoneName)])].sort();
    const row = kept.get(site.id);
    const isGood =
      row !== undefined &&
      row.hosts === hosts.join(',') &&
      row.authority === authority.fingerprint &&
      row.not_after - clock.now() > RENEW_WHEN_LEFT_MS;
    if (!isGood) wanted.push({ siteId: site.id, hosts });
    else
      leaves.set(site.id, { hosts, certificatePem: row.certificate_pem, privateKeyPem: row.private_key_pem });
  }
  for (let start = 0; start < wanted.length; start += LEAVES_PER_BATCH) {
    const batch = wanted.slice(start, start + LEAVES_PER_BATCH);
    const signed = await Promise.all(batch.map(({ hosts }) => signLeaf(authority, hosts, clock)));
    await keepLeaves(options, batch, signed);
    batch.forEach(({ siteId }, index) => {
      const leaf = signed[index];
      if (leaf !== undefined) leaves.set(siteId, leaf);
    });
  }
  return sites.flatMap(({ id }) => leaves.get(id) ?? []);
}

async function keepLeaves(
  { database, authority, clock }: LeavesOptions,
  batch: readonly WantedLeaf[],
  signed: readonly Certificate[],
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    for (const [index, { siteId, hosts }] of batch.entries()) {
      const columns = {
        hosts: hosts.join(','),
        authority: authority.fingerprint,
        certificate_pem: signed[index]?.certificatePem ?? '',
        private_key_pem: signed[index]?.privateKeyPem ?? '',
        not_after: clock.now() + LEAF_DAYS * DAY_MS,
      };
      await transaction
        .insertInto('certificates')
        .values({ site_id: siteId, ...columns })
        .onConflict((conflict) => conflict.column('site_id').doUpdateSet(columns))
        .execute();
    }
  });
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
