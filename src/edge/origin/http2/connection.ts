/**
 * One HTTP/2 connection to an origin (RFC 9113), shared by the requests of many users: frames to the stream they
 * belong to, windows, settings, and when no further request may begin on it. An origin is trusted as little
 * as a client: what it may make us keep or do is bounded in the same ways.
 */
import type { Socket } from 'node:net';
import { DEFAULT_PRIORITY } from '#core/http/priority.ts';
import { FieldBlock, unpadded } from '../../http2/field-block.ts';
import {
  ACK,
  COMPRESSION_ERROR,
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW_BYTES,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  MAX_31,
  NO_ERROR,
  PING,
  PREFACE,
  PROTOCOL_ERROR,
  RST_STREAM,
  readUint31,
  readUint32,
  SETTINGS,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  WINDOW_UPDATE,
  writeUint32,
} from '../../http2/frame.ts';
import { type BudgetedKind, FrameBudget } from '../../http2/frame-budget.ts';
import { type FrameListener, FrameReader } from '../../http2/frame-reader.ts';
import { faultOfFrame } from '../../http2/frame-rules.ts';
import { HpackDecoder } from '../../http2/hpack/decoder.ts';
import { HTTP2_LIMITS } from '../../http2/limits.ts';
import { FrameOutput, type FrameScratch } from '../../http2/output.ts';
import { Sending, type SendingOwner } from '../../http2/sending.ts';
import { settingsFrame } from '../../http2/settings.ts';
import { StreamSender } from '../../http2/stream-sender.ts';
import type { Deadlines, Timed } from '../deadlines.ts';
import type { OriginLimits } from '../limits.ts';
import { ORIGIN_HTTP2_LIMITS } from './limits.ts';

/** A request under way, as its connection sees it. */
export interface OriginStream {
  /** A field section: of an interim or the final response, or trailers. */
  onFields(lines: readonly string[], endsStream: boolean): void;
  /** A part of the content; `length` counts against the window, with padding. */
  onContent(content: Buffer, length: number, endsStream: boolean): void;
  onResetByOrigin(code: number): void;
  /** The connection is lost; `wasRefused`: the origin has certainly not seen the request. */
  onConnectionLost(detail: string, wasRefused: boolean): void;
}

export interface StreamHandle {
  readonly id: number;
  readonly sender: StreamSender;
  readonly stream: OriginStream;
  /** Bytes of content that the origin may still send. */
  receiveWindow: number;
}

export interface Http2ConnectionSettings {
  readonly limits: OriginLimits;
  readonly deadlines: Deadlines;
  readonly scratch: FrameScratch;
}

/** Milliseconds that count as one tick of the frame budget. */
const TICK_MS = 500;
/** Until the origin says how many requests it takes at a time: what nearly every server does. */
const STREAMS_AT_FIRST = 10;

export class Http2OriginConnection implements FrameListener, SendingOwner, Timed {
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly sending: Sending;
  readonly #socket: Socket;
  readonly #settings: Http2ConnectionSettings;
  readonly #onChanged: (connection: Http2OriginConnection) => void;
  readonly #output: FrameOutput;
  readonly #reader: FrameReader;
  readonly #decoder = new HpackDecoder(HTTP2_LIMITS.tableBytesMax);
  readonly #budget: FrameBudget;
  readonly #streams = new Map<number, StreamHandle>();
  #block: FieldBlock | null = null;
  #nextId = 1;
  /** Bytes the origin may still send on all streams together, and those it has sent that are not given back. */
  #receiveWindow: number = ORIGIN_HTTP2_LIMITS.connectionWindowBytes;
  #owedWindow = 0;
  #hasSettings = false;
  #isGoing = false;
  #isClosed = false;
  #error: Error | null = null;

