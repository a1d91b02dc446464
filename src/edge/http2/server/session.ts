/**
 * The protocol of one HTTP/2 connection to a client (RFC 9113): what each frame means for its streams. Sockets,
 * deadlines and endings are the connection's (`connection.ts`); bodies and windows `receiving.ts`'s and
 * `sending.ts`'s; and what a request is answered with is the handler's.
 *
 *     frames ──▶ HEADERS, CONTINUATION ─▶ block ─▶ request ─▶ stream ─▶ handler
 *        ├─────▶ DATA ─▶ receiving ─▶ the stream's body
 *        └─────▶ SETTINGS, WINDOW_UPDATE ─▶ sending ◀─ heads, bodies ─ stream ◀─ handler
 */
import { Fields } from '#core/http/fields.ts';
import { DEFAULT_PRIORITY, type Priority, parsePriority } from '#core/http/priority.ts';
import type { ConnectionContext } from '../../connection/context.ts';
import { type RequestRefusal, refusalStatus } from '../../connection/request-refusal.ts';
import type { ConnectionInfo, RequestHead } from '../../exchange.ts';
import { FieldBlock } from '../field-block.ts';
import {
  ACK,
  COMPRESSION_ERROR,
  CONTINUATION,
  DATA,
  END_HEADERS,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  MAX_31,
  PING,
  PRIORITY,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  RST_STREAM,
  readUint31,
  SETTINGS,
  STREAM_CLOSED,
  WINDOW_UPDATE,
} from '../frame.ts';
import { type BudgetedKind, FrameBudget } from '../frame-budget.ts';
import type { FrameListener } from '../frame-reader.ts';
import { faultOfFrame } from '../frame-rules.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import type { FrameOutput } from '../output.ts';
import { Sending, type SendingOwner } from '../sending.ts';
import { StreamSender } from '../stream-sender.ts';
import { Receiving, type ReceivingOwner } from './receiving.ts';
import { StreamRequestBody } from './request-body.ts';
import { isAnswered, type ParsedRequest, parseRequest, parseTrailers } from './request-head.ts';
import { ServerStream, type StreamOwner } from './server-stream.ts';
import { StreamTable } from './stream-table.ts';

/** The connection, as its session sees it. */
export interface SessionOwner {
  /** The client broke the protocol or a bound: GOAWAY with `code`, and no more frames. */
  protocolFailed(code: number, reason: string): void;
  /** The client will open no more streams. */
  clientGoesAway(): void;
  pingAcknowledged(): void;
  /** A stream has ended; none may be left. */
  streamClosed(): void;
}

/** A request that is refused has nothing worth telling but whether its answer may have content. */
function refusedRequest(method: string): RequestHead {
  return { method, target: '/', authority: '', httpVersion: '2', fields: new Fields(), upgrade: null };
}

/** How a fault of the field block ends the connection. */
const FLOODS: ReadonlySet<string> = new Set(['block-too-large', 'continuations-too-many']);

export class Http2Session implements FrameListener, SendingOwner, ReceivingOwner, StreamOwner {
  readonly streams: StreamTable;
  readonly sending: Sending;
  /** A field block that has begun and not ended; null: none. */
  block: FieldBlock | null = null;
  requests = 0;
  /** Streams above it are not taken any more. */
  lastIdTaken = MAX_31;
  readonly #info: ConnectionInfo;
  readonly #context: ConnectionContext;
  readonly #owner: SessionOwner;
  readonly #receiving: Receiving;
  readonly #decoder: HpackDecoder;
  readonly #budget: FrameBudget;
  #hasSettings = false;
  #isOver = false;

  constructor(output: FrameOutput, info: ConnectionInfo, context: ConnectionContext, owner: SessionOwner) {
    const { limits, sweep } = context;
    this.#info = info;
    this.#context = context;
    this.#owner = owner;
    this.streams = new StreamTable(limits);
    this.sending = new Sending(output, this, context.turns);
    this.#receiving = new Receiving(context, this.streams, this.sending, this);
    this.#decoder = new HpackDecoder(limits.tableBytesMax);
    this.#budget = new FrameBudget(limits, limits.tickMs, sweep.tick);
  }

  /** To be written behind our SETTINGS. */
  announceWindow(): void {
    this.#receiving.announce();
  }

  /** All of a chunk has been read that can be at present. */
  endChunk(chunk: Buffer): void {
    this.#receiving.endChunk(chunk);
  }

