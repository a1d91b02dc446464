/**
 * Why a request is refused before the road sees it, and with which status. The names go into counters;
 * the answer carries them too, so that whoever sent the request can mend it.
 */
import type { ChunkedFault } from '../http1/chunked-decoder.ts';
import type { FieldLinesFault } from '../http1/field-lines.ts';

export type RequestHeadFault =
  | FieldLinesFault
  | 'line-bare-lf'
  | 'line-bare-cr'
  | 'line-too-long'
  | 'method-invalid'
  | 'method-too-long'
  | 'method-connect'
  | 'target-invalid'
  | 'target-too-long'
  | 'target-scheme-mismatch'
  | 'version-invalid'
  | 'version-unsupported'
  | 'host-missing'
  | 'host-repeated'
  | 'host-invalid'
  | 'content-length-invalid'
  | 'content-length-repeated'
  | 'content-length-too-large'
  | 'content-length-with-transfer-encoding'
  | 'transfer-encoding-invalid'
  | 'transfer-encoding-repeated'
  | 'transfer-encoding-unsupported'
  | 'transfer-encoding-in-http-1.0'
  | 'expectation-unknown';

export type RequestBodyFaultName =
  | ChunkedFault
  | 'body-too-large'
  | 'body-too-slow'
  | 'body-incomplete'
  | 'body-cancelled';

export type RequestRefusal = RequestHeadFault | 'head-too-slow';

/** Whatever is not listed is malformed: 400. */
const STATUS_OF: Partial<Record<RequestRefusal | RequestBodyFaultName, number>> = {
  'fields-too-large': 431,
  'fields-too-many': 431,
  'line-too-long': 414,
  'target-too-long': 414,
  'method-too-long': 501,
  'method-connect': 501,
  'target-scheme-mismatch': 421,
  'version-unsupported': 505,
  'content-length-too-large': 413,
  'transfer-encoding-unsupported': 501,
  'expectation-unknown': 417,
  'head-too-slow': 408,
  'body-too-large': 413,
  'body-too-slow': 408,
};

export function refusalStatus(refusal: RequestRefusal | RequestBodyFaultName): number {
  return STATUS_OF[refusal] ?? 400;
}

/**
 * Rejection of reading a request body that did not arrive whole. `status` is the answer it deserves, when
 * none was begun; the connection is closed after it.
 */
export class RequestBodyFault extends Error {
  readonly fault: RequestBodyFaultName;
  readonly status: number;

  constructor(fault: RequestBodyFaultName) {
    super(`the request body did not arrive whole: ${fault}`);
    this.name = 'RequestBodyFault';
    this.fault = fault;
    this.status = refusalStatus(fault);
  }
}
