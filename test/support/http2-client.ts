/**
 * A client that writes the very HTTP/2 frames it is told and hands out those it receives, over TLS or plain:
 * for tests of what a server does with frames no library would send. It acknowledges and grants nothing by
 * itself, but for the SETTINGS exchange that `connectHttp2` makes.
 *
 *     const client = await connectHttp2({ address, port, tls: {} });
 *     client.request(1, '/a.css');
 *     const { status, body } = await client.response(1);
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { resetSocket } from '#edge/connection/reset-socket.ts';
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  RST_STREAM,
  readUint24,
  readUint31,
  readUint32,
  SETTINGS,
  writeFrameHeader,
  writeUint32,
} from '#edge/http2/frame.ts';
import { HpackDecoder } from '#edge/http2/hpack/decoder.ts';
import { encodeFieldPlain, fieldBytesMax } from '#edge/http2/hpack/encoder.ts';
import type { ClientTlsOptions } from './raw-client.ts';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export interface Http2Response {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly trailers: ReadonlyMap<string, string> | null;
}

export interface Http2ClientOptions {
  readonly address: string;
  readonly port: number;
  /** Null: plain, with prior knowledge. */
  readonly tls?: ({ readonly serverName?: string; readonly ca?: string } & ClientTlsOptions) | null;
  /** Settings sent first, as (identifier, value) pairs. */
  readonly settings?: readonly (readonly [number, number])[];
  /** Send nothing, not even the preface. */
  readonly isSilent?: boolean;
}

export type FieldLines = readonly (readonly [string, string])[];

export class Http2TestClient {
  readonly socket: Socket;
  /** Frames received and not yet taken, in order. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  receivedBytes = 0;
  isClosed = false;
  /** The highest stream begun. */
  lastStreamId = 0;
  readonly #scheme: 'http' | 'https';
  readonly #decoder = new HpackDecoder(4096);
  #rest: Buffer = Buffer.alloc(0);
  readonly #waiting: (() => void)[] = [];
  #marks = 0;

