/**
 * Writes a request's head (RFC 9112 §3, §5). The client owns the framing: Content-Length,
 * Transfer-Encoding and Connection of the fields given are left out and its own are written. Nothing that
 * could end a line early is ever sent: that would let one request smuggle another.
 */
import { type Fields, lowerCaseName } from '#core/http/fields.ts';
import { NameSet } from '#core/http/name-set.ts';
import { forwardedTrailers } from '#core/http/trailers.ts';
import { CHARACTER_CLASSES, isFieldValue, isToken, TARGET } from '../connection/characters.ts';
import { LineBeginnings } from '../http1/line-beginnings.ts';
import { OriginFailure, type OriginRequest } from './origin-client.ts';

/** Fields about this connection alone (RFC 9110 §7.6.1), or written by this client. */
const NOT_FORWARDED: readonly string[] = [
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'http2-settings',
  // The edge answers the user's expectation itself and sends the body at once (RFC 9110 §10.1.1).
  'expect',
];
const LEFT_OUT = new NameSet(NOT_FORWARDED);
/** Announces trailer fields, where there are some. */
const TRAILER = new NameSet(['trailer']);
/** Of the names that are always sent; the others are looked at one by one. */
const BEGINNINGS = new LineBeginnings(new NameSet([...NOT_FORWARDED, 'trailer']));

/** Methods whose requests say "no content" explicitly (RFC 9110 §8.6). */
const EXPECTS_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function refuse(detail: string): never {
  throw new OriginFailure('http_request_error', detail, false);
}

function isTarget(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 255 || ((CHARACTER_CLASSES[code] as number) & TARGET) === 0) return false;
  }
  return text.length > 0;
}

/** Throws `OriginFailure` when the request, apart from its fields, may not be sent. */
export function checkRequest({ method, target, body, upgrade }: OriginRequest, host: string): void {
  if (!isToken(method)) refuse('the method is no token');
  if (method === 'CONNECT') refuse('CONNECT is not forwarded');
  if (!isTarget(target)) refuse('the request target has characters that may not be sent');
  if (!isFieldValue(host)) refuse('the Host has characters that may not be sent');
  if (upgrade !== undefined && (body !== null || !isFieldValue(upgrade)))
    refuse('no such switch can be asked for');
}

/** The whole head as latin1 text, up to and including the empty line. Throws `OriginFailure` for what may not be sent. */
export function writeRequestHead(request: OriginRequest, host: string): string {
  const { method, target, fields, body, upgrade } = request;
  checkRequest(request, host);
  let head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`;
  const isChunked = body !== null && body.length === null;
  head += writeFieldLines(fields, isChunked);
  if (isChunked) head += 'Transfer-Encoding: chunked\r\n';
  else if (body !== null) head += `Content-Length: ${body.length}\r\n`;
  else if (EXPECTS_CONTENT.has(method)) head += 'Content-Length: 0\r\n';
  if (upgrade !== undefined) head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
  return `${head}\r\n`;
}

/** Whether a field goes on. Throws `OriginFailure` when it should and may not be sent. */
function isSent(name: string, value: string, hasTrailers: boolean): boolean {
  if (LEFT_OUT.has(name) || (!hasTrailers && TRAILER.has(name))) return false;
  if (!isToken(name)) refuse('a field name is no token');
  checkValue(name, value);
  return true;
}

function checkValue(name: string, value: string): void {
  if (!isFieldValue(value)) refuse(`the value of ${name} has characters that may not be sent`);
}

function writeFieldLines(fields: Fields, isChunked: boolean): string {
  const parts: string[] = [];
  const size = fields.size;
  for (let i = 0; i < size; i += 1) {
    const name = fields.nameAt(i);
    const value = fields.valueAt(i);
    const beginning = BEGINNINGS.of(name);
    if (beginning !== '') {
      checkValue(name, value);
      parts.push(beginning, value, '\r\n');
    } else if (isSent(name, value, isChunked)) {
      parts.push(name, ': ', value, '\r\n');
    }
  }
  return parts.join('');
}

/** The same lines as (name in lower case, value), without white space around values (RFC 9113 §8.2.1). */
export function forwardedLines({ fields, body }: OriginRequest): (readonly [string, string])[] {
  const lines: (readonly [string, string])[] = [];
  for (const [name, value] of fields) {
    if (!isSent(name, value, body !== null && body.length === null)) continue;
    lines.push([lowerCaseName(name), value.trim()]);
  }
  return lines;
}

/** The end of a chunked body: last chunk, trailer section, empty line. */
export function writeLastChunk(trailers: Fields | null): string {
  if (trailers === null) return '0\r\n\r\n';
  let lines = '0\r\n';
  for (const [name, value] of sentTrailers(trailers)) lines += `${name}: ${value}\r\n`;
  return `${lines}\r\n`;
}

/** The trailer fields that go on. Throws `OriginFailure` for what may not be sent. */
export function sentTrailers(trailers: Fields): Fields {
  const sent = forwardedTrailers(trailers);
  for (const [name, value] of sent) {
    if (!isToken(name) || !isFieldValue(value)) refuse('a trailer field has characters that may not be sent');
  }
  return sent;
}
