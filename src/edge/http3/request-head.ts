/**
 * A request as Bun gives it, checked as strictly as over the other versions (RFC 9114 §4.2, §4.3), or the name of
 * the first fault. What Bun has changed by then cannot be undone, only kept from doing harm:
 *
 * - The target has been through a WHATWG URL parser: dot segments resolved, "\" made "/", tabs removed, spaces and
 *   other characters and bytes percent-encoded. Origin and cache key see that form alike, so no spelling can store
 *   the answer of one target under another.
 * - A method Bun does not know arrives as GET. It is told from a GET by having a body, and refused.
 * - :authority takes the place of Host; lines of one name are joined.
 */
import { Fields } from '#core/http/fields.ts';
import { parseAuthority } from '../connection/authority.ts';
import { CHARACTER_CLASSES, isFieldValue, TARGET } from '../connection/characters.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { isConnectionField } from '../connection/message-form.ts';
import { type RequestHeadFault, refusalStatus } from '../connection/request-refusal.ts';
import type { RequestHead } from '../exchange.ts';

export type Http3RequestFault = RequestHeadFault | 'connection-field' | 'te-invalid' | 'method-unknown';

export function statusOf(fault: Http3RequestFault): number {
  switch (fault) {
    case 'method-unknown':
      return 501;
    case 'connection-field':
    case 'te-invalid':
      return 400;
    default:
      return refusalStatus(fault);
  }
}

export interface ParsedRequest {
  readonly head: RequestHead;
  /** Null: not announced. */
  readonly contentLength: number | null;
}

const SCHEME = 'https://';
const DEFAULT_PORT = ':443';
/** What a field line costs in a head beside its name and value: ": " CRLF. */
const LINE_OVERHEAD = 4;

export function parseRequest(request: Request, limits: ConnectionLimits): ParsedRequest | Http3RequestFault {
  const { method, headers } = request;
  if ((method === 'GET' || method === 'HEAD') && request.body !== null) return 'method-unknown';
  if (method === 'CONNECT') return 'method-connect';
  const flat: string[] = [];
  let bytes = 0;
  let contentLength: number | null = null;
  for (const [name, value] of headers) {
    bytes += name.length + value.length + LINE_OVERHEAD;
    if (!isFieldValue(value)) return 'field-value-control';
    const fault = faultOfField(name, value);
    if (fault !== null) return fault;
    if (name === 'content-length') {
      if (!/^[0-9]{1,15}$/.test(value)) return 'content-length-invalid';
      contentLength = Number(value);
    }
    flat.push(name, value);
  }
  if (flat.length > 2 * limits.fieldLinesMax) return 'fields-too-many';
  if (bytes > limits.headBytesMax) return 'fields-too-large';
  if (contentLength !== null && contentLength > limits.requestBodyBytesMax) return 'content-length-too-large';
  const host = headers.get('host');
  if (host === null) return 'host-missing';
  const authority = parseAuthority(host);
  if (authority === null) return 'host-invalid';
  const target = targetOf(request.url, authority, method);
  if (target === null) return 'target-invalid';
  if (target.length > limits.targetBytesMax) return 'target-too-long';
  const fields = new Fields(flat);
  return { head: { method, target, authority, httpVersion: '3', fields, upgrade: null }, contentLength };
}

/** Fields of a connection, which HTTP/3 does not have (RFC 9114 §4.2), and expectations nobody knows. */
function faultOfField(name: string, value: string): Http3RequestFault | null {
  if (isConnectionField(name)) return 'connection-field';
  switch (name) {
    case 'te':
      return value.toLowerCase() === 'trailers' ? null : 'te-invalid';
    case 'expect':
      return value.toLowerCase() === '100-continue' ? null : 'expectation-unknown';
    default:
      return null;
  }
}

/**
 * Path and query of the URL that Bun made of :authority and :path. Null when it is not an URL of this authority:
 * :path was none, or named another host, or parsers differ on what the authority is.
 */
function targetOf(url: string, authority: string, method: string): string | null {
  if (url === '*') return method === 'OPTIONS' ? url : null;
  const named = authority.endsWith(DEFAULT_PORT) ? authority.slice(0, -DEFAULT_PORT.length) : authority;
  const start = SCHEME.length + named.length;
  if (!url.startsWith(SCHEME) || !url.startsWith(named, SCHEME.length) || url[start] !== '/') return null;
  const target = url.slice(start);
  for (let i = 0; i < target.length; i += 1) {
    const code = target.charCodeAt(i);
    if (code > 255 || ((CHARACTER_CLASSES[code] as number) & TARGET) === 0) return null;
  }
  return target;
}
