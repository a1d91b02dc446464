/**
 * What one HTTP/2 connection receives of request bodies (RFC 9113 §6.1, §6.9): keeps the windows that bound it,
 * gives content to its stream, and gives the client new window when the road has read.
 */
import type { ConnectionContext } from '../../connection/context.ts';
import { unpadded } from '../field-block.ts';
import {
  DEFAULT_WINDOW_BYTES,
  END_STREAM,
  FLOW_CONTROL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  STREAM_CLOSED,
  WINDOW_UPDATE,
} from '../frame.ts';
import type { Sending } from '../sending.ts';
import type { StreamRequestBody } from './request-body.ts';
import type { ServerStream } from './server-stream.ts';
import type { StreamTable } from './stream-table.ts';

/** Where faults go. All return whether reading goes on. */
export interface ReceivingOwner {
  /** Ends the connection. */
  fail(code: number, reason: string): false;
  /** Ends one stream for the client's mistake. */
  lose(stream: ServerStream, code: number, reason: string): boolean;
  spendEmptyFrame(): boolean;
  /** The client has ended its side of the stream. */
  endRequest(stream: ServerStream, trailers: null): boolean;
  /** Ends a stream whose answer is complete. */
  finish(stream: ServerStream, code: number): void;
}

export class Receiving {
  readonly #context: ConnectionContext;
  readonly #streams: StreamTable;
  readonly #sending: Sending;
  readonly #owner: ReceivingOwner;
  /** Bytes the client may still send on all streams together. */
  #window: number;
  /** Bytes read, and not yet given back as window. */
  #owedWindow = 0;
  /** Content in the chunk being read that is kept, and the bodies that it, or their end, is for. */
  #keptBytes = 0;
  readonly #touched: StreamRequestBody[] = [];

  constructor(context: ConnectionContext, streams: StreamTable, sending: Sending, owner: ReceivingOwner) {
    this.#context = context;
    this.#streams = streams;
    this.#sending = sending;
    this.#owner = owner;
    this.#window = context.limits.connectionWindowBytes;
  }

  /** Raises the connection's window from what it is at first to what we allow. */
  announce(): void {
    const increment = this.#context.limits.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    if (increment > 0) this.#sending.output.writeSmall(WINDOW_UPDATE, 0, 0, increment);
  }

  /** A DATA frame. */
  onData(flags: number, streamId: number, bytes: Buffer, from: number, to: number): boolean {
    const stream = this.#streams.get(streamId);
    if (stream === undefined && streamId > this.#streams.lastId) {
      return this.#owner.fail(PROTOCOL_ERROR, 'data-on-idle-stream');
    }
    const length = to - from;
    this.#window -= length;
    if (this.#window < 0) return this.#owner.fail(FLOW_CONTROL_ERROR, 'connection-window-exceeded');
    const part = unpadded(flags, bytes, from, to);
    if (part.to < part.from) return this.#owner.fail(PROTOCOL_ERROR, 'padding-too-long');
    const content = part.to - part.from;
    if (stream === undefined) {
      this.#giveBack(length);
      if (!this.#streams.wasReset(streamId)) return this.#owner.fail(STREAM_CLOSED, 'data-on-closed-stream');
      return content > 0 || this.#owner.spendEmptyFrame();
    }
    if (stream.hasRequestEnded) return this.#loseWith(stream, length, STREAM_CLOSED, 'data-after-end');
    if (length > stream.receiveWindow) {
      return this.#loseWith(stream, length, FLOW_CONTROL_ERROR, 'stream-window-exceeded');
    }
    stream.receiveWindow -= length;
    const hasEnd = (flags & END_STREAM) !== 0;
    if (content === 0 && !hasEnd && !this.#owner.spendEmptyFrame()) return false;
    if (length > content) this.consumed(stream, length - content);
    return this.#take(stream, bytes.subarray(part.from, part.to), hasEnd);
  }

  /** A chunk has been read: bodies get what is theirs. Keeping little of it must not keep alive the whole. */
  endChunk(chunk: Buffer): void {
    if (this.#touched.length === 0) return;
    const memory = 2 * this.#keptBytes < chunk.length ? chunk.buffer : null;
    for (const body of this.#touched) body.deliver(memory);
    this.#keptBytes = 0;
    this.#touched.length = 0;
  }

  /** The body has something to deliver when the chunk has been read. */
  touch(body: StreamRequestBody): void {
    if (this.#touched.at(-1) !== body) this.#touched.push(body);
  }

  /** So many bytes of a stream were read, or will not be. */
  consumed(stream: ServerStream, bytes: number): void {
    this.#giveBack(bytes);
    if (stream.hasRequestEnded || this.#streams.get(stream.sender.streamId) !== stream) return;
    stream.owedWindow += bytes;
    if (stream.owedWindow < this.#context.limits.streamWindowBytes / 2) return;
    stream.receiveWindow += stream.owedWindow;
    this.#sending.output.writeSmall(WINDOW_UPDATE, 0, stream.sender.streamId, stream.owedWindow);
    stream.owedWindow = 0;
    this.#sending.advance();
  }

  #giveBack(bytes: number): void {
    this.#owedWindow += bytes;
    if (this.#owedWindow < this.#context.limits.connectionWindowBytes / 2) return;
    this.#window += this.#owedWindow;
    this.#sending.output.writeSmall(WINDOW_UPDATE, 0, 0, this.#owedWindow);
    this.#owedWindow = 0;
    this.#sending.advance();
  }

  #loseWith(stream: ServerStream, length: number, code: number, reason: string): boolean {
    this.#giveBack(length);
    return this.#owner.lose(stream, code, reason);
  }

  #take(stream: ServerStream, content: Buffer, hasEnd: boolean): boolean {
    const { incoming } = stream;
    if (incoming === null) {
      this.consumed(stream, content.length);
    } else {
      const total = incoming.receivedBytes + content.length;
      if (incoming.length !== null && total > incoming.length) {
        return this.#loseWith(stream, content.length, PROTOCOL_ERROR, 'content-length-contradicted');
      }
      if (total > this.#context.limits.requestBodyBytesMax && !stream.isTunnel && !incoming.hasFailed) {
        this.#context.countRefusal('body-too-large');
        incoming.fail('body-too-large');
      }
      if (incoming.take(content)) {
        this.#keptBytes += content.length;
        this.touch(incoming);
      }
    }
    if (hasEnd) return this.#owner.endRequest(stream, null);
    if (stream.sender.isOver && !stream.isTunnel) this.dropRest(stream, content.length);
    return true;
  }

  /**
   * Of a request whose answer is complete a little more is taken, so that the client can finish it; beyond that
   * it is told to stop (RFC 9113 §8.1). At once when it has announced more; but who is refused is let read why
   * first: some clients lose an answer that comes with the reset, and stop by themselves when it is an error.
   */
  dropRest(stream: ServerStream, bytes: number): void {
    stream.droppedBytes += bytes;
    const { incoming } = stream;
    const isAnnounced = incoming !== null && incoming.length !== null && stream.status < 400;
    const remaining = isAnnounced ? Number(incoming.length) - incoming.receivedBytes : 0;
    const { unreadStreamBytesMax } = this.#context.limits;
    if (Math.max(stream.droppedBytes, remaining) > unreadStreamBytesMax) this.#owner.finish(stream, NO_ERROR);
  }
}
