/**
 * One request and its answer over HTTP/2: what the road sees of a stream (RFC 9113 §8). Heads are written at
 * once, bodies when it is their turn; the connection keeps the windows and ends the stream.
 */
import { assert } from '#core/base/assert.ts';
import { Fields } from '#core/http/fields.ts';
import { DroppingSink, LOST_SOURCE, LostSink } from '../../connection/idle-ends.ts';
import { announcedLength, isBodiless } from '../../connection/message-form.ts';
import type {
  BodySink,
  BodySource,
  ConnectionInfo,
  Exchange,
  PreparedHead,
  RequestHead,
  ResponseHead,
  Tunnel,
} from '../../exchange.ts';
import { CANCEL, INTERNAL_ERROR } from '../frame.ts';
import type { Sending } from '../sending.ts';
import type { StreamSender } from '../stream-sender.ts';
import { writePreparedHead } from './prepared-writer.ts';
import type { StreamBodyOwner, StreamRequestBody } from './request-body.ts';
import { responseBlock } from './response-block.ts';
import { StreamSink, TunnelSink } from './response-sink.ts';

/** The session, as a stream sees it. */
export interface StreamOwner {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Ends the stream with an error, towards the client; the road is not told. */
  reset(stream: ServerStream, code: number): void;
  /** So many bytes of the body were read, or will not be. */
  bodyConsumed(stream: ServerStream, bytes: number): void;
}

export interface StreamParts {
  readonly id: number;
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  readonly receivedAt: number;
  readonly sender: StreamSender;
  readonly sending: Sending;
  readonly owner: StreamOwner;
  readonly expectsContinue: boolean;
}

export class ServerStream implements Exchange, StreamBodyOwner {
  readonly id: number;
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  readonly receivedAt: number;
  readonly sender: StreamSender;
  /** What the client sends after its head; null: nothing. */
  incoming: StreamRequestBody | null = null;
  /** Bytes the client may still send on this stream. */
  receiveWindow = 0;
  /** Bytes read, and not yet given back as window. */
  owedWindow = 0;
  /** Whether the client has ended its side. */
  hasRequestEnded = false;
  /** Whether the stream carries a tunnel: each side then ends apart from the other. */
  isTunnel = false;
  /** Of the final response; 0 before it has begun. */
  status = 0;
  /** Bytes of the body thrown away since the response was complete. */
  droppedBytes = 0;
  /** The tick by which body bytes must have come, 0: none; and how many there were when the interval began. */
  bodyDeadline = 0;
  bodyMark = 0;
  readonly #owner: StreamOwner;
  readonly #sending: Sending;
  #owesContinue: boolean;
  #isResponding = false;
  #isGone = false;
  #onGone: (() => void) | null = null;

  constructor(parts: StreamParts) {
    this.id = parts.id;
    this.connection = parts.connection;
    this.request = parts.request;
    this.receivedAt = parts.receivedAt;
    this.sender = parts.sender;
    this.#owner = parts.owner;
    this.#sending = parts.sending;
    this.#owesContinue = parts.expectsContinue;
  }

