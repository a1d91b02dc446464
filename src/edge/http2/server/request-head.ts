/**
 * The field section of a request, from decoded lines to `RequestHead`, or the name of the first fault (RFC
 * 9113 §8.1–§8.3, §8.5; RFC 8441 §4). What is malformed resets its stream; what is merely not served gets
 * the status that HTTP/1.1 would give it (`connection/request-refusal.ts`).
 */
import { Fields } from '#core/http/fields.ts';
import { parseAuthority } from '../../connection/authority.ts';
import { CHARACTER_CLASSES, isFieldValue, isToken, TARGET } from '../../connection/characters.ts';
import type { ConnectionLimits } from '../../connection/limits.ts';
import { isConnectionField } from '../../connection/message-form.ts';
import type { RequestHeadFault } from '../../connection/request-refusal.ts';
import type { RequestHead } from '../../exchange.ts';
import { isFieldName } from '../field-name.ts';

/** Faults that make a request malformed (RFC 9113 §8.1.1). */
export type MalformedFault =
  | 'pseudo-field-unknown'
  | 'pseudo-field-repeated'
  | 'pseudo-field-late'
  | 'pseudo-field-missing'
  | 'pseudo-field-excess'
  | 'scheme-invalid'
  | 'connection-field'
  | 'te-invalid'
  | 'host-contradiction'
  | 'upgrade-with-end';

export type RequestFault = RequestHeadFault | MalformedFault;

export interface ParsedRequest {
  readonly head: RequestHead;
  /** Null: not announced. */
  readonly contentLength: number | null;
  readonly expectsContinue: boolean;
  /** The Priority field, null without one. */
  readonly priority: string | null;
}

const COLON = 58;

/** Faults that are answered with a status, because the request is well formed but not one we serve. */
const ANSWERED: ReadonlySet<RequestFault> = new Set<RequestFault>([
  'method-connect',
  'method-too-long',
  'target-too-long',
  'target-scheme-mismatch',
  'content-length-too-large',
  'expectation-unknown',
  'fields-too-large',
  'fields-too-many',
]);

/** Whether it gets a status; else the request is malformed, and its stream is reset. */
export function isAnswered(fault: RequestFault): fault is RequestHeadFault {
  return ANSWERED.has(fault);
}

class PseudoFields {
  method: string | null = null;
  scheme: string | null = null;
  authority: string | null = null;
  path: string | null = null;
  protocol: string | null = null;

  set(name: string, value: string): MalformedFault | null {
    switch (name) {
      case ':method':
        if (this.method !== null) return 'pseudo-field-repeated';
        this.method = value;
        return null;
      case ':scheme':
        if (this.scheme !== null) return 'pseudo-field-repeated';
        this.scheme = value;
        return null;
      case ':authority':
        if (this.authority !== null) return 'pseudo-field-repeated';
        this.authority = value;
        return null;
      case ':path':
        if (this.path !== null) return 'pseudo-field-repeated';
        this.path = value;
        return null;
      case ':protocol':
        if (this.protocol !== null) return 'pseudo-field-repeated';
        this.protocol = value;
        return null;
      default:
        return 'pseudo-field-unknown';
    }
  }
}

/** What regular fields say of the message. */
class Framing {
  contentLength: number | null = null;
  expectsContinue = false;
  priority: string | null = null;
  host: string | null = null;
  #cookies = '';

  /** Takes a line into account; true: it is one of the fields passed on, false: it is kept apart, else a fault. */
  take(name: string, value: string): boolean | RequestFault {
    if (isConnectionField(name)) return 'connection-field';
    switch (name) {
      case 'te':
        return value.toLowerCase() === 'trailers' ? true : 'te-invalid';
      case 'host':
        if (this.host !== null) return 'host-repeated';
        this.host = value;
        return true;
      case 'content-length':
        return this.#takeLength(value);
      case 'expect':
        if (value.toLowerCase() !== '100-continue') return 'expectation-unknown';
        this.expectsContinue = true;
        return true;
      case 'priority':
        this.priority = this.priority === null ? value : `${this.priority}, ${value}`;
        return true;
      case 'cookie':
        // Split for the sake of compression; one line for everybody else (RFC 9113 §8.2.3).
        this.#cookies = this.#cookies === '' ? value : `${this.#cookies}; ${value}`;
        return false;
      default:
        return true;
    }
  }

  addCookies(flat: string[]): void {
    if (this.#cookies !== '') flat.push('cookie', this.#cookies);
  }

  #takeLength(value: string): boolean | RequestFault {
    if (this.contentLength !== null) return 'content-length-repeated';
    if (!/^[0-9]{1,16}$/.test(value)) return 'content-length-invalid';
    const length = Number(value);
    if (length > Number.MAX_SAFE_INTEGER) return 'content-length-invalid';
    this.contentLength = length;
    return true;
  }
}

/**
 * Reads decoded lines (name, value, …). `hasEnded`: the request has no body. `scheme` is the connection's.
 */
