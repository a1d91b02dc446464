/**
 * What a site asks of TLS beyond what every connection must offer, and whether a connection offers it. A
 * policy is chosen by the server name (SNI) before a request is seen, so a request whose authority has
 * another policy than its connection's is misdirected (RFC 9110 §7.4, §15.5.20): a client gets around no policy
 * by naming one host in the handshake and another in the request, nor by coalescing connections.
 *
 *   the site's policy            connection                              verdict
 *   ---------------------------  --------------------------------------  -----------------------------
 *   none                         plain, or TLS under none                null: served
 *   requires certificates        plain                                   tls-required
 *   another                      plain                                   null
 *   any                          TLS under another policy                misdirected
 *   requires certificates        TLS under it, no certificate            client-certificate-missing
 *   requires certificates        TLS under it, not trusted or expired    client-certificate-invalid
 *   any                          TLS under it, otherwise                 null
 */
import type { Site } from './site.ts';

/** Null stands for the policy of sites that ask for nothing: TLS 1.2 or later, no certificate. */
export interface TlsPolicy {
  readonly minTlsVersion: Site['minTlsVersion'];
  readonly clientCertificates: Site['clientCertificates'];
}

/** What a client showed of itself in the handshake; null elsewhere: nothing. */
export type ClientCertificate =
  | { readonly isTrusted: false }
  | {
      /** By one of the authorities of the connection's policy. */
      readonly isTrusted: true;
      /** ms since the epoch. */
      readonly expiresAt: number;
      /** DER, in base64. */
      readonly base64: string;
    };

/** What was agreed in a connection's handshake. */
export interface TlsTerms {
  /** The policy of the site that the server name belongs to. */
  readonly policy: TlsPolicy | null;
  readonly clientCertificate: ClientCertificate | null;
}

export type TlsRefusal =
  | 'misdirected'
  | 'tls-required'
  | 'client-certificate-missing'
  | 'client-certificate-invalid';

export function tlsPolicyOf({ minTlsVersion, clientCertificates }: Site): TlsPolicy | null {
  return minTlsVersion === '1.2' && clientCertificates === null
    ? null
    : { minTlsVersion, clientCertificates };
}

/** `terms` null: a plain connection. */
export function judgeTls(policy: TlsPolicy | null, terms: TlsTerms | null, now: number): TlsRefusal | null {
  if (terms === null) return isRequired(policy) ? 'tls-required' : null;
  if (!isSamePolicy(policy, terms.policy)) return 'misdirected';
  if (!isRequired(policy) || trustedCertificate(terms, now) !== null) return null;
  return terms.clientCertificate === null ? 'client-certificate-missing' : 'client-certificate-invalid';
}

/** The client's certificate in base64, if the site's authorities vouch for it now. */
export function trustedCertificate(terms: TlsTerms | null, now: number): string | null {
  const certificate = terms?.clientCertificate ?? null;
  return certificate?.isTrusted && now < certificate.expiresAt ? certificate.base64 : null;
}

/** Whether the origin may be told who the client is: its answer may then be for that client alone. */
export function showsCertificate(terms: TlsTerms | null): boolean {
  return terms !== null && terms.clientCertificate?.isTrusted === true;
}

function isRequired(policy: TlsPolicy | null): boolean {
  return policy?.clientCertificates?.mode === 'require';
}

function isSamePolicy(a: TlsPolicy | null, b: TlsPolicy | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.minTlsVersion !== b.minTlsVersion) return false;
  const [one, other] = [a.clientCertificates, b.clientCertificates];
  return one?.mode === other?.mode && one?.authoritiesPem === other?.authoritiesPem;
}
