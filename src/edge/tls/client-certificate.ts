/** What a client showed of itself in a handshake that asked for its certificate (RFC 8446 §4.4.2). */
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '#core/model/tls-policy.ts';
import { TLS_LIMITS } from './limits.ts';

/** In a resumed session it is what the client showed when the session began. Null: nothing. */
export function readClientCertificate(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const { raw, validTo } = certificate;
  if (!socket.authorized || raw.length > TLS_LIMITS.clientCertificateBytesMax) return { isTrusted: false };
  return { isTrusted: true, expiresAt: Date.parse(validTo), base64: raw.toString('base64') };
}
