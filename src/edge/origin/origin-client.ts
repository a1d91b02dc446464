/**
 * How the road asks an origin: one request, one response whose body is pulled. The HTTP/1.1 client
 * (`http1-client.ts`) implements it; an HTTP/2 client can join later.
 */
import type { Fields } from '#core/http/fields.ts';
import type { Origin } from '#core/model/site.ts';
import type { BodySource, Tunnel } from '../exchange.ts';

export interface OriginRequest {
  readonly origin: Origin;
  readonly method: string;
  /** Request target as it goes on the wire. */
  readonly target: string;
  /** End-to-end fields with Host, Via, CDN-Loop already set by the road; framing fields are the client's. */
  readonly fields: Fields;
  readonly body: BodySource | null;
  /** Interim responses of the origin, passed on by the road. */
  readonly onInform?: (status: number, fields: Fields) => void;
  /** Protocol to ask the origin to switch to (RFC 9110 §7.8), in lower case; the request has no body then. */
  readonly upgrade?: string;
}

/** The connection behind a 101, with nothing between. */
export interface OriginTunnel extends Tunnel {
  /** Called once when the connection is lost before both directions have ended. Only one listener. */
  whenLost(listener: () => void): void;
}

export interface OriginResponse {
  readonly status: number;
  readonly reason: string;
  /** As received, hop-by-hop fields removed. */
  readonly fields: Fields;
  readonly body: BodySource;
  /**
   * Whether two recipients might see its end in different places: it is framed in two ways, or ends where a TLS
   * connection does, of which nobody can say whether it was closed or cut. To be passed on, and not to be kept.
   */
  readonly isEndDoubtful?: boolean;
  /** Only with 101, which comes only where an upgrade was asked for: what follows, its source being `body`. */
  readonly tunnel?: OriginTunnel;
  /** Milliseconds since the epoch: request sent, head received. */
  readonly requestedAt: number;
  readonly respondedAt: number;
}

/** Why no response came: the error types of RFC 9209 §2.3 that can happen here. */
export type OriginFailureType =
  | 'dns_error'
  | 'connection_refused'
  | 'connection_timeout'
  | 'connection_terminated'
  | 'connection_limit_reached'
  | 'connection_read_timeout'
  | 'connection_write_timeout'
  | 'destination_unavailable'
  | 'tls_certificate_error'
  | 'tls_protocol_error'
  | 'http_response_incomplete'
  | 'http_response_timeout'
  | 'http_protocol_error'
  | 'http_response_header_section_size'
  | 'http_request_error'
  | 'loop_detected'
  | 'proxy_internal_error';

/** Rejection of `fetch` and of body reads. `detail` is for the log and Proxy-Status details; no secrets. */
export class OriginFailure extends Error {
  readonly type: OriginFailureType;
  /** Whether the origin may have begun to process the request (so it must not be sent again if unsafe). */
  readonly mayHaveBeenProcessed: boolean;

  constructor(
    type: OriginFailureType,
    detail: string,
    mayHaveBeenProcessed: boolean,
    options?: { cause?: unknown },
  ) {
    super(detail, options);
    this.name = 'OriginFailure';
    this.type = type;
    this.mayHaveBeenProcessed = mayHaveBeenProcessed;
  }
}

export interface OriginClient {
  /** Resolves with the final response's head; rejects with `OriginFailure`. `signal` gives up. */
  fetch(request: OriginRequest, signal?: AbortSignal): Promise<OriginResponse>;
  close(): Promise<void>;
}
