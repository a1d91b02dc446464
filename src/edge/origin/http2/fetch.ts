/**
 * One request to an origin over HTTP/2: from the wish for a stream to the last byte of the response. What an
 * event means is judged here as in HTTP/1.1 (`../origin-fetch.ts`); frames and windows are the connection's.
 *
 *   waiting ─ connection with room ─▶ sending, awaiting the head ─ head ─▶ receiving the body ─▶ over
 *      ▲                                     │
 *      └── not seen by the origin, or ───────┘   once, and only without a body
 *          lost and safe to repeat
 */

import { errorMessage } from '#core/base/error-message.ts';
import type { Fields } from '#core/http/fields.ts';
import type { Clock } from '#platform/clock.ts';
import { CANCEL, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM } from '../../http2/frame.ts';
import { encodeFields } from '../../http2/server/response-block.ts';
import type { Deadlines, Timed } from '../deadlines.ts';
import { type Destination, destinationOf, hostSent } from '../destination.ts';
import type { OriginLimits } from '../limits.ts';
import {
  OriginFailure,
  type OriginFailureType,
  type OriginRequest,
  type OriginResponse,
} from '../origin-client.ts';
import { IDEMPOTENT } from '../origin-fetch.ts';
import { sentTrailers } from '../request-head.ts';
import { type BodyFlow, ResponseBody } from '../response-body.ts';
import type { Http2OriginConnection, OriginStream, StreamHandle } from './connection.ts';
import type { Http2ConnectionPool, StreamWaiter } from './connection-pool.ts';
import { ORIGIN_HTTP2_LIMITS } from './limits.ts';
import { requestBlock } from './request-block.ts';
import { parseResponse, parseResponseTrailers, type ResponseFields } from './response-head.ts';

export interface Http2FetchSettings {
  readonly pool: Http2ConnectionPool;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly limits: OriginLimits;
}

/** Rejection of a fetch whose origin does not speak HTTP/2: it may be asked in HTTP/1.1. */
export class NotHttp2 extends Error {}

export class Http2Fetch implements StreamWaiter, OriginStream, BodyFlow, Timed {
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly #request: OriginRequest;
  readonly #settings: Http2FetchSettings;
  readonly #resolve: (response: OriginResponse) => void;
  readonly #reject: (failure: Error) => void;
  readonly #destination: Destination;
  readonly #block: Buffer;
  #connection: Http2OriginConnection | null = null;
  #handle: StreamHandle | null = null;
  #body: ResponseBody | null = null;
  #requestedAt = 0;
  /** When the whole exchange must be over, on the scale of deadlines. */
  #expiresAt = Number.POSITIVE_INFINITY;
  #informs = 0;
  /** Bytes of content still to come, Infinity when not announced. */
  #remaining = Number.POSITIVE_INFINITY;
  /** Bytes that have come, and not been given back as window. */
  #owedWindow = 0;
  #isSent = false;
  #isBlocked = false;
  #isPaused = false;
  #hasRetried = false;
  #isOver = false;
  #unlisten: (() => void) | null = null;

  /** Throws `OriginFailure` when the request may not be sent as it is. */
  constructor(
    request: OriginRequest,
    settings: Http2FetchSettings,
    resolve: (response: OriginResponse) => void,
    reject: (failure: Error) => void,
  ) {
    const host = hostSent(request.origin, request.fields);
    this.#request = request;
    this.#settings = settings;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#destination = destinationOf(request.origin, host);
    this.#block = requestBlock(request, this.#destination.tls === null ? 'http' : 'https', host);
  }

