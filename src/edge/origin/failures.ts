/** Maps errors of sockets, TLS and name lookups to the error types of RFC 9209 §2.3. */
import { errorMessage } from '#core/base/error-message.ts';
import { OriginFailure, type OriginFailureType } from './origin-client.ts';

const BY_CODE: Readonly<Record<string, OriginFailureType>> = {
  ECONNREFUSED: 'connection_refused',
  ETIMEDOUT: 'connection_timeout',
  ECONNRESET: 'connection_terminated',
  EPIPE: 'connection_terminated',
  ECONNABORTED: 'connection_terminated',
  EHOSTUNREACH: 'destination_unavailable',
  ENETUNREACH: 'destination_unavailable',
  EHOSTDOWN: 'destination_unavailable',
  ENETDOWN: 'destination_unavailable',
  EADDRNOTAVAIL: 'destination_unavailable',
  EACCES: 'destination_unavailable',
  EMFILE: 'connection_limit_reached',
  ENFILE: 'connection_limit_reached',
};

/** The names OpenSSL and BoringSSL give to reasons of not trusting a certificate. */
const CERTIFICATE_CODE =
  /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY|DECODE|DECRYPT)|ALTNAME|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH|CRL/;

function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** A failure to reach `where`, before any byte of a request was written. */
export function connectFailure(error: unknown, where: string, isTlsBegun: boolean): OriginFailure {
  const code = errorCode(error);
  const detail = `${where}: ${errorMessage(error)}`;
  return new OriginFailure(connectFailureType(code, isTlsBegun), detail, false, { cause: error });
}

function connectFailureType(code: string, isTlsBegun: boolean): OriginFailureType {
  if (!isTlsBegun) return BY_CODE[code] ?? 'destination_unavailable';
  if (CERTIFICATE_CODE.test(code)) return 'tls_certificate_error';
  return code === 'ETIMEDOUT' ? 'connection_timeout' : 'tls_protocol_error';
}

/** A connection lost after it was made; `error` null when the origin just closed it. */
export function lostConnection(error: unknown, where: string, mayHaveBeenProcessed: boolean): OriginFailure {
  const detail =
    error === null
      ? `${where} closed the connection without a response`
      : `connection to ${where} lost: ${errorMessage(error)}`;
  return new OriginFailure('connection_terminated', detail, mayHaveBeenProcessed, { cause: error });
}