  get body(): BodySource | null {
    return this.request.upgrade === null ? this.incoming : null;
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

  /** To be called by the connection when the stream is lost before the response was whole. */
  gone(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.sender.stop(reason);
    this.incoming?.fail('body-incomplete');
    const listener = this.#onGone;
    this.#onGone = null;
    listener?.();
  }

  inform(status: number, fields: Fields): void {
    if (this.#isGone || this.#isResponding) return;
    // 101 has no place in HTTP/2 (RFC 9113 §8.6).
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) return;
    // An interim response may be left out; a client that does not read must not make us keep them.
    if (this.#sending.isBlocked) return;
    this.#writeHead(responseBlock(status, fields, null, null), false);
  }

  respondWhole(head: ResponseHead, body: Uint8Array | null, bodyLength?: number): void {
    if (!this.#begin(head.status)) return;
    const isHead = this.request.method === 'HEAD';
    const length = isHead
      ? (bodyLength ?? body?.length ?? announcedLength(head.fields))
      : (body?.length ?? 0);
    const sent = isHead || isBodiless(head.status) || length === 0 ? null : body;
    const announced = isBodiless(head.status) ? null : length;
    const block = responseBlock(head.status, head.fields, announced, this.#owner.now());
    this.#writeHead(block, sent === null);
    if (sent !== null) this.sender.sendLast(sent);
  }

  respondPrepared(
    head: PreparedHead,
    dynamicLines: string,
    body: Uint8Array | null,
    bodyLength: number,
  ): void {
    if (!this.#begin(head.status)) return;
    const isWithout = isBodiless(head.status);
    const isHead = this.request.method === 'HEAD';
    const sent = isHead || isWithout || body === null || body.length === 0 ? null : body;
    const length = isWithout ? null : isHead ? bodyLength : (body?.length ?? 0);
    const { streamId } = this.sender;
    const { output, peer } = this.#sending;
    const now = this.#owner.now();
    writePreparedHead(output, peer, streamId, head, dynamicLines, length, now, sent === null);
    this.#sending.flushSoon();
    if (sent !== null) this.sender.sendLast(sent);
    else this.sender.endWithHead();
  }

  respondStream(head: ResponseHead, bodyLength: number | null): BodySink {
    if (!this.#begin(head.status)) return new LostSink();
    const { status, fields } = head;
    const isHead = this.request.method === 'HEAD';
    const isWithout = isBodiless(status);
    const length = isWithout ? null : isHead ? (bodyLength ?? announcedLength(fields)) : bodyLength;
    const block = responseBlock(status, fields, length, this.#owner.now());
    if (isHead || isWithout) {
      this.#writeHead(block, true);
      return new DroppingSink();
    }
    this.#writeHead(block, false);
    return new StreamSink(this.sender, length, (reason) => this.#fail(INTERNAL_ERROR, reason));
  }

  acceptTunnel(fields: Fields): Tunnel {
    assert(this.request.upgrade !== null, 'only a switch that was asked for is accepted');
    if (!this.#begin(200)) return { source: LOST_SOURCE, sink: new LostSink() };
    this.#writeHead(responseBlock(200, fields, null, this.#owner.now()), false);
    this.isTunnel = true;
    const sink = new TunnelSink(this.sender, (reason) => this.#fail(CANCEL, reason));
    return { source: this.incoming ?? LOST_SOURCE, sink };
  }

  abort(reason: string): void {
    this.#isResponding = true;
    if (!this.#isGone) this.#fail(INTERNAL_ERROR, reason);
  }

  // What the body asks of its stream.

  bodyWanted(): void {
    if (this.#isGone || !this.#owesContinue || this.#isResponding) return;
    this.#owesContinue = false;
    this.#writeHead(CONTINUE_BLOCK, false);
  }

  bodyConsumed(bytes: number): void {
    this.#owner.bodyConsumed(this, bytes);
  }

  /** Ends the stream by our own doing: nobody is told that the client went. */
  #fail(code: number, reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#onGone = null;
    this.#owner.reset(this, code);
    this.sender.stop(reason);
    this.incoming?.fail('body-incomplete');
  }

  #writeHead(block: Buffer, endsStream: boolean): void {
    this.#sending.writeHead(this.sender.streamId, block, endsStream);
    if (endsStream) this.sender.endWithHead();
  }

  /** Marks the answer as begun; false when nobody is there to read it. */
  #begin(status: number): boolean {
    assert(!this.#isResponding, 'an exchange is answered once');
    this.#isResponding = true;
    this.status = status;
    if (this.#isGone) return false;
    if (Number.isInteger(status) && status >= 200 && status <= 999) return true;
    this.#fail(INTERNAL_ERROR, 'the status of the response is none');
    return false;
  }
}

const CONTINUE_BLOCK = responseBlock(100, new Fields(), null, null);
