/**
 * One HTTP/2 connection to a client: its socket, preface (RFC 9113 §3.4), deadlines and endings. What frames
 * mean is the session's (`session.ts`).
 *
 *     data ──▶ preface ──▶ frame reader ──▶ session ──▶ output
 *     drain:  GOAWAY(2³¹-1), PING ──acknowledged──▶ GOAWAY(last stream) ──no stream left──▶ end, linger, close
 */
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { ConnectionContext } from '../../connection/context.ts';
import { type Guarded, NEVER } from '../../connection/deadline-sweep.ts';
import type { ConnectionInfo } from '../../exchange.ts';
import {
  CANCEL,
  FRAME_HEADER_BYTES,
  GOAWAY,
  MAX_31,
  NO_ERROR,
  PING,
  PREFACE,
  PROTOCOL_ERROR,
  SETTINGS_ENABLE_CONNECT_PROTOCOL,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  SETTINGS_NO_RFC7540_PRIORITIES,
  writeFrameHeader,
  writeUint32,
} from '../frame.ts';
import { type FrameListener, FrameReader } from '../frame-reader.ts';
import { FrameOutput } from '../output.ts';
import { settingsFrame } from '../settings.ts';
import type { ServerStream } from './server-stream.ts';
import { Http2Session, type SessionOwner } from './session.ts';

const PING_PAYLOAD = Buffer.from('perigee\0', 'latin1');

const SERVING = 0;
/** GOAWAY has been sent, streams on their way are still taken. */
const ANNOUNCED = 1;
/** No more streams are taken. */
const DRAINING = 2;

export class Http2Connection implements Guarded, SessionOwner, FrameListener {
  readonly #socket: ByteSocket;
  readonly #info: ConnectionInfo;
  readonly #context: ConnectionContext;
  readonly #onClosed: () => void;
  readonly #output: FrameOutput;
  readonly #session: Http2Session;
  readonly #reader: FrameReader;
  #prefaceBytes = 0;
  #phase = SERVING;
  #isPaused = false;
  #hasInputEnded = false;
  #isLingering = false;
  #lingeredBytes = 0;
  #isClosed = false;
  /** By then a request must have come, or the connection have ended. */
  #idleDeadline: number;
  /** By then the frame or field block that has begun must be whole. */
  #frameDeadline = NEVER;
  #blockDeadline = NEVER;
  /** The frame it is set for, and how much of it there was then. */
  #partialFrame = 0;
  #partialMark = 0;
  #drainDeadline = NEVER;