  /** The client will send nothing more: what it has not ended, it never will. */
  inputEnded(): void {
    for (const stream of [...this.streams.values()]) {
      if (stream.hasRequestEnded) continue;
      stream.incoming?.fail('body-incomplete');
      if (stream.sender.isOver) this.#close(stream);
    }
  }

  /** Ends all streams: nothing is read or written any more. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.block = null;
    this.sending.end();
    for (const stream of this.streams.drain()) stream.gone(reason);
  }

  // Frames. Each handler returns whether reading goes on.

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, to: number): boolean {
    if (this.#isOver) return false;
    if (!this.#hasSettings && (type !== SETTINGS || (flags & ACK) !== 0)) {
      return this.fail(PROTOCOL_ERROR, 'settings-missing');
    }
    const { block } = this;
    if (block !== null && (type !== CONTINUATION || streamId !== block.streamId)) {
      return this.fail(PROTOCOL_ERROR, 'block-interrupted');
    }
    const fault = faultOfFrame(type, flags, streamId, to - from);
    if (fault !== null) return this.fail(fault.code, fault.reason);
    switch (type) {
      case DATA:
        return this.#receiving.onData(flags, streamId, bytes, from, to);
      case HEADERS:
        return this.#takeBlock(new FieldBlock(streamId, flags, bytes, from, to), flags);
      case CONTINUATION:
        return this.#onContinuation(flags, bytes, from, to);
      case RST_STREAM:
        return this.#onReset(streamId);
      case SETTINGS:
        return this.#onSettings(flags, bytes, from, to);
      case WINDOW_UPDATE:
        return this.#onWindowUpdate(streamId, readUint31(bytes, from));
      case PING:
        return this.#onPing(flags, bytes, from, to);
      case PRIORITY:
        return this.#spend('priorities');
      case PRIORITY_UPDATE:
        return this.#onPriorityUpdate(bytes, from, to);
      case GOAWAY:
        this.#owner.clientGoesAway();
        return !this.#isOver;
      default:
        return this.#spend('unknownFrames');
    }
  }

  onFrameTooLarge(): void {
    this.fail(FRAME_SIZE_ERROR, 'frame-too-large');
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, to: number): boolean {
    const { block } = this;
    if (block === null) return this.fail(PROTOCOL_ERROR, 'continuation-of-nothing');
    block.add(bytes, from, to, this.#context.limits);
    if (from === to && (flags & END_HEADERS) === 0 && !this.spendEmptyFrame()) return false;
    return this.#takeBlock(block, flags);
  }

  #takeBlock(block: FieldBlock, flags: number): boolean {
    const { fault } = block;
    if (fault !== null) return this.fail(FLOODS.has(fault) ? ENHANCE_YOUR_CALM : PROTOCOL_ERROR, fault);
    if ((flags & END_HEADERS) === 0) {
      this.block = block;
      return true;
    }
    this.block = null;
    const { headBytesMax, fieldLinesMax } = this.#context.limits;
    const bounds = { listBytesMax: headBytesMax, linesMax: fieldLinesMax };
    const lines = this.#decoder.decode(block.bytes, block.from, block.to, bounds);
    if (typeof lines === 'string') return this.fail(COMPRESSION_ERROR, lines);
    return this.#takeFields(block, lines, this.#decoder.isOverBounds);
  }

  /** `isOverBounds`: there were more lines than these. */
  #takeFields(block: FieldBlock, lines: string[], isOverBounds: boolean): boolean {
    const { streamId } = block;
    const stream = this.streams.get(streamId);
    if (stream !== undefined) return this.#onTrailers(stream, block, isOverBounds ? null : lines);
    if (streamId <= this.streams.lastId) return this.#onLateHeaders(streamId);
    const priority = this.streams.open(streamId);
    if (streamId > this.lastIdTaken) {
      this.streams.markReset(streamId);
      return true;
    }
    if (this.streams.isFull) return this.#resetFor(streamId, REFUSED_STREAM, 'streams-max');
    this.requests += 1;
    if (isOverBounds) return this.#refuse(block, 'fields-too-large', lines);
    const parsed = parseRequest(lines, block.endsStream, this.#info.scheme, this.#context.limits);
    if (typeof parsed !== 'string') return this.#serve(block, parsed, priority);
    if (isAnswered(parsed)) return this.#refuse(block, parsed, lines);
    return this.#resetFor(streamId, PROTOCOL_ERROR, parsed);
  }

