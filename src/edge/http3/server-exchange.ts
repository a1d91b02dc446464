/**
 * One request and its answer over HTTP/3: what the road sees of Bun's fetch handler. Bun has no interim responses,
 * no trailer fields, no tunnels, and no way to reset a stream; what takes their place is said at each.
 */
import { assert } from '#core/base/assert.ts';
import type { Fields } from '#core/http/fields.ts';
import type { DeadlineSweep } from '../connection/deadline-sweep.ts';
import { DroppingSink, LostSink } from '../connection/idle-ends.ts';
import type { ConnectionLimits } from '../connection/limits.ts';
import { announcedLength, isBodiless } from '../connection/message-form.ts';
import type {
  BodySink,
  BodySource,
  ConnectionInfo,
  Exchange,
  PreparedHead,
  RequestHead,
  ResponseHead,
  Tunnel,
} from '../exchange.ts';
import type { Http3Limits } from './limits.ts';
import { ownResponse } from './own-response.ts';
import { streamOf, wholeBody } from './response-body.ts';
import { headersOf, preparedHeaders } from './response-head.ts';
import { Http3Sink } from './response-sink.ts';

/** The listener, as an exchange sees it. */
export interface ExchangeOwner {
  readonly limits: ConnectionLimits & Http3Limits;
  readonly sweep: DeadlineSweep;
  /** A streamed body was left without an end; called again with false when its client has given it up. */
  unfinished(isUnfinished: boolean, reason: string): void;
}

export interface ExchangeParts {
  readonly id: number;
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  readonly receivedAt: number;
  readonly body: BodySource | null;
  /** Aborted when the client goes before the response is whole. */
  readonly signal: () => AbortSignal;
  readonly owner: ExchangeOwner;
}

/** The largest status that a Response can have. */
const STATUS_MAX = 599;

export class Http3Exchange implements Exchange {
  readonly id: number;
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  readonly receivedAt: number;
  readonly body: BodySource | null;
  readonly #owner: ExchangeOwner;
  readonly #signal: () => AbortSignal;
  #onGone: (() => void) | null = null;
  #isResponding = false;
  #response: Response | null = null;
  #respond: ((response: Response) => void) | null = null;
  #sink: Http3Sink | null = null;

  constructor(parts: ExchangeParts) {
    this.id = parts.id;
    this.connection = parts.connection;
    this.request = parts.request;
    this.receivedAt = parts.receivedAt;
    this.body = parts.body;
    this.#signal = parts.signal;
    this.#owner = parts.owner;
  }

  /** What Bun is to send: at once when the road has answered in this turn. To be called once, after the handler. */
  response(): Response | Promise<Response> {
    if (this.#response !== null) return this.#response;
    return new Promise((resolve) => {
      this.#respond = resolve;
    });
  }

  get isGone(): boolean {
    return this.#signal().aborted;
  }

  onGone(listener: () => void): void {
    if (this.#onGone === null) {
      this.#signal().addEventListener('abort', () => this.#onGone?.(), { once: true });
    }
    this.#onGone = listener;
  }

  /** Bun sends no interim responses but 100, and that by itself: they are left out. */
  inform(_status: number, _fields: Fields): void {}

  respondWhole(head: ResponseHead, body: Uint8Array | null, bodyLength?: number): void {
    if (!this.#begin(head.status)) return;
    const length = bodyLength ?? body?.length ?? announcedLength(head.fields);
    this.#answer(head.status, headersOf(head.fields), body, false, length);
  }

  respondPrepared(
    head: PreparedHead,
    dynamicLines: string,
    body: Uint8Array | null,
    bodyLength: number,
  ): void {
    if (!this.#begin(head.status)) return;
    // A part of a stored body is asked for in that form once, the whole again and again.
    this.#answer(head.status, preparedHeaders(head, dynamicLines), body, head.status !== 206, bodyLength);
  }

  respondStream(head: ResponseHead, bodyLength: number | null): BodySink {
    if (!this.#begin(head.status)) return new LostSink();
    const { status } = head;
    const headers = headersOf(head.fields);
    if (this.request.method === 'HEAD' || isBodiless(status)) {
      this.#answer(status, headers, null, false, bodyLength ?? announcedLength(head.fields));
      return new DroppingSink();
    }
    const { limits, sweep } = this.#owner;
    const signal = this.#signal();
    this.#sink = new Http3Sink(bodyLength, {
      limits,
      sweep,
      isGone: () => signal.aborted,
      respondGathered: (bytes) => this.#answer(status, headers, bytes, false, null),
      respondParts: (source) => this.#send(new Response(streamOf(source), { status, headers })),
      respondBroken: () => this.#send(ownResponse(502, 'the response did not arrive whole', false)),
      unfinished: (isUnfinished, reason) => this.#owner.unfinished(isUnfinished, reason),
    });
    return this.#sink;
  }

  acceptTunnel(_fields: Fields): Tunnel {
    throw new Error('no request over HTTP/3 asks for a tunnel: Bun passes no extended CONNECT on');
  }

  /** The stream cannot be reset: before a response there is one of ours, later what `Http3Sink` says. */
  abort(reason: string): void {
    if (this.#sink !== null) this.#sink.abort(reason);
    else if (!this.#isResponding) {
      this.#isResponding = true;
      this.#send(ownResponse(500, 'internal fault', this.request.method === 'HEAD'));
    }
  }

  /** Marks the answer as begun; false when it cannot be sent, and another one is. */
  #begin(status: number): boolean {
    assert(!this.#isResponding, 'an exchange is answered once');
    this.#isResponding = true;
    if (Number.isInteger(status) && status >= 200 && status <= STATUS_MAX) return true;
    this.#send(
      ownResponse(502, 'the status of the response is none of HTTP/3', this.request.method === 'HEAD'),
    );
    return false;
  }

  /** `length` is what HEAD is told. */
  #answer(
    status: number,
    headers: Headers,
    body: Uint8Array | null,
    isStored: boolean,
    length: number | null,
  ): void {
    const isWithout = isBodiless(status);
    if (this.request.method === 'HEAD') {
      if (length !== null && !isWithout) headers.set('Content-Length', String(length));
      this.#send(new Response(null, { status, headers }));
      return;
    }
    const sent =
      isWithout || body === null
        ? null
        : wholeBody(body, isStored, headers.has('content-type'), this.#owner.limits);
    this.#send(new Response(sent, { status, headers }));
  }

  #send(response: Response): void {
    if (this.#respond === null) this.#response = response;
    else this.#respond(response);
  }
}