  constructor(socket: ByteSocket, info: ConnectionInfo, context: ConnectionContext, onClosed: () => void) {
    const { limits } = context;
    this.#socket = socket;
    this.#info = info;
    this.#context = context;
    this.#onClosed = onClosed;
    this.#output = new FrameOutput(socket, context.frameScratch);
    this.#session = new Http2Session(this.#output, info, context, this);
    this.#reader = new FrameReader(limits.frameBytesMax, this);
    this.#idleDeadline = this.#deadline(limits.headMs);
    context.sweep.add(this);
    this.#greet();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#inputEnded());
    socket.on('drain', () => this.#drained());
    // What went wrong on the wire matters to nobody: `close` follows, and the client is gone.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed('the connection is closed'));
  }

  // What listeners ask.

  /** No further streams are taken, once the client knows; those open are answered first. */
  drain(): void {
    if (this.#phase !== SERVING || this.#isLingering) return;
    this.#phase = ANNOUNCED;
    this.#drainDeadline = this.#deadline(this.#context.limits.goAwayMs);
    this.#writeGoAway(MAX_31, NO_ERROR, '');
    this.#writePing();
    this.#session.sending.advance();
  }

  /** Ends the connection as if the client had gone. */
  sever(): void {
    this.#closed('the connection was cut');
    this.#socket.destroy();
  }

  onTick(tick: number): void {
    const { limits, sweep } = this.#context;
    if (this.#output.isStalled(tick, sweep.ticks(limits.writeProgressMs))) {
      this.#context.countRefusal('response-too-slow');
      this.sever();
    } else if (this.#isLingering) {
      if (tick >= this.#idleDeadline) this.#socket.destroy();
    } else if (this.#isTooSlow(tick)) {
      this.protocolFailed(PROTOCOL_ERROR, 'head-too-slow');
    } else {
      if (tick >= this.#drainDeadline) this.#announceLast();
      // A reset is seen by the next write, where nothing is read any more.
      if (this.#hasInputEnded && this.#output.unsentBytes === 0) this.#probe();
      if (this.#session.streams.size > 0) this.#watchStreams(tick);
      // A request whose fields are arriving has a deadline of its own.
      else if (tick >= this.#idleDeadline && this.#session.block === null) this.#goAway(NO_ERROR, '');
    }
  }

  // Frames, on their way to the session.

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, from: number, to: number): boolean {
    const goesOn = this.#session.onFrame(type, flags, streamId, bytes, from, to);
    // One chunk can hold thousands of small requests with large answers.
    if (this.#output.unsentBytes > this.#context.limits.unsentBytesMax) this.#reader.pause();
    return goesOn;
  }

  onFrameTooLarge(): void {
    this.#session.onFrameTooLarge();
  }

  // What the session says.

  protocolFailed(code: number, reason: string): void {
    this.#context.countRefusal(reason);
    this.#context.log.debug({ client: this.#info.clientAddress, reason }, 'HTTP/2 connection ended');
    this.#goAway(code, reason);
  }

  clientGoesAway(): void {
    if (this.#phase < DRAINING) this.#announceLast();
  }

  pingAcknowledged(): void {
    if (this.#phase === ANNOUNCED) this.#announceLast();
  }

  streamClosed(): void {
    if (this.#session.streams.size > 0) return;
    this.#idleDeadline = this.#deadline(this.#context.limits.idleMs);
    if (this.#phase === DRAINING) this.#linger();
  }

  // Receiving.

  #greet(): void {
    const { limits } = this.#context;
    this.#output.writeRaw(
      settingsFrame([
        [SETTINGS_MAX_CONCURRENT_STREAMS, limits.streamsMax],
        [SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
        [SETTINGS_MAX_HEADER_LIST_SIZE, limits.headBytesMax],
        [SETTINGS_ENABLE_CONNECT_PROTOCOL, 1],
        [SETTINGS_NO_RFC7540_PRIORITIES, 1],
      ]),
    );
    this.#session.announceWindow();
    this.#output.flush();
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    if (this.#isLingering) {
      this.#lingeredBytes += chunk.length;
      if (this.#lingeredBytes > this.#context.limits.lingerBytesMax) this.#socket.destroy();
      return;
    }
    this.#session.sending.beginGathering();
    const at = this.#readPreface(chunk);
    if (at < chunk.length && !this.#isLingering) this.#reader.push(chunk, at);
    this.#hasRead(chunk);
  }

  #hasRead(chunk: Buffer | null): void {
    if (chunk !== null) this.#session.endChunk(chunk);
    this.#session.sending.endGathering();
    if (this.#isClosed || this.#isLingering) return;
    this.#guardFrames();
    this.#adjustFlow();
    if (this.#session.requests >= this.#context.limits.requestsPerConnectionMax) this.drain();
  }

  /** Compares the preface as far as it has come; returns where frames begin. */
  #readPreface(chunk: Buffer): number {
    const missing = PREFACE.length - this.#prefaceBytes;
    if (missing === 0) return 0;
    const end = Math.min(missing, chunk.length);
    if (PREFACE.compare(chunk, 0, end, this.#prefaceBytes, this.#prefaceBytes + end) !== 0) {
      this.protocolFailed(PROTOCOL_ERROR, 'preface-invalid');
      return chunk.length;
    }
    this.#prefaceBytes += end;
    return end;
  }

  /** Whatever has begun must become whole in time. */
  #guardFrames(): void {
    const { limits } = this.#context;
    if (this.#session.block === null) this.#blockDeadline = NEVER;
    else if (this.#blockDeadline === NEVER) this.#blockDeadline = this.#deadline(limits.headMs);
    if (this.#reader.partialBytes === 0) {
      this.#frameDeadline = NEVER;
    } else if (this.#frameDeadline === NEVER || this.#reader.frames !== this.#partialFrame) {
      this.#frameDeadline = this.#deadline(limits.headMs);
      this.#partialFrame = this.#reader.frames;
      this.#partialMark = this.#reader.partialBytes;
    }
  }

  /** Whether the preface, a frame or a field block has begun and does not become whole in time. */
  #isTooSlow(tick: number): boolean {
    // It is not the client who keeps us from reading on.
    if (this.#isPaused) return false;
    if (tick >= this.#blockDeadline || (tick >= this.#frameDeadline && !this.#hasProgressed())) return true;
    return tick >= this.#idleDeadline && this.#prefaceBytes > 0 && this.#prefaceBytes < PREFACE.length;
  }

  /** Whether enough of the frame has come to wait for more of it: large ones may take their time. */
  #hasProgressed(): boolean {
    const { limits } = this.#context;
    if (this.#reader.partialBytes - this.#partialMark < limits.bodyProgressBytesMin) return false;
    this.#frameDeadline = this.#deadline(limits.bodyProgressMs);
    this.#partialMark = this.#reader.partialBytes;
    return true;
  }

  #inputEnded(): void {
    if (this.#isClosed) return;
    // The client sends no more, not even windows: what is under way ends as far as it can.
    this.#session.inputEnded();
    if (this.#isLingering || this.#session.streams.size === 0) {
      this.#finish();
      return;
    }
    this.#phase = DRAINING;
    this.#hasInputEnded = true;
    this.#probe();
  }

  /** Whoever has closed altogether answers this with a reset, and nobody works for him any longer. */
  #probe(): void {
    this.#writePing();
    this.#session.sending.advance();
  }

  /** Reads no more while answers pile up in the socket. */
  #adjustFlow(): void {
    const mustPause = this.#reader.isPaused;
    // The socket may have taken it all meanwhile, and then does not say that it has.
    if (mustPause && !this.#output.isBlocked) setImmediate(() => this.#drained());
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) {
      this.#socket.pause();
    } else {
      this.#socket.resume();
      this.#frameDeadline = NEVER;
      this.#blockDeadline = NEVER;
      this.#guardFrames();
    }
  }

  #drained(): void {
    if (this.#isClosed) return;
    if (!this.#reader.isPaused) {
      this.#session.sending.advance();
      return;
    }
    this.#session.sending.beginGathering();
    this.#hasRead(this.#reader.resume());
  }

  // Deadlines.

  #deadline(ms: number): number {
    return this.#context.sweep.tick + this.#context.sweep.ticks(ms);
  }

  #watchStreams(tick: number): void {
    const { limits, sweep } = this.#context;
    const stalledTicks = sweep.ticks(limits.writeProgressMs);
    for (const stream of [...this.#session.streams.values()]) {
      if (
        stream.sender.isStalled(
          this.#session.sending.window,
          tick,
          stalledTicks,
          limits.writeProgressBytesMin,
        )
      ) {
        this.#context.countRefusal('response-too-slow');
        this.#session.finish(stream, CANCEL);
        stream.gone('the client takes no bytes');
      } else {
        this.#watchBody(stream, tick);
      }
    }
  }

  /** While somebody waits for a request body, or for its end after the response, bytes must come. */
  #watchBody(stream: ServerStream, tick: number): void {
    const { limits } = this.#context;
    const { incoming } = stream;
    const isLeft = stream.sender.isOver && !stream.hasRequestEnded;
    const isWanted = !stream.isTunnel && (isLeft || incoming?.isWanted === true);
    if (!isWanted) {
      stream.bodyDeadline = 0;
    } else if (stream.bodyDeadline === 0) {
      stream.bodyDeadline = this.#deadline(isLeft ? limits.lingerMs : limits.bodyProgressMs);
      stream.bodyMark = incoming?.receivedBytes ?? 0;
    } else if (tick >= stream.bodyDeadline) {
      if (isLeft) {
        this.#session.finish(stream, NO_ERROR);
      } else if (incoming !== null) {
        stream.bodyDeadline = 0;
        if (incoming.receivedBytes - stream.bodyMark >= limits.bodyProgressBytesMin) return;
        this.#context.countRefusal('body-too-slow');
        incoming.fail('body-too-slow');
      }
    }
  }

  // Ending.

  #writeGoAway(lastId: number, code: number, reason: string): void {
    const debug = Buffer.from(reason, 'latin1');
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + 8 + debug.length);
    let at = writeFrameHeader(frame, 0, 8 + debug.length, GOAWAY, 0, 0);
    at = writeUint32(frame, at, lastId);
    at = writeUint32(frame, at, code);
    frame.set(debug, at);
    this.#output.writeRaw(frame);
  }

  #writePing(): void {
    this.#output.writeFrame(PING, 0, 0, PING_PAYLOAD, 0, PING_PAYLOAD.length);
  }

  /** From now on no more streams are taken: the client knows, or has had the time to. */
  #announceLast(): void {
    this.#phase = DRAINING;
    this.#drainDeadline = NEVER;
    this.#session.lastIdTaken = this.#session.streams.lastId;
    this.#writeGoAway(this.#session.lastIdTaken, NO_ERROR, '');
    this.#session.sending.advance();
    if (this.#session.streams.size === 0) this.#linger();
  }

  /** Ends it now: streams under way are lost. */
  #goAway(code: number, reason: string): void {
    if (this.#isLingering || this.#isClosed) return;
    // What was ready comes before the end, whatever else came in the same chunk.
    this.#session.sending.endGathering();
    // Never above what was said before (RFC 9113 §6.8).
    const lastId = Math.min(this.#session.streams.lastId, this.#session.lastIdTaken);
    this.#writeGoAway(lastId, code, reason);
    this.#output.flush();
    this.#session.end(reason);
    this.#linger();
  }

  /**
   * Ends our side and waits for the client to end its own: closing while it still sends would reset the
   * connection and could take our last frames away.
   */
  #linger(): void {
    if (this.#isLingering || this.#isClosed) return;
    this.#output.flush();
    this.#isLingering = true;
    this.#reader.stop();
    this.#idleDeadline = this.#deadline(this.#context.limits.lingerMs);
    this.#socket.end();
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
  }

  #finish(): void {
    this.#closed('the client has ended the connection');
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.sweep.delete(this);
    this.#session.end(reason);
    this.#output.gone();
    this.#reader.stop();
    this.#onClosed();
  }
}