  /** On a stream that is no more, or never was. */
  #onLateHeaders(streamId: number): boolean {
    // On their way when we reset the stream; a client has no reason to make many of them.
    if (this.streams.wasReset(streamId)) return this.#spend('resets');
    if (this.streams.hasSkipped) return this.fail(PROTOCOL_ERROR, 'stream-id-not-greater');
    return this.fail(STREAM_CLOSED, 'headers-on-closed-stream');
  }

  #serve(block: FieldBlock, parsed: ParsedRequest, early: Priority | null): boolean {
    const context = this.#context;
    const asked = parsed.priority === null ? DEFAULT_PRIORITY : parsePriority(parsed.priority);
    context.exchanges += 1;
    const stream = this.#open(block, parsed.head, early ?? asked, parsed.expectsContinue);
    if (!block.endsStream) stream.incoming = new StreamRequestBody(parsed.contentLength, stream);
    try {
      context.handler(stream);
    } catch (error) {
      context.log.error({ err: error, exchange: stream.id }, 'the handler of an exchange failed');
      stream.abort('the handler failed');
    }
    return !this.#isOver;
  }

  #open(block: FieldBlock, request: RequestHead, priority: Priority, expectsContinue: boolean): ServerStream {
    const { peer } = this.sending;
    const sender = new StreamSender(block.streamId, peer.initialWindowBytes, priority, this.sending);
    const stream = new ServerStream({
      id: this.#context.exchanges,
      connection: this.#info,
      request,
      receivedAt: this.now(),
      sender,
      sending: this.sending,
      owner: this,
      expectsContinue,
    });
    stream.hasRequestEnded = block.endsStream;
    stream.receiveWindow = this.#context.limits.streamWindowBytes;
    this.streams.add(stream);
    return stream;
  }

  /** Answers a request that is well formed and not served. */
  #refuse(block: FieldBlock, refusal: RequestRefusal, lines: readonly string[]): boolean {
    this.#context.countRefusal(refusal);
    const request = refusedRequest(methodOf(lines));
    const stream = this.#open(block, request, DEFAULT_PRIORITY, false);
    const status = refusalStatus(refusal);
    const fields = Fields.of([
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['Cache-Control', 'no-store'],
    ]);
    stream.respondWhole({ status, reason: '', fields }, Buffer.from(`${status}: ${refusal}\n`));
    return true;
  }

  #onTrailers(stream: ServerStream, block: FieldBlock, lines: string[] | null): boolean {
    if (stream.hasRequestEnded) return this.lose(stream, STREAM_CLOSED, 'headers-after-end');
    if (stream.request.upgrade !== null) return this.lose(stream, PROTOCOL_ERROR, 'headers-in-tunnel');
    const trailers = lines === null ? null : parseTrailers(lines);
    if (trailers === null || !block.endsStream) {
      return this.lose(stream, PROTOCOL_ERROR, 'trailers-malformed');
    }
    return this.endRequest(stream, trailers);
  }

  #onReset(streamId: number): boolean {
    if (streamId > this.streams.lastId) return this.fail(PROTOCOL_ERROR, 'reset-of-idle-stream');
    if (!this.#spend('resets')) return false;
    const stream = this.streams.get(streamId);
    if (stream === undefined) return true;
    this.#close(stream);
    stream.gone('the client has reset the stream');
    return !this.#isOver;
  }

  #onSettings(flags: number, bytes: Buffer, from: number, to: number): boolean {
    this.#hasSettings = true;
    if (!this.#spend('settings')) return false;
    if ((flags & ACK) !== 0) return true;
    const { peer, output } = this.sending;
    const before = peer.initialWindowBytes;
    const error = peer.apply(bytes, from, to);
    if (error !== 0) return this.fail(error, 'setting-invalid');
    const change = peer.initialWindowBytes - before;
    for (const { sender } of this.streams.values()) {
      sender.window += change;
      if (sender.window > MAX_31) return this.fail(FLOW_CONTROL_ERROR, 'window-overflow');
    }
    output.writeSmall(SETTINGS, ACK, 0, null);
    return true;
  }

  #onWindowUpdate(streamId: number, increment: number): boolean {
    if (streamId > this.streams.lastId) return this.fail(PROTOCOL_ERROR, 'window-of-idle-stream');
    if (!this.#spend('windowUpdates')) return false;
    if (streamId === 0) {
      if (increment === 0) return this.fail(PROTOCOL_ERROR, 'window-increment-zero');
      return this.sending.widen(increment) || this.fail(FLOW_CONTROL_ERROR, 'window-overflow');
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) return true;
    if (increment === 0) return this.lose(stream, PROTOCOL_ERROR, 'window-increment-zero');
    stream.sender.window += increment;
    return stream.sender.window <= MAX_31 || this.lose(stream, FLOW_CONTROL_ERROR, 'window-overflow');
  }

  #onPing(flags: number, bytes: Buffer, from: number, to: number): boolean {
    if (!this.#spend('pings')) return false;
    if ((flags & ACK) !== 0) {
      this.#owner.pingAcknowledged();
      return !this.#isOver;
    }
    this.sending.output.writeFrame(PING, ACK, 0, bytes, from, to);
    return true;
  }

  #onPriorityUpdate(bytes: Buffer, from: number, to: number): boolean {
    const streamId = readUint31(bytes, from);
    if (streamId === 0) return this.fail(PROTOCOL_ERROR, 'priority-of-no-stream');
    // The server's streams, of which none will ever be.
    if (streamId % 2 === 0) return this.fail(PROTOCOL_ERROR, 'stream-even');
    if (!this.#spend('priorities')) return false;
    const priority = parsePriority(bytes.toString('latin1', from + 4, to));
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.sending.reprioritise(stream.sender, priority);
    else if (streamId > this.streams.lastId && !this.streams.prioritiseEarly(streamId, priority)) {
      return this.fail(PROTOCOL_ERROR, 'priorities-too-many');
    }
    return true;
  }

  // What receiving and sending ask.

  now(): number {
    return this.#context.clock.now();
  }

  fail(code: number, reason: string): false {
    if (!this.#isOver) this.#owner.protocolFailed(code, reason);
    return false;
  }

  lose(stream: ServerStream, code: number, reason: string): boolean {
    const goesOn = this.#resetFor(stream.sender.streamId, code, reason);
    this.#close(stream);
    stream.gone(reason);
    return goesOn && !this.#isOver;
  }

  spendEmptyFrame(): boolean {
    return this.#spend('emptyFrames');
  }

  endRequest(stream: ServerStream, trailers: Fields | null): boolean {
    stream.hasRequestEnded = true;
    const { incoming } = stream;
    if (incoming !== null) {
      if (!incoming.complete(trailers))
        return this.lose(stream, PROTOCOL_ERROR, 'content-length-contradicted');
      this.#receiving.touch(incoming);
    }
    if (stream.sender.isOver) this.#close(stream);
    return true;
  }

  finish(stream: ServerStream, code: number): void {
    if (this.streams.get(stream.sender.streamId) !== stream) return;
    this.sending.writeReset(stream.sender.streamId, code);
    this.streams.markReset(stream.sender.streamId);
    this.#close(stream);
  }

  senderEnded({ streamId }: StreamSender): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    if (stream.hasRequestEnded) {
      this.#close(stream);
    } else if (!stream.isTunnel) {
      stream.incoming?.cancel('the response is complete');
      this.#receiving.dropRest(stream, 0);
    }
  }

  dataWritten(frames: number): void {
    this.#budget.earn('windowUpdates', 2 * frames);
  }

  // What streams ask.

  reset(stream: ServerStream, code: number): void {
    this.finish(stream, code);
  }

  bodyConsumed(stream: ServerStream, bytes: number): void {
    this.#receiving.consumed(stream, bytes);
  }

  // Leaves.

  #close(stream: ServerStream): void {
    const { sender } = stream;
    if (this.streams.get(sender.streamId) !== stream) return;
    this.streams.delete(sender.streamId);
    this.sending.forget(sender);
    // A whole body that nobody will read any more; its bytes are the client's to send again.
    if (stream.incoming?.isComplete && !stream.isTunnel) stream.incoming.cancel('the stream is closed');
    this.#owner.streamClosed();
  }

  /** Resets a stream for the client's mistake, which it may not make too often. */
  #resetFor(streamId: number, code: number, reason: string): boolean {
    this.#context.countRefusal(reason);
    if (!this.#spend('resets')) return false;
    this.sending.writeReset(streamId, code);
    this.streams.markReset(streamId);
    return true;
  }

  #spend(kind: BudgetedKind): boolean {
    if (this.#budget.spend(kind, this.#context.sweep.tick)) return true;
    return this.fail(ENHANCE_YOUR_CALM, `${kind === 'resets' ? 'streams-reset' : kind}-too-often`);
  }
}

/** Of decoded lines of which not all may be there. */
function methodOf(lines: readonly string[]): string {
  for (let i = 0; i < lines.length; i += 2) if (lines[i] === ':method') return lines[i + 1] as string;
  return 'GET';
}