  constructor(socket: Socket, scheme: 'http' | 'https' = 'https') {
    this.socket = socket;
    this.#scheme = scheme;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    // A reset is one of the ways a connection may end here.
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
      resolve();
    });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  send(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): void {
    if (type === HEADERS) this.lastStreamId = Math.max(this.lastStreamId, streamId);
    this.write(frameBytes(type, flags, streamId, payload));
  }

  /** A GET without a body, unless told otherwise. */
  request(streamId: number, path: string, options: RequestOptions = {}): void {
    const { endsStream = true } = options;
    const block = requestBlock(path, { scheme: this.#scheme, ...options });
    this.send(HEADERS, END_HEADERS | (endsStream ? END_STREAM : 0), streamId, block);
  }

  /** Any lines as a request, or as trailers of one; right or wrong. */
  headers(streamId: number, lines: FieldLines, endsStream = true): void {
    this.send(HEADERS, END_HEADERS | (endsStream ? END_STREAM : 0), streamId, fieldBlock(lines));
  }

  /** Pseudo-fields of a GET on this connection, to be changed or added to. */
  pseudoFields(path: string, method = 'GET'): [string, string][] {
    return [
      [':method', method],
      [':scheme', this.#scheme],
      [':authority', 'example.com'],
      [':path', path],
    ];
  }

  data(streamId: number, content: string | Uint8Array, endsStream = false): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    this.send(DATA, endsStream ? END_STREAM : 0, streamId, bytes);
  }

  /** Takes the next frame that fits, and drops those before it. Rejects when the connection ends first. */
  async take(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const at = this.frames.findIndex(fits);
      if (at !== -1) return this.frames.splice(0, at + 1).at(-1) as Frame;
      if (this.isClosed) throw new Error(`the connection ended; frames left: ${JSON.stringify(this.frames)}`);
      await this.#more();
    }
  }

  /** Takes the next frame of a stream and leaves all others. */
  async takeOf(streamId: number): Promise<Frame> {
    for (;;) {
      const at = this.frames.findIndex((frame) => frame.streamId === streamId);
      if (at !== -1) return this.frames.splice(at, 1)[0] as Frame;
      if (this.isClosed) throw new Error(`the connection ended before a frame of stream ${streamId}`);
      await this.#more();
    }
  }

  /** The whole response on a stream. Rejects when the stream is reset or the connection ends. */
  async response(streamId: number): Promise<Http2Response> {
    let head: ReadonlyMap<string, string> | null = null;
    let trailers: ReadonlyMap<string, string> | null = null;
    const parts: Buffer[] = [];
    for (;;) {
      const frame = await this.takeOf(streamId);
      if (frame.type === RST_STREAM) throw new Error(`reset: ${readUint32(frame.payload, 0)}`);
      if (frame.type === DATA) parts.push(frame.payload);
      if (frame.type === HEADERS) {
        const fields = await this.fieldsOf(frame);
        if (head === null && !(fields.get(':status') ?? '').startsWith('1')) head = fields;
        else if (head !== null) trailers = fields;
      }
      if ((frame.type === DATA || frame.type === HEADERS) && (frame.flags & END_STREAM) !== 0) break;
    }
    if (head === null) throw new Error('a response without a head');
    return { status: Number(head.get(':status')), fields: head, body: Buffer.concat(parts), trailers };
  }

  /** Fields of a HEADERS frame and its CONTINUATIONs; to be called in the order of their arrival. */
  async fieldsOf(frame: Frame): Promise<ReadonlyMap<string, string>> {
    const blocks = [frame.payload];
    for (let { flags } = frame; (flags & END_HEADERS) === 0; ) {
      const next = await this.takeOf(frame.streamId);
      blocks.push(next.payload);
      flags = next.flags;
    }
    const block = Buffer.concat(blocks);
    const bounds = { listBytesMax: 1_000_000, linesMax: 10_000 };
    const lines = this.#decoder.decode(block, 0, block.length, bounds);
    if (typeof lines === 'string') throw new Error(`the server's field block is broken: ${lines}`);
    const fields = new Map<string, string>();
    for (let i = 0; i < lines.length; i += 2) {
      const name = lines[i] as string;
      const value = lines[i + 1] as string;
      const before = fields.get(name);
      fields.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    return fields;
  }

  /** The error code and reason of GOAWAY. */
  async goAway(): Promise<{ code: number; lastId: number; reason: string }> {
    const { payload } = await this.take(({ type }) => type === GOAWAY);
    const reason = payload.toString('latin1', 8);
    return { lastId: readUint31(payload, 0), code: readUint32(payload, 4), reason };
  }

  /** The error code of the stream's reset. */
  async resetOf(streamId: number): Promise<number> {
    const { payload } = await this.take((frame) => frame.type === RST_STREAM && frame.streamId === streamId);
    return readUint32(payload, 0);
  }

  /** Once the server has answered to everything sent before: it answers PING in order. */
  async settled(): Promise<void> {
    const mark = Buffer.alloc(8);
    mark.writeUInt32BE(++this.#marks, 0);
    this.send(PING, 0, 0, mark);
    for (;;) {
      const at = this.frames.findIndex(
        ({ type, flags, payload }) => type === PING && (flags & ACK) !== 0 && mark.equals(payload),
      );
      if (at !== -1) {
        this.frames.splice(at, 1);
        return;
      }
      if (this.isClosed) throw new Error('the connection ended before PING was answered');
      await this.#more();
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Closes with a reset, where the runtime can. */
  reset(): void {
    resetSocket(this.socket);
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const from = at + FRAME_HEADER_BYTES;
      const to = from + readUint24(bytes, at);
      if (to > bytes.length) break;
      const payload = bytes.subarray(from, to);
      const type = bytes[at + 3] as number;
      const flags = bytes[at + 4] as number;
      this.frames.push({ type, flags, streamId: readUint31(bytes, at + 5), payload });
      at = to;
    }
    this.#rest = bytes.subarray(at);
    this.#wake();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export interface RequestOptions {
  readonly method?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly fields?: FieldLines;
  readonly endsStream?: boolean;
}

/** The field block of a request. */
export function requestBlock(path: string, options: RequestOptions = {}): Buffer {
  const { method = 'GET', authority = 'example.com', scheme = 'https', fields = [] } = options;
  return fieldBlock([
    [':method', method],
    [':scheme', scheme],
    [':authority', authority],
    [':path', path],
    ...fields,
  ]);
}

/** Any lines as a field block, right or wrong. */
export function fieldBlock(lines: FieldLines): Buffer {
  const room = lines.reduce((sum, [name, value]) => sum + fieldBytesMax(name, value), 0);
  const block = Buffer.alloc(room);
  let at = 0;
  for (const [name, value] of lines) at = encodeFieldPlain(block, at, name, value);
  return block.subarray(0, at);
}

export function frameBytes(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  frame.set(payload, writeFrameHeader(frame, 0, payload.length, type, flags, streamId));
  return frame;
}

/** Four bytes, as in WINDOW_UPDATE and RST_STREAM. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  writeUint32(bytes, 0, value);
  return bytes;
}

export function settingsPayload(settings: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat(settings.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id), uint32(value)])));
}

/** Connects, says the preface and SETTINGS, and acknowledges the server's. */
export async function connectHttp2(options: Http2ClientOptions): Promise<Http2TestClient> {
  const { address, port, tls = {}, settings = [], isSilent = false } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const where = { host: address, port, allowHalfOpen: true };
  let socket: Socket;
  if (tls === null) {
    socket = connect(where, resolve);
  } else {
    const { serverName = 'example.com', ca, ...rest } = tls;
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
    const ALPNProtocols = ['h2'];
    socket = connectTls({ ...where, ...trust, servername: serverName, ALPNProtocols, ...rest }, resolve);
  }
  socket.once('error', reject);
  const client = new Http2TestClient(socket, tls === null ? 'http' : 'https');
  await promise;
  socket.setNoDelay(true);
  if (isSilent) return client;
  client.write(PREFACE);
  client.send(SETTINGS, 0, 0, settingsPayload(settings));
  await client.take(({ type, flags }) => type === SETTINGS && (flags & ACK) === 0);
  client.send(SETTINGS, ACK, 0);
  await client.take(({ type, flags }) => type === SETTINGS && (flags & ACK) !== 0);
  return client;
}
