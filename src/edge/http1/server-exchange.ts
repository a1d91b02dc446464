/**
 * One request and its answer over HTTP/1.1: what the road sees of a connection. Chooses how the response
 * is framed (RFC 9112 §6.3); the connection decides whether it persists.
 */
import { assert } from '#core/base/assert.ts';
import type { Fields } from '#core/http/fields.ts';
import { LOST_SOURCE, LostSink } from '../connection/idle-ends.ts';
import { announcedLength, isBodiless } from '../connection/message-form.ts';
import { SCRATCH_BYTES } from '../connection/output-scratch.ts';
import type {
  BodySink,
  ConnectionInfo,
  Exchange,
  PreparedHead,
  RecentHits,
  RequestHead,
  ResponseHead,
  Tunnel,
} from '../exchange.ts';
import type { Output } from './output.ts';
import type { RequestBody } from './request-body.ts';
import { ChunkedBody, CloseBody, DroppedBody, LengthBody, type ResponseBodyOwner } from './response-body.ts';
import { dateLine, encodeFieldLines, hasDateLine, isFinalStatus, statusLine } from './response-head.ts';

/** The connection, as an exchange sees it. */
export interface ExchangeOwner extends ResponseBodyOwner {
  readonly output: Output;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Whether the connection persists after the response, so that its head says nothing of it in HTTP/1.1. */
  mayPersist(): boolean;
  /**
   * The final response begins: returns the lines that end its head, with Connection when there is
   * something to say. `mustClose`: the body ends where the connection does.
   */
  beginResponse(mustClose: boolean): string;
  /** Sends `head`; from then on the connection is a tunnel. */
  beginTunnel(head: string): Tunnel;
}

export class ServerExchange implements Exchange {
  readonly id: number;
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  readonly receivedAt: number;
  readonly body: RequestBody | null;
  readonly #owner: ExchangeOwner;
  #isResponding = false;
  #isGone = false;
  #onGone: (() => void) | null = null;

