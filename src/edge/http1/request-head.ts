/**
 * The head of a request, from latin1 text to `RequestHead` and its framing, or the name of the first
 * fault (RFC 9112 §2–§6, RFC 9110 §7.2, §10.1.1). Strict wherever two recipients could read the same
 * bytes differently; the target is kept byte for byte. Reading the body is `request-body.ts`'s.
 */
import { type Fields, lowerCaseName } from '#core/http/fields.ts';
import { parseAuthority } from '../connection/authority.ts';
import { CHARACTER_CLASSES, DIGIT, isToken, TARGET, TOKEN } from '../connection/characters.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import type { RequestHeadFault } from '../connection/request-refusal.ts';
import type { RequestHead } from '../exchange.ts';
import { parseFieldLines } from './field-lines.ts';

export interface ParsedRequest {
  readonly head: RequestHead;
  /** Content-Length, `BODY_NONE` or `BODY_CHUNKED`. */
  readonly bodyLength: number;
  /** Whether the client waits for 100 (Continue) before it sends its body. */
  readonly expectsContinue: boolean;
  /** Whether the client wishes the connection to persist (RFC 9112 §9.3). */
  readonly isPersistent: boolean;
}

export const BODY_NONE = 0;
export const BODY_CHUNKED = -1;

const SPACE = 32;
const SLASH = 47;
const CR = 13;
const LF = 10;
const LOWER_CASE_BIT = 0x20;
const LETTER_C = 0x63;
const LETTER_E = 0x65;
const LETTER_H = 0x68;
const LETTER_T = 0x74;
const LETTER_U = 0x75;

/** Offers that are passed over, as RFC 9110 §7.8 allows: what follows would be requests that nobody looks at. */
const HTTP_OFFER = /^(?:h2c?|h3|http|tls)(?:\/|$)/;

/**
 * Reads the head in `text.slice(from, end)`, `end` being behind the empty line. `scheme` is the
 * connection's: an absolute-form target must name it (RFC 9110 §7.4).
 */
export function parseRequestHead(
  text: string,
  from: number,
  end: number,
  scheme: 'http' | 'https',
  limits: ConnectionLimits,
): ParsedRequest | RequestHeadFault {
  let at = from;
  let method: string;
  if (text.startsWith('GET ', from)) {
    method = 'GET';
    at = from + 4;
  } else {
    at = tokenEnd(text, from, end);
    if (at === from) return 'method-invalid';
    if (text.charCodeAt(at) !== SPACE) return lineFault(text, at, 'method-invalid');
    if (at - from > limits.methodBytesMax) return 'method-too-long';
    method = text.slice(from, at);
    if (method === 'CONNECT') return 'method-connect';
    at += 1;
  }
  const targetEnd = visibleEnd(text, at, end);
  if (targetEnd === at || text.charCodeAt(targetEnd) !== SPACE) {
    return lineFault(text, targetEnd, 'target-invalid');
  }
  if (targetEnd - at > limits.targetBytesMax) return 'target-too-long';
  const target = text.slice(at, targetEnd);
  const lineEnd = targetEnd + 9;
  const isHttp11 = text.startsWith('HTTP/1.1\r\n', targetEnd + 1);
  if (!isHttp11 && !text.startsWith('HTTP/1.0\r\n', targetEnd + 1)) return versionFault(text, targetEnd + 1);

  const fields = parseFieldLines(text, lineEnd + 2, end - 2, {
    bytesMax: limits.headBytesMax,
    linesMax: limits.fieldLinesMax,
    repairsResponses: false,
  });
  if (typeof fields === 'string') return fields;
  const framing = new Framing();
  framing.read(fields);
  let authority = '';
  if (text.charCodeAt(at) !== SLASH) {
    const named = authorityOfTarget(target, method, scheme);
    if (named === null) return targetFault(target, scheme);
    authority = named;
  }
  const fault = framing.fault(isHttp11, limits);
  if (fault !== null) return fault;
  if (authority === '') authority = framing.authority;
  const upgrade = isHttp11 && method === 'GET' ? framing.upgrade : null;
  return {
    head: { method, target, authority, httpVersion: isHttp11 ? '1.1' : '1.0', fields, upgrade },
    bodyLength: framing.bodyLength,
    expectsContinue: framing.expectsContinue && isHttp11 && framing.bodyLength !== BODY_NONE,
    isPersistent: !framing.asksClose && (isHttp11 || framing.asksKeepAlive),
  };
}

