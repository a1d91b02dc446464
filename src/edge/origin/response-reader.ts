/**
 * Reads one response from the bytes of a connection (RFC 9112 §4–§7): interim responses, the head, the
 * content. No sockets and no waiting: bytes in, events out. It keeps nothing of the content; deadlines
 * and backpressure are its owner's.
 */
import type { Fields } from '#core/http/fields.ts';
import { ChunkedDecoder } from '../http1/chunked-decoder.ts';
import { parseFieldLines } from '../http1/field-lines.ts';
import { LineMemory } from '../http1/line-memory.ts';
import type { OriginLimits } from './limits.ts';
import type { OriginFailureType, OriginRequest } from './origin-client.ts';
import {
  frameInterim,
  frameResponse,
  type ResponseFraming,
  type StatusLine,
  switchesTo,
} from './response-framing.ts';
import { parseStatusLine } from './status-line.ts';

/**
 * What happens while reading, in order: informs, then one head, parts, one end; or a switch of protocols, after
 * which nothing is read here. A fault ends it at any point.
 */
export interface ResponseListener {
  onInform(status: number, fields: Fields): void;
  /** `rest`: what followed the head, the beginning of the other protocol. */
  onSwitch(reason: string, fields: Fields, rest: Buffer): void;
  onHead(line: StatusLine, framing: ResponseFraming): void;
  /** Never empty; a view into the bytes pushed. */
  onPart(part: Uint8Array): void;
  /** `hasExcess`: bytes followed that belong to no response. */
  onResponseEnd(trailers: Fields | null, hasExcess: boolean): void;
  onFault(type: OriginFailureType, detail: string): void;
}

const HEAD = 0;
const CONTENT = 1;
const SWITCHED = 2;
const OVER = 3;

/** Shared by all origins: what a line means does not depend on who sent it. */
const KNOWN_LINES = new LineMemory();

const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BEGIN = Buffer.from('HTTP/1.');
const CR = 13;
const LF = 10;

export class ResponseReader {
  readonly #method: string;
  readonly #upgrade: string | null;
  readonly #limits: OriginLimits;
  readonly #listener: ResponseListener;
  #state = HEAD;
  /** Bytes of a head that came in pieces; allocated only then. */
  #pending: Buffer | null = null;
  #pendingBytes = 0;
  /** How far those were searched for their end. */
  #searchedBytes = 0;
  #informs = 0;
  #switchHead: { readonly reason: string; readonly fields: Fields } | null = null;
  #kind: ResponseFraming['kind'] = 'none';
  #remainingBytes = 0;
  #decoder: ChunkedDecoder | null = null;

  constructor(
    request: Pick<OriginRequest, 'method' | 'upgrade'>,
    limits: OriginLimits,
    listener: ResponseListener,
  ) {
    this.#method = request.method;
    this.#upgrade = request.upgrade ?? null;
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Whether some bytes of a head have come, but not all. */
  get isWithinHead(): boolean {
    return this.#state === HEAD && this.#pendingBytes > 0;
  }

  /** Content bytes still to come, when that is known; else Infinity. */
  get remainingBytes(): number {
    return this.#kind === 'length' ? this.#remainingBytes : Number.POSITIVE_INFINITY;
  }

  push(bytes: Buffer): void {
    if (this.#state === OVER || bytes.length === 0) return;
    if (this.#state === CONTENT) {
      this.#readContent(bytes, 0);
      return;
    }
    const held = this.#pending === null ? bytes : this.#gather(bytes);
    const at = this.#readHeads(held);
    if (at >= 0) this.#readContent(held, at);
  }

  /** The origin has sent all it will. */
  end(): void {
    if (this.#state === OVER) return;
    if (this.#state === CONTENT && this.#kind === 'until-close') {
      this.#finish(null, false);
    } else if (this.#state === CONTENT) {
      this.#fail('http_response_incomplete', 'the connection ended before the body did');
    } else {
      this.#fail('http_response_incomplete', 'the connection ended within the head of the response');
    }
  }

  /** Nothing more is told to the listener. */
  stop(): void {
    this.#state = OVER;
    this.#pending = null;
  }

  #fail(type: OriginFailureType, detail: string): void {
    if (this.#state === OVER) return;
    this.#state = OVER;
    this.#pending = null;
    this.#listener.onFault(type, detail);
  }

  #finish(trailers: Fields | null, hasExcess: boolean): void {
    if (this.#state === OVER) return;
    this.#state = OVER;
    this.#listener.onResponseEnd(trailers, hasExcess);
  }

  /** Interim heads and the final one, from the start of `held`. Returns where the content begins, or -1. */
  #readHeads(held: Buffer): number {
    let from = 0;
    // Of a head in pieces, only what is new has to be searched.
    let searchFrom = this.#searchedBytes;
    while (this.#state === HEAD) {
      const end = held.indexOf(HEAD_END, searchFrom);
      if ((end < 0 ? held.length : end) - from > this.#limits.headBytesMax) {
        this.#fail('http_response_header_section_size', 'the head of the response is too large');
        return -1;
      }
      if (end < 0) {
        this.#keepPartialHead(held, from);
        return -1;
      }
      this.#takeHead(held.toString('latin1', from, end + 2));
      from = end + HEAD_END.length;
      searchFrom = from;
    }
    this.#pending = null;
    this.#pendingBytes = 0;
    this.#searchedBytes = 0;
    if (this.#state === SWITCHED) this.#handOver(held.subarray(from));
    // `OVER` here is a fault, or a listener that gave up: both leave no content to read.
    return this.#state === CONTENT ? from : -1;
  }

  #keepPartialHead(held: Buffer, from: number): void {
    const partial = held.subarray(from);
    if (!mayBecomeHead(partial)) {
      this.#fail('http_protocol_error', 'what the origin sent is no HTTP/1 response');
      return;
    }
    if (this.#pending === null || from > 0) {
      this.#pending = Buffer.from(partial);
      this.#pendingBytes = partial.length;
    }
    this.#searchedBytes = Math.max(0, partial.length - HEAD_END.length + 1);
  }

  /** Appends to the head in pieces, in a buffer that doubles, and returns all of it. */
  #gather(bytes: Buffer): Buffer {
    let pending = this.#pending as Buffer;
    const length = this.#pendingBytes + bytes.length;
    if (length > pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, pending.length * 2));
      pending.copy(larger, 0, 0, this.#pendingBytes);
      pending = larger;
      this.#pending = larger;
    }
    bytes.copy(pending, this.#pendingBytes);
    this.#pendingBytes = length;
    return pending.subarray(0, length);
  }

  /** One head: status line and field lines, each with its CRLF. */
  #takeHead(text: string): void {
    const lineEnd = text.indexOf('\r\n');
    const line = parseStatusLine(text, lineEnd);
    if (line === null) {
      this.#fault('the status line is malformed');
      return;
    }
    const rules = {
      bytesMax: this.#limits.headBytesMax,
      linesMax: this.#limits.fieldLinesMax,
      repairsResponses: true,
    };
    const fields = parseFieldLines(text, lineEnd + 2, text.length, rules, KNOWN_LINES);
    if (fields === 'fields-too-many' || fields === 'fields-too-large') {
      this.#fail('http_response_header_section_size', fields);
    } else if (typeof fields === 'string') {
      this.#fault(fields);
    } else if (line.status === 101) {
      this.#takeSwitch(line.reason, fields);
    } else if (line.status < 200) {
      this.#takeInterim(line.status, fields);
    } else {
      this.#takeFinal(line, fields);
    }
  }

