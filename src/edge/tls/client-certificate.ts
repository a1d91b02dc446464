/** What a client showed of itself in a handshake that asked for its certificate (RFC 8446 §4.4.2). */
import type { ClientCertificate } from '#core/model/tls-policy.ts';
import { TLS_LIMITS } from './limits.ts';
import type { SecuredSocket } from './tls-engine.ts';

/** Null: nothing. */
export function readClientCertificate({
  isAuthorized,
  peerCertificate,
}: SecuredSocket): ClientCertificate | null {
  const certificate = peerCertificate();
  if (certificate === undefined) return null;
  const { raw, validTo } = certificate;
  if (!isAuthorized || raw.length > TLS_LIMITS.clientCertificateBytesMax) return { isTrusted: false };
  return { isTrusted: true, expiresAt: Date.parse(validTo), base64: raw.toString('base64') };
}
