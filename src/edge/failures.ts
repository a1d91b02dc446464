/**
 * When no response came from the origin: what the client is told (RFC 9209 Proxy-Status) and what the log. The
 * page says what kind of failure it was; addresses and causes stay in the log, because an origin's address
 * is the way around its protection.
 */
import { formatProxyStatus } from '#core/http/proxy-status.ts';
import { CACHE_NAME } from './names.ts';
import { OriginFailure, type OriginFailureType } from './origin/origin-client.ts';
import type { PageText } from './pages.ts';
import { MALFORMED_REQUEST_TEXT, originFailureText } from './pages.ts';

interface FailureKind {
  readonly status: number;
  /** Finishes "The site's origin …". */
  readonly phrase: string;
  /** Whether the connection could not be made, so that another origin may be asked. */
  readonly isConnectFailure: boolean;
}

const KINDS: Readonly<Record<OriginFailureType, FailureKind>> = {
  dns_error: { status: 502, phrase: 'has a name that could not be resolved', isConnectFailure: true },
  connection_refused: { status: 502, phrase: 'refused the connection', isConnectFailure: true },
  connection_timeout: {
    status: 504,
    phrase: 'did not accept a connection in time',
    isConnectFailure: true,
  },
  connection_terminated: {
    status: 502,
    phrase: 'closed the connection before it answered',
    isConnectFailure: false,
  },
  connection_limit_reached: {
    status: 503,
    phrase: 'has as many connections open from here as it may',
    isConnectFailure: true,
  },
  connection_read_timeout: { status: 504, phrase: 'stopped sending', isConnectFailure: false },
  connection_write_timeout: { status: 504, phrase: 'stopped taking the request', isConnectFailure: false },
  destination_unavailable: { status: 502, phrase: 'could not be reached', isConnectFailure: true },
  tls_certificate_error: {
    status: 502,
    phrase: 'showed a certificate that is not trusted',
    isConnectFailure: true,
  },
  tls_protocol_error: {
    status: 502,
    phrase: 'could not agree with us on a secure connection',
    isConnectFailure: true,
  },
  http_response_incomplete: { status: 502, phrase: 'sent an incomplete answer', isConnectFailure: false },
  http_response_timeout: { status: 504, phrase: 'did not answer in time', isConnectFailure: false },
  http_protocol_error: {
    status: 502,
    phrase: 'sent an answer that cannot be understood',
    isConnectFailure: false,
  },
  http_response_header_section_size: {
    status: 502,
    phrase: 'sent an answer whose head is too large',
    isConnectFailure: false,
  },
  http_request_error: {
    status: 400,
    phrase: 'cannot be sent this request, because it is not well formed',
    isConnectFailure: false,
  },
  loop_detected: { status: 508, phrase: 'leads back to this server', isConnectFailure: false },
  proxy_internal_error: { status: 502, phrase: 'could not be asked', isConnectFailure: false },
};

export interface DescribedFailure {
  readonly type: OriginFailureType;
  readonly text: PageText;
  readonly proxyStatus: string;
}

/** What a rejected fetch means to a client. Anything but an `OriginFailure` is a fault of ours. */
export function describeFailure(error: unknown): DescribedFailure {
  const type = error instanceof OriginFailure ? error.type : 'proxy_internal_error';
  const { status, phrase } = KINDS[type];
  return {
    type,
    text: type === 'http_request_error' ? MALFORMED_REQUEST_TEXT : originFailureText(status, phrase),
    proxyStatus: formatProxyStatus(CACHE_NAME, { error: type }),
  };
}

/** Whether the failure allows asking the next origin: no connection was made, so nothing was processed. */
export function mayTryNextOrigin(error: unknown): boolean {
  return error instanceof OriginFailure && !error.mayHaveBeenProcessed && KINDS[error.type].isConnectFailure;
}