function tokenEnd(text: string, from: number, end: number): number {
  let i = from;
  while (i < end && ((CHARACTER_CLASSES[text.charCodeAt(i)] as number) & TOKEN) !== 0) i += 1;
  return i;
}

function visibleEnd(text: string, from: number, end: number): number {
  let i = from;
  while (i < end && ((CHARACTER_CLASSES[text.charCodeAt(i)] as number) & TARGET) !== 0) i += 1;
  return i;
}

/** Names what stands at `at` where it should not: a stray line end, or else `otherwise`. */
function lineFault(text: string, at: number, otherwise: RequestHeadFault): RequestHeadFault {
  const code = text.charCodeAt(at);
  if (code === LF) return 'line-bare-lf';
  return code === CR && text.charCodeAt(at + 1) !== LF ? 'line-bare-cr' : otherwise;
}

/** A well-formed version we do not speak is not the same as no version. */
function versionFault(text: string, at: number): RequestHeadFault {
  if (!text.startsWith('HTTP/', at)) return lineFault(text, at, 'version-invalid');
  if (!isDigit(text, at + 5) || text.charCodeAt(at + 6) !== 46 || !isDigit(text, at + 7)) {
    return 'version-invalid';
  }
  if (text.charCodeAt(at + 8) !== CR) return lineFault(text, at + 8, 'version-invalid');
  if (text.charCodeAt(at + 9) !== LF) return 'line-bare-cr';
  return 'version-unsupported';
}

function isDigit(text: string, at: number): boolean {
  return ((CHARACTER_CLASSES[text.charCodeAt(at)] as number) & DIGIT) !== 0;
}

/**
 * The authority an absolute-form target names, '' for asterisk-form, null for none of both. Its authority
 * wins over Host (RFC 9112 §3.2.2).
 */
function authorityOfTarget(target: string, method: string, scheme: 'http' | 'https'): string | null {
  if (target === '*') return method === 'OPTIONS' ? '' : null;
  const prefix = `${scheme}://`;
  if (target.slice(0, prefix.length).toLowerCase() !== prefix) return null;
  let end = prefix.length;
  while (end < target.length && target[end] !== '/' && target[end] !== '?') end += 1;
  return parseAuthority(target.slice(prefix.length, end));
}

function targetFault(target: string, scheme: 'http' | 'https'): RequestHeadFault {
  const other = scheme === 'http' ? 'https://' : 'http://';
  return target.slice(0, other.length).toLowerCase() === other ? 'target-scheme-mismatch' : 'target-invalid';
}

/** What the fields say of the message's length and of the connection. */
class Framing {
  authority = '';
  bodyLength = BODY_NONE;
  expectsContinue = false;
  asksClose = false;
  asksKeepAlive = false;
  #asksUpgrade = false;
  #offer: string | null = null;
  #offers = 0;
  #hosts = 0;
  #lengths = 0;
  #codings = 0;
  #coding = '';
  #hasBadLength = false;
  #hasBadHost = false;
  #hasUnknownExpectation = false;