  constructor(
    id: number,
    connection: ConnectionInfo,
    request: RequestHead,
    receivedAt: number,
    body: RequestBody | null,
    owner: ExchangeOwner,
  ) {
    this.id = id;
    this.connection = connection;
    this.request = request;
    this.receivedAt = receivedAt;
    this.body = body;
    this.#owner = owner;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether the final response has begun. */
  get isResponding(): boolean {
    return this.#isResponding;
  }

  onGone(listener: () => void): void {
    this.#onGone = listener;
  }

  /** To be called by the connection when it is lost before the response was whole. */
  gone(): void {
    this.#isGone = true;
    const listener = this.#onGone;
    this.#onGone = null;
    listener?.();
  }

  inform(status: number, fields: Fields): void {
    if (this.#isGone || this.#isResponding || this.request.httpVersion !== '1.1') return;
    // 101 would change the protocol, which no interim response of an origin may do here.
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) return;
    // An interim response may be left out; a client that does not read must not make us keep them.
    if (this.#owner.output.isBlocked) return;
    this.#owner.output.write(`${statusLine(status, '')}${encodeFieldLines(fields)}\r\n`, null, '');
  }

  respondWhole(head: ResponseHead, body: Uint8Array | null, bodyLength?: number): void {
    if (!this.#begin(head.status)) return;
    let text = statusLine(head.status, head.reason) + encodeFieldLines(head.fields);
    if (!head.fields.has('date')) text += dateLine(this.#owner.now());
    if (this.request.method === 'HEAD') {
      const length = bodyLength ?? body?.length ?? announcedLength(head.fields);
      this.#send(text, head.status, null, length);
    } else {
      this.#send(text, head.status, body, body === null ? 0 : body.length);
    }
  }

  respondPrepared(
    head: PreparedHead,
    dynamicLines: string,
    body: Uint8Array | null,
    bodyLength: number,
  ): void {
    if (!this.#begin(head.status)) return;
    const { recent } = head;
    if (recent?.areSeveral && recent.dynamicLines === dynamicLines && body !== null) {
      if (this.#sendAgain(head, recent, body)) return;
    }
    let text = statusLine(head.status, head.reason) + head.lines + dynamicLines;
    if (!hasDateLine(head.lines)) text += dateLine(this.#owner.now());
    if (this.request.method === 'HEAD') this.#send(text, head.status, null, bodyLength);
    else this.#send(text, head.status, body, body === null ? 0 : body.length);
  }

  respondStream(head: ResponseHead, bodyLength: number | null): BodySink {
    if (!this.#begin(head.status)) return new LostSink();
    const owner = this.#owner;
    let text = statusLine(head.status, head.reason) + encodeFieldLines(head.fields);
    if (!head.fields.has('date')) text += dateLine(owner.now());
    if (this.request.method === 'HEAD' || isBodiless(head.status)) {
      const length = isBodiless(head.status) ? null : (bodyLength ?? announcedLength(head.fields));
      text += lengthLine(head.status, length);
      return new DroppedBody(owner, text + owner.beginResponse(false));
    }
    if (bodyLength !== null) {
      text += `Content-Length: ${bodyLength}\r\n${owner.beginResponse(false)}`;
      return new LengthBody(owner, text, bodyLength);
    }
    if (this.request.httpVersion !== '1.1') return new CloseBody(owner, text + owner.beginResponse(true));
    text += `Transfer-Encoding: chunked\r\n${owner.beginResponse(false)}`;
    return new ChunkedBody(owner, text);
  }

  acceptTunnel(fields: Fields): Tunnel {
    const { upgrade } = this.request;
    assert(upgrade !== null && !this.#isResponding, 'only a switch that was asked for is accepted, once');
    this.#isResponding = true;
    if (this.#isGone) return { source: LOST_SOURCE, sink: new LostSink() };
    const lines = `${statusLine(101, '')}${encodeFieldLines(fields)}`;
    return this.#owner.beginTunnel(`${lines}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`);
  }

  abort(reason: string): void {
    this.#isResponding = true;
    if (!this.#isGone) this.#owner.cut(reason, false);
  }

  /** Marks the answer as begun; false when nobody is there to read it. */
  #begin(status: number): boolean {
    assert(!this.#isResponding, 'an exchange is answered once');
    this.#isResponding = true;
    if (this.#isGone) return false;
    if (isFinalStatus(status)) return true;
    this.#owner.cut('the status of the response is none', false);
    return false;
  }

  /** Sends the message that other hits send too, and makes it first if need be. False: this one is another case. */
  #sendAgain(head: PreparedHead, recent: RecentHits, body: Uint8Array): boolean {
    const { method, httpVersion } = this.request;
    const owner = this.#owner;
    if (method !== 'GET' || httpVersion !== '1.1' || !owner.mayPersist()) return false;
    let { message } = recent;
    if (message === null) {
      message = wholeMessage(head, recent.dynamicLines, body);
      if (message === null) return false;
      recent.message = message;
    }
    owner.output.writeMessage(message);
    owner.responseSent();
    return true;
  }

  #send(text: string, status: number, body: Uint8Array | null, length: number | null): void {
    const owner = this.#owner;
    const isWithout = isBodiless(status);
    const head = text + lengthLine(status, length) + owner.beginResponse(false);
    if (owner.output.writeWhole(head, isWithout ? null : body)) owner.responseSent();
  }
}

/** The response as it is sent on a connection that persists; null when it is not alike for a whole second, or large. */
function wholeMessage(head: PreparedHead, dynamicLines: string, body: Uint8Array): Uint8Array | null {
  if (isBodiless(head.status) || !hasDateLine(head.lines)) return null;
  const text = `${statusLine(head.status, head.reason)}${head.lines}${dynamicLines}Content-Length: ${body.length}\r\n\r\n`;
  if (text.length + body.length > SCRATCH_BYTES) return null;
  const message = Buffer.allocUnsafeSlow(text.length + body.length);
  message.write(text, 0, 'latin1');
  message.set(body, text.length);
  return message;
}

/** Content-Length, where the status does not say itself that nothing follows. 205 does not, and nothing does. */
function lengthLine(status: number, length: number | null): string {
  if (status === 205) return 'Content-Length: 0\r\n';
  return length === null || isBodiless(status) ? '' : `Content-Length: ${length}\r\n`;
}