  /** `onChanged` is called when it has room again, goes away, or has closed. */
  constructor(
    socket: Socket,
    settings: Http2ConnectionSettings,
    onChanged: (connection: Http2OriginConnection) => void,
  ) {
    this.#socket = socket;
    this.#settings = settings;
    this.#onChanged = onChanged;
    this.#output = new FrameOutput(socket, settings.scratch);
    this.sending = new Sending(this.#output, this, null);
    this.sending.peer.streamsMax = STREAMS_AT_FIRST;
    this.#reader = new FrameReader(HTTP2_LIMITS.frameBytesMax, this);
    this.#budget = new FrameBudget(HTTP2_LIMITS, TICK_MS, this.#tick());
    settings.deadlines.watch(this);
    this.#rest();
    this.#greet();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.sending.advance());
    socket.on('end', () => this.#end('the origin has ended the connection'));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#end(this.#error?.message ?? 'the connection was closed'));
  }

  /** Whether a request may begin on it. */
  get hasRoom(): boolean {
    const { streamsMax } = this.sending.peer;
    const most = Math.min(streamsMax, ORIGIN_HTTP2_LIMITS.streamsPerConnectionMax);
    return !this.#isGoing && this.#streams.size < most && this.#nextId < MAX_31 && this.#socket.writable;
  }

  /** Whether the origin has not said yet how many requests it takes. */
  get isNew(): boolean {
    return !this.#hasSettings;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether no request may begin on it any more. */
  get isGoing(): boolean {
    return this.#isGoing;
  }

  get isIdle(): boolean {
    return this.#streams.size === 0;
  }

  /** Begins a request; the connection must have room. */
  open(stream: OriginStream, block: Buffer, endsStream: boolean): StreamHandle {
    const id = this.#nextId;
    this.#nextId += 2;
    this.deadlineAt = Number.POSITIVE_INFINITY;
    const sender = new StreamSender(id, this.sending.peer.initialWindowBytes, DEFAULT_PRIORITY, this.sending);
    const handle = { id, sender, stream, receiveWindow: ORIGIN_HTTP2_LIMITS.streamWindowBytes };
    this.#streams.set(id, handle);
    this.sending.writeHead(id, block, endsStream);
    if (endsStream) sender.endWithHead();
    this.sending.advance();
    return handle;
  }

  /** The request is over for its asker; `code` null: it has ended both ways. */
  release(handle: StreamHandle, code: number | null): void {
    if (!this.#streams.delete(handle.id)) return;
    handle.sender.stop('the exchange with the origin is over');
    this.sending.forget(handle.sender);
    if (code !== null) {
      this.sending.writeReset(handle.id, code);
      this.sending.advance();
    }
    if (this.#streams.size === 0) this.#rest();
    this.#onChanged(this);
  }

  /** Gives the origin window for a stream. */
  widen(handle: StreamHandle, bytes: number): void {
    if (this.#isClosed || !this.#streams.has(handle.id)) return;
    handle.receiveWindow += bytes;
    this.#output.writeSmall(WINDOW_UPDATE, 0, handle.id, bytes);
    this.sending.advance();
  }

  /** No further request begins on it; those under way go on. */
  retire(): void {
    this.#isGoing = true;
    if (this.#streams.size === 0) this.close();
    else this.#onChanged(this);
  }

  /** Closes it at once. */
  close(): void {
    if (this.#isClosed) return;
    this.#writeGoAway(NO_ERROR);
    this.#output.flush();
    this.#socket.end();
    this.#end('the edge has closed the connection');
    this.#socket.destroySoon();
  }

  onDeadline(): void {
    if (this.#streams.size === 0) this.close();
  }

  // What the sending side says.

  senderEnded(): void {}

  dataWritten(frames: number): void {
    this.#budget.earn('windowUpdates', 2 * frames);
  }

  // Frames. Each handler returns whether reading goes on.

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, to: number): boolean {
    if (this.#isClosed) return false;
    if (!this.#hasSettings && (type !== SETTINGS || (flags & ACK) !== 0))
      return this.#fail(PROTOCOL_ERROR, 'settings-missing');
    const block = this.#block;
    if (block !== null && (type !== CONTINUATION || streamId !== block.streamId)) {
      return this.#fail(PROTOCOL_ERROR, 'block-interrupted');
    }
    const fault = faultOfFrame(type, flags, streamId, to - from);
    if (fault !== null) return this.#fail(fault.code, fault.reason);
    // What a server may say of streams is said of those we have opened.
    if (streamId >= this.#nextId) return this.#fail(PROTOCOL_ERROR, 'frame-on-idle-stream');
    switch (type) {
      case DATA:
        return this.#onData(flags, streamId, bytes, from, to);
      case HEADERS:
        return this.#takeBlock(new FieldBlock(streamId, flags, bytes, from, to), flags);
      case CONTINUATION:
        return this.#onContinuation(flags, bytes, from, to);
      case RST_STREAM:
        return this.#onReset(streamId, readUint32(bytes, from));
      case SETTINGS:
        return this.#onSettings(flags, bytes, from, to);
      case WINDOW_UPDATE:
        return this.#onWindowUpdate(streamId, readUint31(bytes, from));
      case PING:
        return this.#onPing(flags, bytes, from, to);
      case GOAWAY:
        return this.#onGoAway(readUint31(bytes, from));
      default:
        return this.#spend('unknownFrames');
    }
  }

  onFrameTooLarge(): void {
    this.#fail(FRAME_SIZE_ERROR, 'frame-too-large');
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, to: number): boolean {
    const block = this.#block;
    if (block === null) return this.#fail(PROTOCOL_ERROR, 'continuation-of-nothing');
    block.add(bytes, from, to, { ...HTTP2_LIMITS, blockBytesMax: this.#settings.limits.headBytesMax });
    return this.#takeBlock(block, flags);
  }

  #takeBlock(block: FieldBlock, flags: number): boolean {
    if (block.fault !== null) return this.#fail(PROTOCOL_ERROR, block.fault);
    if ((flags & END_HEADERS) === 0) {
      this.#block = block;
      return true;
    }
    this.#block = null;
    const { headBytesMax, fieldLinesMax } = this.#settings.limits;
    const bounds = { listBytesMax: headBytesMax, linesMax: fieldLinesMax };
    const lines = this.#decoder.decode(block.bytes, block.from, block.to, bounds);
    if (typeof lines === 'string') return this.#fail(COMPRESSION_ERROR, lines);
    if (this.#decoder.isOverBounds) return this.#fail(ENHANCE_YOUR_CALM, 'fields-too-large');
    this.#streams.get(block.streamId)?.stream.onFields(lines, block.endsStream);
    return !this.#isClosed;
  }

  #onData(flags: number, streamId: number, bytes: Buffer, from: number, to: number): boolean {
    const length = to - from;
    const part = unpadded(flags, bytes, from, to);
    if (part.to < part.from) return this.#fail(PROTOCOL_ERROR, 'padding-too-long');
    const hasEnd = (flags & END_STREAM) !== 0;
    if (part.to === part.from && !hasEnd && !this.#spend('emptyFrames')) return false;
    const handle = this.#streams.get(streamId);
    if (handle !== undefined) handle.receiveWindow -= length;
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0 || (handle !== undefined && handle.receiveWindow < 0)) {
      return this.#fail(FLOW_CONTROL_ERROR, 'window-exceeded');
    }
    this.#owedWindow += length;
    // Nothing waits here: each stream is bounded by its own window.
    if (this.#owedWindow >= ORIGIN_HTTP2_LIMITS.connectionWindowBytes / 4) {
      this.#output.writeSmall(WINDOW_UPDATE, 0, 0, this.#owedWindow);
      this.#receiveWindow += this.#owedWindow;
      this.#owedWindow = 0;
    }
    handle?.stream.onContent(bytes.subarray(part.from, part.to), length, hasEnd);
    return !this.#isClosed;
  }

  #onReset(streamId: number, code: number): boolean {
    const handle = this.#streams.get(streamId);
    if (handle === undefined) return this.#spend('resets');
    handle.stream.onResetByOrigin(code);
    this.release(handle, null);
    return !this.#isClosed;
  }

  #onSettings(flags: number, bytes: Buffer, from: number, to: number): boolean {
    const isFirst = !this.#hasSettings;
    this.#hasSettings = true;
    if ((flags & ACK) !== 0) return true;
    if (!this.#spend('settings')) return false;
    const { peer } = this.sending;
    const before = peer.initialWindowBytes;
    // Unlimited unless it says otherwise (RFC 9113 §6.5.2).
    if (isFirst) peer.streamsMax = MAX_31;
    const error = peer.apply(bytes, from, to);
    if (error !== 0) return this.#fail(error, 'setting-invalid');
    for (const { sender } of this.#streams.values()) {
      sender.window += peer.initialWindowBytes - before;
      if (sender.window > MAX_31) return this.#fail(FLOW_CONTROL_ERROR, 'window-overflow');
    }
    this.#output.writeSmall(SETTINGS, ACK, 0, null);
    this.#onChanged(this);
    return !this.#isClosed;
  }

  #onWindowUpdate(streamId: number, increment: number): boolean {
    if (!this.#spend('windowUpdates')) return false;
    if (increment === 0) return this.#fail(PROTOCOL_ERROR, 'window-increment-zero');
    if (streamId === 0) {
      return this.sending.widen(increment) || this.#fail(FLOW_CONTROL_ERROR, 'window-overflow');
    }
    const handle = this.#streams.get(streamId);
    if (handle === undefined) return true;
    handle.sender.window += increment;
    return handle.sender.window <= MAX_31 || this.#fail(FLOW_CONTROL_ERROR, 'window-overflow');
  }

  #onPing(flags: number, bytes: Buffer, from: number, to: number): boolean {
    if ((flags & ACK) !== 0) return true;
    if (!this.#spend('pings')) return false;
    this.#output.writeFrame(PING, ACK, 0, bytes, from, to);
    return true;
  }

  /** Streams above `lastId` were not seen by the origin and may be asked for again (RFC 9113 §6.8). */
  #onGoAway(lastId: number): boolean {
    this.#isGoing = true;
    for (const handle of [...this.#streams.values()]) {
      if (handle.id <= lastId) continue;
      this.#streams.delete(handle.id);
      this.sending.forget(handle.sender);
      handle.sender.stop('the origin is going away');
      handle.stream.onConnectionLost('the origin is going away', true);
    }
    if (this.#streams.size === 0) this.close();
    this.#onChanged(this);
    return !this.#isClosed;
  }

  // The connection as a whole.

  #greet(): void {
    const { headBytesMax } = this.#settings.limits;
    this.#output.writeRaw(PREFACE);
    this.#output.writeRaw(
      settingsFrame([
        [SETTINGS_ENABLE_PUSH, 0],
        [SETTINGS_INITIAL_WINDOW_SIZE, ORIGIN_HTTP2_LIMITS.streamWindowBytes],
        [SETTINGS_MAX_HEADER_LIST_SIZE, headBytesMax],
      ]),
    );
    const increment = ORIGIN_HTTP2_LIMITS.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    this.#output.writeSmall(WINDOW_UPDATE, 0, 0, increment);
    this.#output.flush();
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.sending.beginGathering();
    this.#reader.push(chunk, 0);
    this.sending.endGathering();
  }

  #rest(): void {
    if (this.#isGoing) this.close();
    else this.deadlineAt = this.#settings.deadlines.now() + ORIGIN_HTTP2_LIMITS.idleMs;
  }

  #tick(): number {
    return Math.floor(this.#settings.deadlines.now() / TICK_MS);
  }

  #spend(kind: BudgetedKind): boolean {
    return this.#budget.spend(kind, this.#tick()) || this.#fail(ENHANCE_YOUR_CALM, `${kind}-too-often`);
  }

  /** The origin broke the protocol or a bound. */
  #fail(code: number, reason: string): false {
    if (this.#isClosed) return false;
    this.#writeGoAway(code);
    this.#output.flush();
    this.#end(reason);
    this.#socket.destroySoon();
    return false;
  }

  #writeGoAway(code: number): void {
    const payload = Buffer.alloc(8);
    writeUint32(payload, 4, code);
    this.#output.writeFrame(GOAWAY, 0, 0, payload, 0, payload.length);
  }

  #end(detail: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isGoing = true;
    this.#settings.deadlines.forget(this);
    this.sending.end();
    this.#output.gone();
    this.#reader.stop();
    this.#socket.destroySoon();
    const handles = [...this.#streams.values()];
    this.#streams.clear();
    for (const { sender, stream } of handles) {
      sender.stop(detail);
      stream.onConnectionLost(detail, false);
    }
    this.#onChanged(this);
  }
}
