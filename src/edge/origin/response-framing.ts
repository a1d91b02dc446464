/**
 * Where an origin's response ends, and what of its fields goes on (RFC 9112 §6.3, RFC 9110 §7.6.1).
 * Whatever two recipients might read differently either fails the response or costs it its connection,
 * so that no byte of one response is ever taken for another.
 *
 *   HEAD, 204, 304                         no content
 *   Transfer-Encoding: chunked             chunked; with Content-Length as well: that is dropped, no reuse
 *   Transfer-Encoding: compression         fault: it was never asked for and cannot be passed on
 *   Transfer-Encoding: any other           until the connection closes
 *   Content-Length, once or equal          that many bytes
 *   Content-Length, malformed or differing fault
 *   neither                                until the connection closes
 */
import { Fields, lowerCaseName } from '#core/http/fields.ts';
import { NameSet } from '#core/http/name-set.ts';
import { CONNECTION_FIELDS } from '../connection/message-form.ts';

export interface StatusLine {
  readonly minorVersion: 0 | 1;
  readonly status: number;
  readonly reason: string;
}

export interface ResponseFraming {
  readonly kind: 'none' | 'length' | 'chunked' | 'until-close';
  /** Bytes of content, when known. */
  readonly length: number | null;
  /** Whether it says its length in more than one way. */
  readonly isAmbiguous: boolean;
  /** Whether the connection may carry another request once this response has ended where it should. */
  readonly isReusable: boolean;
  /** Milliseconds the origin says it keeps an idle connection, or null. */
  readonly keepAliveMs: number | null;
  /** The end-to-end fields. */
  readonly fields: Fields;
}

export type FramingFault = 'content-length-invalid' | 'content-length-differs' | 'transfer-coding-unexpected';

const LENGTH = new NameSet(['content-length']);
const HOP_BY_HOP = new NameSet(['te', ...CONNECTION_FIELDS]);
/** Goes on only where trailer fields may follow. */
const TRAILER = new NameSet(['trailer']);

/** What nearly all say, read once and for all. */
const NO_TOKENS: readonly string[] = [];
const KEEP_ALIVE: readonly string[] = ['keep-alive'];
const CLOSE: readonly string[] = ['close'];
const CHUNKED: readonly string[] = ['chunked'];

const COMPRESSIONS: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress']);

/** Frames a final response to a request of `method`. */
export function frameResponse(
  method: string,
  line: StatusLine,
  received: Fields,
): ResponseFraming | FramingFault {
  const coding = received.get('transfer-encoding');
  const lengthField = received.get('content-length');
  const contentLength = lengthField === null ? null : parseContentLength(lengthField);
  if (typeof contentLength === 'string') return contentLength;

  const connection = received.get('connection');
  const tokens = connection === null ? NO_TOKENS : listTokens(connection);
  const isPersistent = line.minorVersion === 1 && !tokens.includes('close');
  const keepAliveMs = parseKeepAlive(received.get('keep-alive'));
  const hasNoContent = method === 'HEAD' || line.status === 204 || line.status === 304;

  const kind = hasNoContent ? 'none' : framingKind(coding, contentLength);
  if (kind === null) return 'transfer-coding-unexpected';
  const isAmbiguous = (coding !== null && lengthField !== null) || lengthField?.includes(',') === true;
  return {
    kind,
    length: kind === 'none' ? 0 : kind === 'length' ? contentLength : null,
    isAmbiguous,
    isReusable: isPersistent && !isAmbiguous && kind !== 'until-close',
    keepAliveMs,
    fields: endToEndFields(received, tokens, {
      // RFC 9110 §8.6: meaningless with 204, and untrue once a transfer coding has spoken.
      contentLength: coding === null && line.status !== 204 ? contentLength : null,
      keepsTrailer: kind === 'chunked',
    }),
  };
}

/** The fields of an interim response that go on. */
export function frameInterim(received: Fields): Fields {
  const connection = received.get('connection');
  return endToEndFields(received, connection === null ? NO_TOKENS : listTokens(connection), {
    contentLength: null,
    keepsTrailer: false,
  });
}

/** Whether a 101 switches to `protocol` and says so on its connection (RFC 9110 §7.8). */
export function switchesTo(protocol: string, received: Fields): boolean {
  const options = listTokens(received.get('connection') ?? '');
  const chosen = listTokens(received.get('upgrade') ?? '');
  return options.includes('upgrade') && chosen.length === 1 && chosen[0] === protocol;
}

/** Null when a coding stands there that this client did not ask for and cannot take off. */
function framingKind(
  coding: string | null,
  length: number | null,
): 'length' | 'chunked' | 'until-close' | null {
  if (coding === null) return length === null ? 'until-close' : 'length';
  const codings = listTokens(coding);
  if (codings.length === 1 && codings[0] === 'chunked') return 'chunked';
  if (codings.includes('chunked')) return null;
  return codings.some((name) => COMPRESSIONS.has(name)) ? null : 'until-close';
}

/** RFC 9112 §6.3 rule 5: one number, or the same one repeated. */
function parseContentLength(value: string): number | 'content-length-invalid' | 'content-length-differs' {
  const plain = plainNumber(value);
  if (plain >= 0) return plain;
  let length = -1;
  for (const part of value.split(',')) {
    const digits = part.trim();
    if (!/^[0-9]{1,16}$/.test(digits)) return 'content-length-invalid';
    const number = Number(digits);
    if (number > Number.MAX_SAFE_INTEGER) return 'content-length-invalid';
    if (length >= 0 && number !== length) return 'content-length-differs';
    length = number;
  }
  return length;
}

/** Of fifteen digits at most, so that it is exact; -1: something else stands there. */
function plainNumber(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let number = 0;
  for (let i = 0; i < value.length; i += 1) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** Milliseconds of `Keep-Alive: timeout=SECONDS`, or null. */
function parseKeepAlive(value: string | null): number | null {
  if (value === null) return null;
  const match = /(?:^|[,;\s])timeout\s*=\s*"?([0-9]{1,6})/i.exec(value);
  return match === null ? null : Number(match[1]) * 1_000;
}

function listTokens(value: string): readonly string[] {
  if (value === 'keep-alive') return KEEP_ALIVE;
  if (value === 'close') return CLOSE;
  if (value === 'chunked') return CHUNKED;
  return value
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** One pass over the lines; Content-Length is written anew, as it was understood. */
function endToEndFields(
  received: Fields,
  listed: readonly string[],
  keep: { readonly contentLength: number | null; readonly keepsTrailer: boolean },
): Fields {
  const flat: string[] = [];
  let isLengthWritten = false;
  const size = received.size;
  for (let i = 0; i < size; i += 1) {
    const name = received.nameAt(i);
    if (LENGTH.has(name)) {
      if (keep.contentLength !== null && !isLengthWritten) flat.push(name, String(keep.contentLength));
      isLengthWritten = true;
    } else if (!isHopByHop(name, keep.keepsTrailer) && !isListed(name, listed)) {
      flat.push(name, received.valueAt(i));
    }
  }
  return new Fields(flat);
}

function isHopByHop(name: string, keepsTrailer: boolean): boolean {
  return HOP_BY_HOP.has(name) || (!keepsTrailer && TRAILER.has(name));
}

/** Whether the Connection field names it. "keep-alive" alone names what is left out anyway. */
function isListed(name: string, listed: readonly string[]): boolean {
  return listed !== NO_TOKENS && listed !== KEEP_ALIVE && listed.includes(lowerCaseName(name));
}
