/**
 * A client that writes the very bytes it is told and reads responses one by one, on real sockets, plain or
 * over TLS: for tests of what a server does with requests no HTTP library would send.
 *
 *     const client = await openRawClient(edge.http);
 *     client.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
 *     const response = await client.readResponse();
 */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { resetSocket } from '#edge/connection/reset-socket.ts';

export interface RawResponse {
  readonly httpVersion: string;
  readonly status: number;
  readonly reason: string;
  /** Field lines as received: name in lower case, value. */
  readonly fields: readonly (readonly [string, string])[];
  /** Value of a field (lower-case name), several lines joined by ", ". */
  field(name: string): string | null;
  /** The body without its transfer coding. */
  readonly body: Buffer;
  /** The body as latin1 text. */
  readonly text: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** False when the connection ended before the body did. */
  readonly isComplete: boolean;
}

export interface RawClientOptions {
  readonly address: string;
  readonly port: number;
  /** Talk TLS; `serverName` null sends none. The rest goes to the TLS library as it is. */
  readonly tls?: { readonly serverName: string | null; readonly ca?: string } & ClientTlsOptions;
  /** Do not read until `startReading`. */
  readonly startPaused?: boolean;
}

export type ClientTlsOptions = Pick<
  ConnectionOptions,
  'key' | 'cert' | 'ciphers' | 'sigalgs' | 'minVersion' | 'maxVersion' | 'session' | 'ALPNProtocols'
>;

export interface RawClient {
  readonly socket: Socket | TLSSocket;
  /** Strings are latin1. */
  write(bytes: string | Uint8Array): void;
  /** Ends our side; the other may still send. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Closes with a reset, where the runtime can. */
  reset(): void;
  /**
   * The next response (interim ones too), with its whole body. Rejects when the connection ends before its
   * head is whole. `method` is the request's: HEAD has no body.
   */
  readResponse(method?: string): Promise<RawResponse>;
  /** The next head alone; its body comes with `readBytes` or `readToEnd`. */
  readHead(): Promise<RawResponse>;
  /** Exactly `count` bytes of what follows. */
  readBytes(count: number): Promise<Buffer>;
  /** All that comes until the connection ends. */
  readToEnd(): Promise<Buffer>;
  stopReading(): void;
  startReading(): void;
  /** Bytes received so far. */
  readonly receivedBytes: number;
  /** Once the connection is closed or reset. */
  readonly closed: Promise<void>;
}

/** Connects; rejects when that (or the TLS handshake) fails. */
export async function openRawClient(options: RawClientOptions): Promise<RawClient> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const where = { host: options.address, port: options.port, allowHalfOpen: true };
  let socket: Socket | TLSSocket;
  if (options.tls === undefined) {
    socket = connect(where, resolve);
  } else {
    const { serverName, ca, ...rest } = options.tls;
    const name = serverName === null ? {} : { servername: serverName };
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
    socket = connectTls({ ...where, ...name, ...trust, ...rest }, resolve);
  }
  socket.once('error', (error: NodeJS.ErrnoException) => {
    // Accepted and reset before we looked: open, and ended. Whether that is seen here or later is chance.
    if (options.tls === undefined && error.code === 'ECONNRESET') resolve();
    else reject(error);
  });
  if (options.startPaused) socket.pause();
  const client = new SocketClient(socket, options.startPaused ?? false);
  await promise;
  socket.setNoDelay(true);
  return client;
}

const EMPTY = Buffer.alloc(0);

