/**
 * The field lines of a request, and what they say of its message and connection (RFC 9112 §6, §9; RFC 9110 §7.2,
 * §7.8, §10.1.1). A client repeats them from request to request, letter by letter: blocks read before are
 * recognised, and then cost one comparison. Remembered are only some, and only those without fault.
 */
import { type Fields, lowerCaseName } from '#core/http/fields.ts';
import { parseAuthority } from '../connection/authority.ts';
import { CHARACTER_CLASSES, DIGIT, isToken } from '../connection/characters.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import type { RequestHeadFault } from '../connection/request-refusal.ts';
import { type FieldLinesFault, type FieldLinesRules, parseFieldLines } from './field-lines.ts';
import { HTTP1_LIMITS } from './limits.ts';

export const BODY_NONE = 0;
export const BODY_CHUNKED = -1;

/** Shared by requests that repeat the same lines, so never changed. */
export interface RequestFields {
  readonly fields: Fields;
  /** Of Host; '' without one. */
  readonly authority: string;
  /** Content-Length, `BODY_NONE` or `BODY_CHUNKED`. */
  readonly bodyLength: number;
  readonly expectsContinue: boolean;
  readonly isPersistent: boolean;
  /** What a GET asks to switch to. */
  readonly upgrade: string | null;
  /** What is wrong between the lines, each of which is well-formed. */
  readonly fault: RequestHeadFault | null;
}

interface RememberedLines {
  readonly text: string;
  readonly read: RequestFields;
}

/** One for all connections of a listener. */
export class RequestFieldsReader {
  readonly limits: ConnectionLimits;
  readonly #rules: FieldLinesRules;
  /** By a hash of a few characters; whoever comes later takes the place. */
  readonly #remembered: (RememberedLines | null)[] = new Array(HTTP1_LIMITS.rememberedLinesMax).fill(null);

  constructor(limits: ConnectionLimits) {
    this.limits = limits;
    this.#rules = { bytesMax: limits.headBytesMax, linesMax: limits.fieldLinesMax, repairsResponses: false };
  }

  /** Reads `text.slice(from, to)`: lines with their ends, without the empty line behind them. */
  read(text: string, from: number, to: number, isHttp11: boolean): RequestFields | FieldLinesFault {
    const place = placeOf(text, from, to);
    const known = this.#remembered[place] as RememberedLines | null;
    if (known !== null && isHttp11 && known.text.length === to - from && text.startsWith(known.text, from)) {
      return known.read;
    }
    const fields = parseFieldLines(text, from, to, this.#rules);
    if (typeof fields === 'string') return fields;
    const read = new Framing(fields).judge(fields, isHttp11, this.limits);
    if (isHttp11 && read.fault === null && to - from <= HTTP1_LIMITS.rememberedLinesBytesMax) {
      this.#remembered[place] = { text: text.slice(from, to), read };
    }
    return read;
  }
}

/** Of characters that differ from client to client: the length, and some towards the end, where cookies are. */
function placeOf(text: string, from: number, to: number): number {
  let hash = to - from;
  for (let distance = 3; distance <= 48; distance *= 2) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(Math.max(from, to - distance))) | 0;
  }
  hash = (Math.imul(hash, 31) + text.charCodeAt((from + to) >> 1)) | 0;
  return (hash ^ (hash >>> 10)) & (HTTP1_LIMITS.rememberedLinesMax - 1);
}

const LOWER_CASE_BIT = 0x20;
const LETTER_C = 0x63;
const LETTER_E = 0x65;
const LETTER_H = 0x68;
const LETTER_T = 0x74;
const LETTER_U = 0x75;

/** Offers that are passed over, as RFC 9110 §7.8 allows: what follows would be requests that nobody looks at. */
const HTTP_OFFER = /^(?:h2c?|h3|http|tls)(?:\/|$)/;

/** What the fields say of the message's length and of the connection. */
class Framing {
  #authority = '';
  #bodyLength = BODY_NONE;
  #expectsContinue = false;
  #asksClose = false;
  #asksKeepAlive = false;
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

  constructor(fields: Fields) {
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
    if (this.#codings > 0) this.#bodyLength = BODY_CHUNKED;
  }

  judge(fields: Fields, isHttp11: boolean, limits: ConnectionLimits): RequestFields {
    return {
      fields,
      authority: this.#authority,
      bodyLength: this.#bodyLength,
      expectsContinue: this.#expectsContinue && isHttp11 && this.#bodyLength !== BODY_NONE,
      isPersistent: !this.#asksClose && (isHttp11 || this.#asksKeepAlive),
      upgrade: isHttp11 ? this.#upgrade : null,
      fault: this.#fault(isHttp11, limits),
    };
  }

  /** The one protocol offered; null where there is none to switch to, several to choose from, or a body first. */
  get #upgrade(): string | null {
    const offer = this.#offer;
    if (offer === null || !this.#asksUpgrade || this.#offers > 1 || this.#bodyLength !== BODY_NONE)
      return null;
    return isProtocol(offer) && !HTTP_OFFER.test(offer) ? offer : null;
  }

  /** The first thing wrong, in the order of what endangers others most. */
  #fault(isHttp11: boolean, limits: ConnectionLimits): RequestHeadFault | null {
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
    return this.#bodyLength > limits.requestBodyBytesMax ? 'content-length-too-large' : null;
  }

  #readHost(value: string): void {
    this.#hosts += 1;
    const authority = parseAuthority(value);
    if (authority === null) this.#hasBadHost = true;
    else this.#authority = authority;
  }

  #readLength(value: string): void {
    this.#lengths += 1;
    let length = 0;
    for (let i = 0; i < value.length; i += 1) {
      if (!isDigit(value, i)) this.#hasBadLength = true;
      length = length * 10 + (value.charCodeAt(i) - 48);
    }
    if (value === '' || length > Number.MAX_SAFE_INTEGER) this.#hasBadLength = true;
    this.#bodyLength = length;
  }

  #readExpectation(value: string): void {
    if (value.toLowerCase() === '100-continue') this.#expectsContinue = true;
    else this.#hasUnknownExpectation = true;
  }

  #readConnection(value: string): void {
    if (value === 'keep-alive') {
      this.#asksKeepAlive = true;
      return;
    }
    for (const option of value.split(',')) {
      const word = option.trim().toLowerCase();
      if (word === 'close') this.#asksClose = true;
      else if (word === 'keep-alive') this.#asksKeepAlive = true;
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

function isDigit(text: string, at: number): boolean {
  return ((CHARACTER_CLASSES[text.charCodeAt(at)] as number) & DIGIT) !== 0;
}
