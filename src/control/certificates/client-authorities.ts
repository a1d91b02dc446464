/**
 * The authorities whose certificates a site takes from its users, as an operator writes them: checked here, once,
 * so that every edge can rely on them, and brought into one form without whatever stood around them.
 */
// The next line brings what x509's own dependencies expect of the runtime, and must come first.
import 'reflect-metadata';
import { BasicConstraintsExtension, X509Certificate } from '@peculiar/x509';
import { SITE_LIMITS } from '#core/model/site.ts';

export type ClientAuthorities =
  | { readonly ok: true; readonly authoritiesPem: string }
  | { readonly ok: false; readonly problem: string };

const LABEL = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g;

/** `now`: ms since the epoch. */
export function readClientAuthorities(pem: string, now: number): ClientAuthorities {
  const labels = [...pem.matchAll(LABEL)].map(([, label = '']) => label);
  const bodies = [...pem.matchAll(CERTIFICATE)].map(([, body = '']) => body);
  const blocks: string[] = [];
  const problem = problemOfLabels(labels) ?? (bodies.length === labels.length ? null : CUT_OFF);
  if (problem !== null) return { ok: false, problem };
  for (const [index, body] of bodies.entries()) {
    const certificate = parse(body);
    const flaw = certificate === null ? 'cannot be read' : flawOf(certificate, now);
    if (certificate === null || flaw !== null) {
      return { ok: false, problem: `certificate ${index + 1} of ${bodies.length} ${flaw}` };
    }
    blocks.push(`${certificate.toString('pem')}\n`);
  }
  return { ok: true, authoritiesPem: blocks.join('') };
}

const CUT_OFF = 'has a certificate that is cut off, or holds what is not base64';

function problemOfLabels(labels: readonly string[]): string | null {
  if (labels.some((label) => label.endsWith('PRIVATE KEY'))) {
    return 'holds a private key, which belongs to its owner alone: give the certificates without it';
  }
  const other = labels.find((label) => label !== 'CERTIFICATE');
  if (other !== undefined) return `holds "${other}"; only "CERTIFICATE" is understood`;
  const most = SITE_LIMITS.clientAuthoritiesMax;
  if (labels.length > most)
    return `holds ${labels.length} certificates, and ${most} is the most there may be`;
  return labels.length === 0 ? 'holds no certificate' : null;
}

function parse(base64: string): X509Certificate | null {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    return null;
  }
}

function flawOf(certificate: X509Certificate, now: number): string | null {
  const name = certificate.subject.slice(0, 200);
  const constraints = certificate.getExtension(BasicConstraintsExtension);
  if (constraints?.ca !== true) return `(${name}) is not the certificate of an authority`;
  if (certificate.notAfter.getTime() <= now) {
    return `(${name}) ran out on ${certificate.notAfter.toISOString().slice(0, 10)}`;
  }
  return null;
}