class SocketClient implements RawClient {
  readonly socket: Socket | TLSSocket;
  readonly closed: Promise<void>;
  receivedBytes = 0;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #hasEnded = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket | TLSSocket, startPaused: boolean) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const ended = () => {
      this.#hasEnded = true;
      this.#wake?.();
    };
    socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      this.#bufferedBytes += chunk.length;
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    if (startPaused) socket.pause();
    socket.on('end', () => {
      ended();
      socket.end();
    });
    // A reset is one of the ways a connection may end here.
    socket.on('error', ended);
    socket.on('close', () => {
      ended();
      resolve();
    });
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    resetSocket(this.socket);
  }

  stopReading(): void {
    this.socket.pause();
  }

  startReading(): void {
    this.socket.resume();
  }

  async readHead(): Promise<RawResponse> {
    const head = await this.#readTo('\r\n\r\n');
    if (head === null) {
      throw new Error(`the connection ended before a response head; received: ${this.#peek()}`);
    }
    return response(head, EMPTY, [], true);
  }

  async readResponse(method = 'GET'): Promise<RawResponse> {
    const { head, ...rest } = (await this.readHead()) as ResponseOfHead;
    const length = rest.field('content-length');
    const isBodiless = rest.status < 200 || rest.status === 204 || rest.status === 304 || method === 'HEAD';
    if (isBodiless) return response(head, EMPTY, [], true);
    if (rest.field('transfer-encoding') === 'chunked') return this.#readChunked(head);
    if (length === null) return response(head, await this.readToEnd(), [], true);
    const body = await this.#take(Number(length));
    return response(head, body, [], body.length === Number(length));
  }

  async readBytes(count: number): Promise<Buffer> {
    const bytes = await this.#take(count);
    if (bytes.length < count) {
      throw new Error(`the connection ended after ${bytes.length} of ${count} bytes`);
    }
    return bytes;
  }

  async readToEnd(): Promise<Buffer> {
    while (!this.#hasEnded) await this.#more();
    return this.#cut(this.#bufferedBytes);
  }

  async #readChunked(head: string): Promise<RawResponse> {
    const parts: Buffer[] = [];
    const incomplete = () => response(head, Buffer.concat(parts), [], false);
    for (;;) {
      const line = await this.#readTo('\r\n');
      if (line === null) return incomplete();
      const size = Number.parseInt(line, 16);
      if (size === 0) break;
      const part = await this.#take(size + 2);
      parts.push(part.subarray(0, Math.min(size, part.length)));
      if (part.length < size + 2) return incomplete();
    }
    const trailers: (readonly [string, string])[] = [];
    for (;;) {
      const line = await this.#readTo('\r\n');
      if (line === null) return incomplete();
      if (line === '\r\n') return response(head, Buffer.concat(parts), trailers, true);
      trailers.push(fieldLine(line.slice(0, -2)));
    }
  }

  /** All up to and with `end`, as latin1 text; null when the connection ends before. */
  async #readTo(end: string): Promise<string | null> {
    for (;;) {
      const buffered = this.#join();
      const at = buffered.indexOf(end, 0, 'latin1');
      if (at !== -1) return this.#cut(at + end.length).toString('latin1');
      if (this.#hasEnded) return null;
      await this.#more();
    }
  }

  /** `count` bytes, or what there was when the connection ended. */
  async #take(count: number): Promise<Buffer> {
    while (this.#bufferedBytes < count && !this.#hasEnded) await this.#more();
    return this.#cut(Math.min(count, this.#bufferedBytes));
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = null;
  }

  #join(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #cut(count: number): Buffer {
    const buffered = this.#join();
    this.#chunks = [buffered.subarray(count)];
    this.#bufferedBytes -= count;
    return buffered.subarray(0, count);
  }

  #peek(): string {
    return JSON.stringify(this.#join().toString('latin1').slice(0, 200));
  }
}

interface ResponseOfHead extends RawResponse {
  readonly head: string;
}

function fieldLine(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function response(
  head: string,
  body: Buffer,
  trailers: RawResponse['trailers'],
  isComplete: boolean,
): ResponseOfHead {
  const [statusLine = '', ...lines] = head.slice(0, -4).split('\r\n');
  const match = /^HTTP\/(\d\.\d) (\d{3}) (.*)$/.exec(statusLine);
  if (match === null) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
  const fields = lines.map(fieldLine);
  return {
    head,
    httpVersion: match[1] as string,
    status: Number(match[2]),
    reason: match[3] as string,
    fields,
    field: (name) => {
      const values = fields.filter(([field]) => field === name).map(([, value]) => value);
      return values.length === 0 ? null : values.join(', ');
    },
    body,
    text: body.toString('latin1'),
    trailers,
    isComplete,
  };
}
