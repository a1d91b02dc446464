/**
 * The head of a request, from latin1 text to `RequestHead` and its framing, or the name of the first
 * fault (RFC 9112 §2–§6, RFC 9110 §7.2, §10.1.1). Strict wherever two recipients could read the same
 * bytes differently; the target is kept byte for byte. The field lines are `request-fields.ts`'s.
 */
import { parseAuthority } from '../connection/authority.ts';
import { CHARACTER_CLASSES, DIGIT, TARGET, TOKEN } from '../connection/characters.ts';
import type { RequestHeadFault } from '../connection/request-refusal.ts';
import type { RequestHead } from '../exchange.ts';
import type { RequestFieldsReader } from './request-fields.ts';

export interface ParsedRequest {
  readonly head: RequestHead;
  /** Content-Length, `BODY_NONE` or `BODY_CHUNKED`. */
  readonly bodyLength: number;
  /** Whether the client waits for 100 (Continue) before it sends its body. */
  readonly expectsContinue: boolean;
  /** Whether the client wishes the connection to persist (RFC 9112 §9.3). */
  readonly isPersistent: boolean;
}

const SPACE = 32;
const SLASH = 47;
const CR = 13;
const LF = 10;

/**
 * Reads the head in `text.slice(from, end)`, `end` being behind the empty line. `scheme` is the
 * connection's: an absolute-form target must name it (RFC 9110 §7.4).
 */
export function parseRequestHead(
  text: string,
  from: number,
  end: number,
  scheme: 'http' | 'https',
  reader: RequestFieldsReader,
): ParsedRequest | RequestHeadFault {
  const { limits } = reader;
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

  const read = reader.read(text, lineEnd + 2, end - 2, isHttp11);
  if (typeof read === 'string') return read;
  let { authority } = read;
  if (text.charCodeAt(at) !== SLASH) {
    const named = authorityOfTarget(target, method, scheme);
    if (named === null) return targetFault(target, scheme);
    if (named !== '') authority = named;
  }
  if (read.fault !== null) return read.fault;
  const { fields, bodyLength, expectsContinue, isPersistent } = read;
  const upgrade = method === 'GET' ? read.upgrade : null;
  const httpVersion = isHttp11 ? '1.1' : '1.0';
  return {
    head: { method, target, authority, httpVersion, fields, upgrade },
    bodyLength,
    expectsContinue,
    isPersistent,
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