  read(fields: Fields): void {
    for (let i = 0, count = fields.size; i < count; i += 1) {
      const name = fields.nameAt(i);
      // Length and first letter rule out nearly all names before one is compared.
      const first = name.charCodeAt(0) | LOWER_CASE_BIT;
      switch (name.length) {
        case 4:
          if (first === LETTER_H && (name === 'Host' || lowerCaseName(name) === 'host')) {
            this.#readHost(fields.valueAt(i));
          }
          break;
        case 6:
          if (first === LETTER_E && lowerCaseName(name) === 'expect')
            this.#readExpectation(fields.valueAt(i));
          break;
        case 7:
          if (first === LETTER_U && lowerCaseName(name) === 'upgrade') {
            this.#offers += 1;
            this.#offer = fields.valueAt(i).toLowerCase();
          }
          break;
        case 10:
          if (first === LETTER_C && lowerCaseName(name) === 'connection') {
            this.#readConnection(fields.valueAt(i));
          }
          break;
        case 14:
          if (first === LETTER_C && lowerCaseName(name) === 'content-length') {
            this.#readLength(fields.valueAt(i));
          }
          break;
        case 17:
          if (first === LETTER_T && lowerCaseName(name) === 'transfer-encoding') {
            this.#codings += 1;
            this.#coding = fields.valueAt(i).toLowerCase();
          }
          break;
        default:
      }
    }
    if (this.#codings > 0) this.bodyLength = BODY_CHUNKED;
  }

  /** The one protocol offered; null where there is none to switch to, several to choose from, or a body first. */
  get upgrade(): string | null {
    const offer = this.#offer;
    if (offer === null || !this.#asksUpgrade || this.#offers > 1 || this.bodyLength !== BODY_NONE)
      return null;
    return isProtocol(offer) && !HTTP_OFFER.test(offer) ? offer : null;
  }

  /** The first thing wrong, in the order of what endangers others most. */
  fault(isHttp11: boolean, limits: ConnectionLimits): RequestHeadFault | null {
    if (this.#codings > 0) {
      if (this.#lengths > 0) return 'content-length-with-transfer-encoding';
      if (!isHttp11) return 'transfer-encoding-in-http-1.0';
      if (this.#codings > 1) return 'transfer-encoding-repeated';
      if (this.#coding !== 'chunked') return codingFault(this.#coding);
    }
    if (this.#lengths > 1) return 'content-length-repeated';
    if (this.#hasBadLength) return 'content-length-invalid';
    if (this.#hosts > 1) return 'host-repeated';
    if (this.#hosts === 0 && isHttp11) return 'host-missing';
    if (this.#hasBadHost) return 'host-invalid';
    if (this.#hasUnknownExpectation && isHttp11) return 'expectation-unknown';
    return this.bodyLength > limits.requestBodyBytesMax ? 'content-length-too-large' : null;
  }

  #readHost(value: string): void {
    this.#hosts += 1;
    const authority = parseAuthority(value);
    if (authority === null) this.#hasBadHost = true;
    else this.authority = authority;
  }

  #readLength(value: string): void {
    this.#lengths += 1;
    let length = 0;
    for (let i = 0; i < value.length; i += 1) {
      if (!isDigit(value, i)) this.#hasBadLength = true;
      length = length * 10 + (value.charCodeAt(i) - 48);
    }
    if (value === '' || length > Number.MAX_SAFE_INTEGER) this.#hasBadLength = true;
    this.bodyLength = length;
  }

  #readExpectation(value: string): void {
    if (value.toLowerCase() === '100-continue') this.expectsContinue = true;
    else this.#hasUnknownExpectation = true;
  }

  #readConnection(value: string): void {
    if (value === 'keep-alive') {
      this.asksKeepAlive = true;
      return;
    }
    for (const option of value.split(',')) {
      const word = option.trim().toLowerCase();
      if (word === 'close') this.asksClose = true;
      else if (word === 'keep-alive') this.asksKeepAlive = true;
      else if (word === 'upgrade') this.#asksUpgrade = true;
    }
  }
}

/** protocol = protocol-name [ "/" protocol-version ], both tokens (RFC 9110 §7.8). */
function isProtocol(text: string): boolean {
  const slash = text.indexOf('/');
  return slash === -1 ? isToken(text) : isToken(text.slice(0, slash)) && isToken(text.slice(slash + 1));
}

/** Codings we do not know before a final `chunked` are unsupported; anything else cannot be framed at all. */
function codingFault(coding: string): RequestHeadFault {
  const comma = coding.lastIndexOf(',');
  const isFinal = comma !== -1 && coding.slice(comma + 1).trim() === 'chunked';
  const before = isFinal ? coding.slice(0, comma).split(',') : [];
  const areOthers = isFinal && before.every((word) => word.trim() !== '' && word.trim() !== 'chunked');
  return areOthers ? 'transfer-encoding-unsupported' : 'transfer-encoding-invalid';
}