  #takeFinal(line: StatusLine, fields: Fields): void {
    const framing = frameResponse(this.#method, line, fields);
    if (typeof framing === 'string') {
      this.#fault(framing);
      return;
    }
    this.#state = CONTENT;
    this.#kind = framing.kind;
    this.#remainingBytes = framing.length ?? 0;
    if (framing.kind === 'chunked') this.#decoder = new ChunkedDecoder((part) => this.#listener.onPart(part));
    this.#listener.onHead(line, framing);
  }

  #fault(detail: string): void {
    this.#fail('http_protocol_error', detail);
  }

  #takeInterim(status: number, fields: Fields): void {
    this.#informs += 1;
    if (this.#informs > this.#limits.informsMax) this.#fault('too many interim responses');
    else this.#listener.onInform(status, frameInterim(fields));
  }

  /** RFC 9110 §15.2.2: only to what was asked for. */
  #takeSwitch(reason: string, fields: Fields): void {
    if (this.#upgrade === null) this.#fault('101 without an upgrade asked for');
    else if (!switchesTo(this.#upgrade, fields)) this.#fault('101 to another protocol than was asked for');
    else {
      this.#state = SWITCHED;
      this.#switchHead = { reason, fields: frameInterim(fields) };
    }
  }

  #handOver(rest: Buffer): void {
    const { reason, fields } = this.#switchHead as { reason: string; fields: Fields };
    this.#state = OVER;
    this.#listener.onSwitch(reason, fields, rest);
  }

  #readContent(bytes: Buffer, from: number): void {
    switch (this.#kind) {
      case 'chunked':
        this.#readChunks(bytes, from);
        break;
      case 'until-close':
        if (from < bytes.length) this.#listener.onPart(from === 0 ? bytes : bytes.subarray(from));
        break;
      default:
        this.#readCounted(bytes, from);
    }
  }

  #readCounted(bytes: Buffer, from: number): void {
    const until = Math.min(bytes.length, from + this.#remainingBytes);
    this.#remainingBytes -= until - from;
    const isAll = from === 0 && until === bytes.length;
    if (until > from) this.#listener.onPart(isAll ? bytes : bytes.subarray(from, until));
    if (this.#remainingBytes === 0) this.#finish(null, until < bytes.length);
  }

  #readChunks(bytes: Buffer, from: number): void {
    const decoder = this.#decoder as ChunkedDecoder;
    const until = decoder.push(bytes, from);
    if (decoder.fault !== null) this.#fault(decoder.fault);
    else if (decoder.isDone) this.#finish(decoder.trailers, until < bytes.length);
  }
}

/** Whether bytes without an empty line among them can be the beginning of a head; ends long waits for junk. */
function mayBecomeHead(bytes: Buffer): boolean {
  const compared = Math.min(bytes.length, HEAD_BEGIN.length);
  if (bytes.compare(HEAD_BEGIN, 0, compared, 0, compared) !== 0) return false;
  const lf = bytes.indexOf(LF);
  return lf < 0 || bytes[lf - 1] === CR;
}