export function parseRequest(
  lines: readonly string[],
  hasEnded: boolean,
  scheme: 'http' | 'https',
  limits: ConnectionLimits,
): ParsedRequest | RequestFault {
  const pseudo = new PseudoFields();
  const framing = new Framing();
  const flat: string[] = [];
  let isRegular = false;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    if (!isFieldValue(value) || hasOuterSpace(value)) return 'field-value-control';
    if (name.charCodeAt(0) === COLON) {
      if (isRegular) return 'pseudo-field-late';
      const fault = pseudo.set(name, value);
      if (fault !== null) return fault;
      continue;
    }
    isRegular = true;
    if (!isFieldName(name)) return 'field-name-invalid';
    const taken = framing.take(name, value);
    if (taken === true) flat.push(name, value);
    else if (taken !== false) return taken;
  }
  framing.addCookies(flat);
  return assemble(pseudo, framing, new Fields(flat), hasEnded, scheme, limits);
}

function assemble(
  pseudo: PseudoFields,
  framing: Framing,
  fields: Fields,
  hasEnded: boolean,
  scheme: 'http' | 'https',
  limits: ConnectionLimits,
): ParsedRequest | RequestFault {
  const { method, path, protocol } = pseudo;
  if (method === null) return 'pseudo-field-missing';
  if (!isToken(method)) return 'method-invalid';
  const isTunnel = method === 'CONNECT' && protocol !== null;
  if (method === 'CONNECT' && protocol === null) return connectFault(pseudo);
  if (protocol !== null && (!isTunnel || !isToken(protocol))) return 'pseudo-field-excess';
  if (isTunnel && hasEnded) return 'upgrade-with-end';
  if (path === null || pseudo.scheme === null) return 'pseudo-field-missing';
  if (method.length > limits.methodBytesMax) return 'method-too-long';
  const targetFault = faultOfTarget(path, method, limits);
  if (targetFault !== null) return targetFault;
  const authority = authorityOf(pseudo.authority, framing.host);
  if (authority.fault !== null) return authority.fault;
  const named = pseudo.scheme.toLowerCase();
  if (named !== scheme)
    return named === 'http' || named === 'https' ? 'target-scheme-mismatch' : 'scheme-invalid';
  const { contentLength } = framing;
  if (contentLength !== null && contentLength > limits.requestBodyBytesMax) return 'content-length-too-large';
  if (contentLength !== null && contentLength > 0 && hasEnded) return 'content-length-invalid';
  return {
    head: {
      method: isTunnel ? 'GET' : method,
      target: path,
      authority: authority.value,
      httpVersion: '2',
      fields,
      upgrade: isTunnel ? (protocol as string).toLowerCase() : null,
    },
    contentLength,
    expectsContinue: framing.expectsContinue && !hasEnded,
    priority: framing.priority,
  };
}

/** CONNECT without :protocol asks for a TCP tunnel (RFC 9113 §8.5): well formed, and never served. */
function connectFault(pseudo: PseudoFields): RequestFault {
  if (pseudo.scheme !== null || pseudo.path !== null) return 'pseudo-field-excess';
  return pseudo.authority === null ? 'pseudo-field-missing' : 'method-connect';
}

function faultOfTarget(path: string, method: string, limits: ConnectionLimits): RequestFault | null {
  if (path.charCodeAt(0) !== 47 && !(path === '*' && method === 'OPTIONS')) return 'target-invalid';
  if (path.length > limits.targetBytesMax) return 'target-too-long';
  for (let i = 0; i < path.length; i += 1) {
    if (((CHARACTER_CLASSES[path.charCodeAt(i)] as number) & TARGET) === 0) return 'target-invalid';
  }
  return null;
}

type Authority = { readonly value: string; readonly fault: null } | { readonly fault: RequestFault };

/** :authority, or Host in its place; both must say the same (RFC 9113 §8.3.1). */
function authorityOf(pseudo: string | null, host: string | null): Authority {
  const named = pseudo ?? host;
  if (named === null) return { fault: 'host-missing' };
  const value = parseAuthority(named);
  if (value === null) return { fault: 'host-invalid' };
  if (pseudo !== null && host !== null && host !== pseudo && parseAuthority(host) !== value) {
    return { fault: 'host-contradiction' };
  }
  return { value, fault: null };
}

/** White space around a value, which RFC 9113 §8.2.1 forbids. */
function hasOuterSpace(value: string): boolean {
  if (value.length === 0) return false;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first === 32 || first === 9 || last === 32 || last === 9;
}

/** Trailer fields (RFC 9113 §8.1): no pseudo-fields, nothing of the connection; null when malformed. */
export function parseTrailers(lines: readonly string[]): Fields | null {
  const flat: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    if (!isFieldName(name) || !isFieldValue(value) || hasOuterSpace(value)) return null;
    if (isConnectionField(name)) return null;
    flat.push(name, value);
  }
  return new Fields(flat);
}