  begin(signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) {
      this.#giveUp();
      return;
    }
    if (signal !== undefined) {
      const listener = () => this.#giveUp();
      signal.addEventListener('abort', listener);
      this.#unlisten = () => signal.removeEventListener('abort', listener);
    }
    this.#settings.deadlines.watch(this);
    this.#settings.pool.acquire(this.#destination, this);
  }

  #giveUp(): void {
    if (this.#isOver) return;
    if (this.#body !== null) this.#body.cancel('given up by the caller');
    else this.#fail('connection_terminated', 'given up by the caller', CANCEL);
  }

  // --- pool ---

  onConnection(connection: Http2OriginConnection): void {
    if (this.#isOver) return;
    const { body } = this.#request;
    this.#connection = connection;
    this.#requestedAt = this.#settings.clock.now();
    if (!this.#hasRetried) this.#expiresAt = this.#settings.deadlines.now() + this.#settings.limits.totalMs;
    this.#setDeadline(Number.POSITIVE_INFINITY);
    this.#handle = connection.open(this, this.#block, body === null);
    if (body === null) this.#sent();
    else void this.#sendBody(this.#handle);
  }

  onNoConnection(failure: Error): void {
    if (this.#isOver) return;
    this.#end(null);
    this.#reject(failure);
  }

  // --- request body ---

  async #sendBody({ sender }: StreamHandle): Promise<void> {
    const { body } = this.#request;
    if (body === null) return;
    let sentBytes = 0;
    try {
      for (;;) {
        const part = await body.read();
        if (this.#isOver) return;
        if (part === null) break;
        sentBytes += part.length;
        if (body.length !== null && sentBytes > body.length)
          throw new Error('it is longer than its Content-Length');
        this.#setBlocked(true);
        await sender.send(part);
        this.#setBlocked(false);
      }
      if (body.length !== null && sentBytes < body.length)
        throw new Error('it is shorter than its Content-Length');
      const trailers = body.trailers();
      sender.finish(trailers === null ? null : encodeFields(sentTrailers(trailers)));
      this.#sent();
    } catch (error) {
      // The stream's own end is told by whoever ended it.
      if (this.#isOver || sender.isOver) return;
      this.#fail('http_request_error', `the request body: ${errorMessage(error)}`, CANCEL);
    }
  }

  #setBlocked(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    if (this.#body !== null || this.#isOver) return;
    if (isBlocked) this.#setDeadline(this.#settings.limits.requestIdleMs);
    else this.deadlineAt = Number.POSITIVE_INFINITY;
  }

  #sent(): void {
    this.#isSent = true;
    if (this.#body === null && !this.#isOver) this.#setDeadline(this.#settings.limits.firstByteMs);
  }

  // --- response ---

  onFields(lines: readonly string[], endsStream: boolean): void {
    if (this.#isOver) return;
    if (this.#body !== null) {
      this.#onTrailers(lines, endsStream);
      return;
    }
    const response = parseResponse(lines);
    if (typeof response === 'string') this.#fail('http_protocol_error', response, PROTOCOL_ERROR);
    else if (response.status < 200) this.#onInterim(response, endsStream);
    else this.#onFinal(response, endsStream);
  }

  #onInterim({ status, fields }: ResponseFields, endsStream: boolean): void {
    this.#informs += 1;
    if (endsStream || status === 101)
      this.#fail('http_protocol_error', `no such interim response: ${status}`, PROTOCOL_ERROR);
    else if (this.#informs > this.#settings.limits.informsMax) {
      this.#fail('http_protocol_error', 'too many interim responses', CANCEL);
    } else {
      if (this.#isSent) this.#setDeadline(this.#settings.limits.firstByteMs);
      this.#request.onInform?.(status, fields);
    }
  }

  #onFinal({ status, fields, contentLength }: ResponseFields, endsStream: boolean): void {
    const hasNoContent = this.#request.method === 'HEAD' || status === 204 || status === 304;
    this.#remaining = hasNoContent ? 0 : (contentLength ?? Number.POSITIVE_INFINITY);
    const length = hasNoContent ? 0 : contentLength;
    const body = new ResponseBody(length, this.#settings.limits.bodyBufferBytesMax, this);
    this.#body = body;
    this.#setDeadline(this.#settings.limits.bodyIdleMs);
    this.#resolve({
      status,
      reason: '',
      fields,
      body,
      requestedAt: this.#requestedAt,
      respondedAt: this.#settings.clock.now(),
    });
    if (endsStream) this.#finish(null);
  }

  onContent(content: Buffer, length: number, endsStream: boolean): void {
    const body = this.#body;
    if (this.#isOver) return;
    if (body === null) {
      this.#fail('http_protocol_error', 'content came before its head', PROTOCOL_ERROR);
      return;
    }
    this.#remaining -= content.length;
    if (this.#remaining < 0) {
      this.#fail('http_protocol_error', 'more content came than was announced', PROTOCOL_ERROR);
      return;
    }
    if (content.length > 0) body.add(content);
    if (this.#isOver) return;
    this.#owedWindow += length;
    if (endsStream) this.#finish(null);
    else if (!this.#isPaused) this.#giveWindow();
  }

  #onTrailers(lines: readonly string[], endsStream: boolean): void {
    const trailers = parseResponseTrailers(lines);
    if (typeof trailers === 'string') this.#fail('http_protocol_error', trailers, PROTOCOL_ERROR);
    else if (!endsStream) this.#fail('http_protocol_error', 'trailers that end nothing', PROTOCOL_ERROR);
    else this.#finish(trailers);
  }

  /** The origin has ended its side. */
  #finish(trailers: Fields | null): void {
    const body = this.#body;
    if (this.#remaining > 0 && this.#remaining !== Number.POSITIVE_INFINITY) {
      this.#fail('http_response_incomplete', 'less content came than was announced', CANCEL);
      return;
    }
    // What is left of the request nobody needs (RFC 9113 §8.1).
    this.#end(this.#isSent ? null : NO_ERROR);
    body?.complete(trailers);
  }

  onResetByOrigin(code: number): void {
    if (this.#isOver) return;
    this.#handle = null;
    if (code === REFUSED_STREAM && this.#body === null && this.#retry()) return;
    const type = this.#body === null ? 'connection_terminated' : 'http_response_incomplete';
    this.#fail(type, `${this.#where} has reset the stream (error ${code})`, null);
  }

  onConnectionLost(detail: string, wasRefused: boolean): void {
    if (this.#isOver) return;
    this.#handle = null;
    const isSafe = wasRefused || IDEMPOTENT.has(this.#request.method);
    if (isSafe && this.#body === null && this.#retry()) return;
    const type = this.#body === null ? 'connection_terminated' : 'http_response_incomplete';
    this.#fail(type, `connection to ${this.#where} lost: ${detail}`, null);
  }

  /** Asks again on another connection, once; a body that was read cannot be sent again. */
  #retry(): boolean {
    if (this.#hasRetried || this.#request.body !== null) return false;
    this.#hasRetried = true;
    this.#connection = null;
    this.#isSent = false;
    this.deadlineAt = Number.POSITIVE_INFINITY;
    this.#settings.pool.acquire(this.#destination, this);
    return true;
  }

  // --- response body ---

  pauseReceiving(): void {
    this.#isPaused = true;
    this.#setDeadline(this.#settings.limits.readerIdleMs);
  }

  resumeReceiving(): void {
    this.#isPaused = false;
    this.#giveWindow();
  }

  abandon(): void {
    this.#end(CANCEL);
  }

  #giveWindow(): void {
    this.#setDeadline(this.#settings.limits.bodyIdleMs);
    if (this.#owedWindow < ORIGIN_HTTP2_LIMITS.streamWindowBytes / 4) return;
    if (this.#handle !== null) this.#connection?.widen(this.#handle, this.#owedWindow);
    this.#owedWindow = 0;
  }

  // --- ends ---

  onDeadline(): void {
    const { limits } = this.#settings;
    // An origin that keeps us waiting is not trusted with more on the same connection.
    if (!this.#isPaused) this.#connection?.retire();
    if (this.#settings.deadlines.now() >= this.#expiresAt) {
      this.#fail(
        'http_response_timeout',
        `${this.#where} did not finish within ${limits.totalMs} ms`,
        CANCEL,
      );
    } else if (this.#isPaused)
      this.#fail('http_response_incomplete', 'nobody read the rest of the body', CANCEL);
    else if (this.#body !== null) {
      const detail = `${this.#where} sent nothing more of the body for ${limits.bodyIdleMs} ms`;
      this.#fail('connection_read_timeout', detail, CANCEL);
    } else if (this.#isBlocked) {
      const detail = `${this.#where} took no bytes for ${limits.requestIdleMs} ms`;
      this.#fail('connection_write_timeout', detail, CANCEL);
    } else {
      const detail = `${this.#where} sent no response within ${limits.firstByteMs} ms`;
      this.#fail('http_response_timeout', detail, CANCEL);
    }
  }

  get #where(): string {
    return `${this.#destination.host}:${this.#destination.port}`;
  }

  #setDeadline(afterMs: number): void {
    this.deadlineAt = Math.min(this.#settings.deadlines.now() + afterMs, this.#expiresAt);
  }

  #fail(type: OriginFailureType, detail: string, code: number | null): void {
    if (this.#isOver) return;
    const body = this.#body;
    const failure = new OriginFailure(type, detail, this.#requestedAt > 0);
    this.#end(code);
    if (body === null) this.#reject(failure);
    else body.fail(failure);
  }

  /** Lets everything go; `code`: how the stream is reset, null when it needs not be. */
  #end(code: number | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settings.deadlines.forget(this);
    this.#unlisten?.();
    this.#unlisten = null;
    // Before anything was sent, another origin or another version may still want the body.
    if (this.#requestedAt > 0) this.#request.body?.cancel('the exchange with the origin is over');
    this.#settings.pool.withdraw(this);
    const handle = this.#handle;
    this.#handle = null;
    if (handle !== null) this.#connection?.release(handle, code);
    this.#connection = null;
  }
}
