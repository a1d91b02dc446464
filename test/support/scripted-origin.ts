/**
 * An origin that plays a script: for each connection it reads requests and writes exactly the bytes it is
 * told, on real sockets. It records what it received, and meets the test at barriers instead of sleeping.
 *
 *     const origin = await startScriptedOrigin(async (connection) => {
 *       await connection.readRequest();
 *       connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
 *     });
 */
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { resetSocket } from '#edge/connection/reset-socket.ts';
import { ChunkedDecoder } from '#edge/http1/chunked-decoder.ts';

export interface RecordedRequest {
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  readonly method: string;
  readonly target: string;
  /** Field lines as received: name in lower case, value. */
  readonly fields: readonly (readonly [string, string])[];
  /** First value of a field (lower-case name). */
  field(name: string): string | null;
  /** The whole body, without its transfer coding. */
  readonly body: Buffer;
  readonly trailers: readonly (readonly [string, string])[];
  /** The head as it came, without the empty line. */
  readonly head: string;
}

export interface ScriptedConnection {
  /** From 1, in order of arrival. */
  readonly number: number;
  readonly remoteAddress: string;
  /** Server name of the TLS handshake; null on plain connections and without one. */
  readonly serverName: string | null;
  /** The next request, with its whole body. Rejects when the connection ends before. */
  readRequest(): Promise<RecordedRequest>;
  /** The head alone; the body, if any, comes with `readBytes`. */
  readHead(): Promise<RecordedRequest>;
  /** At least `count` bytes of what follows. */
  readBytes(count: number): Promise<Buffer>;
  /** All that comes until the other side ends its own. */
  readToEnd(): Promise<Buffer>;
  /** Strings are latin1. */
  write(bytes: string | Uint8Array): void;
  /** Writes and waits until the bytes have left for the kernel. */
  writeThrough(bytes: string | Uint8Array): Promise<void>;
  /** Bytes that have left for the kernel so far. */
  readonly sentBytes: number;
  /** Closes in order: what was written arrives. */
  end(): void;
  /** Cuts the connection with a reset. */
  reset(): void;
  /** Stops receiving. */
  stopReading(): void;
  startReading(): void;
  /** Once the other side has closed or cut the connection. */
  readonly closed: Promise<void>;
}

export type Script = (connection: ScriptedConnection) => Promise<void> | void;

export interface ScriptedOrigin {
  readonly port: number;
  /** Such as "http://127.0.0.1:4711". */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Errors of scripts other than connections that ended; a test should find none. */
  readonly scriptErrors: readonly unknown[];
  close(): Promise<void>;
}

export interface ScriptedOriginOptions {
  /** PEM; makes it an https origin. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly address?: string;
  readonly port?: number;
}

/** The connection ended while the script waited for more. */
class ConnectionEnded extends Error {}

/** Something that has happened or not yet: `open()` lets everyone who waits go on. */
export interface Barrier {
  open(): void;
  readonly isOpen: boolean;
  readonly opened: Promise<void>;
}

export function createBarrier(): Barrier {
  let isOpen = false;
  let resolve = (): void => {};
  const opened = new Promise<void>((done) => {
    resolve = done;
  });
  return {
    opened,
    get isOpen() {
      return isOpen;
    },
    open() {
      isOpen = true;
      resolve();
    },
  };
}

function parseFields(lines: readonly string[]): [string, string][] {
  return lines
    .filter((line) => line !== '')
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
}

function parseRequest(connection: number, head: string): RecordedRequest {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const [method = '', target = ''] = requestLine.split(' ');
  const fields = parseFields(lines);
  const field = (name: string) => fields.find(([known]) => known === name)?.[1] ?? null;
  return { connection, method, target, fields, field, body: Buffer.alloc(0), trailers: [], head };
}

class Connection implements ScriptedConnection {
  readonly number: number;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #requests: RecordedRequest[];
  /** What came and was not taken yet; joined only when somebody looks. */
  #chunks: Buffer[] = [];
  #hasEnded = false;
  #sentBytes = 0;
  #onChange: (() => void)[] = [];

  /** `requests` receives each request that is read whole. */
  constructor(number: number, socket: Socket, requests: RecordedRequest[]) {
    this.number = number;
    this.#requests = requests;
    this.#socket = socket;
    let resolve = (): void => {};
    this.closed = new Promise((done) => {
      resolve = done;
    });
    const ended = (): void => {
      this.#hasEnded = true;
      this.#changed();
    };
    socket.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#changed();
    });
    socket.on('end', ended);
    socket.on('error', ended);
    socket.on('close', () => {
      ended();
      resolve();
    });
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? '';
  }

  get serverName(): string | null {
    const name = (this.#socket as TLSSocket).servername as unknown;
    return typeof name === 'string' && name !== '' ? name : null;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  async readHead(): Promise<RecordedRequest> {
    await this.#until(() => this.#received.includes('\r\n\r\n'));
    const end = this.#received.indexOf('\r\n\r\n');
    return parseRequest(this.number, this.#take(end + 4).toString('latin1', 0, end));
  }

  async readBytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= count);
    return this.#take(this.#received.length);
  }

  async readToEnd(): Promise<Buffer> {
    await this.#until(() => this.#hasEnded);
    return this.#take(this.#received.length);
  }

  async readRequest(): Promise<RecordedRequest> {
    const head = await this.readHead();
    const request = { ...head, ...(await this.#readBody(head)) };
    this.#requests.push(request);
    return request;
  }

  write(bytes: string | Uint8Array): void {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.#socket.write(buffer, () => {
      this.#sentBytes += buffer.length;
    });
  }

  writeThrough(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
      void this.closed.then(resolve);
      this.#socket.write(buffer, () => {
        this.#sentBytes += buffer.length;
        resolve();
      });
    });
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    resetSocket(this.#socket);
  }

  stopReading(): void {
    this.#socket.pause();
  }

  startReading(): void {
    this.#socket.resume();
  }

  async #readBody(head: RecordedRequest): Promise<Pick<RecordedRequest, 'body' | 'trailers'>> {
    if (head.field('transfer-encoding') !== null) return this.#readChunked();
    const length = Number(head.field('content-length') ?? 0);
    await this.#until(() => this.#received.length >= length);
    return { body: this.#take(length), trailers: [] };
  }

  async #readChunked(): Promise<Pick<RecordedRequest, 'body' | 'trailers'>> {
    const parts: Uint8Array[] = [];
    const decoder = new ChunkedDecoder((part) => parts.push(Buffer.from(part)));
    while (!decoder.isDone) {
      await this.#until(() => this.#received.length > 0);
      this.#take(decoder.push(this.#received));
      if (decoder.fault !== null) throw new Error(`the request body is malformed: ${decoder.fault}`);
    }
    const trailers = [...(decoder.trailers ?? [])].map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    return { body: Buffer.concat(parts), trailers };
  }

  get #received(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #take(count: number): Buffer {
    const received = this.#received;
    this.#chunks = [received.subarray(count)];
    return received.subarray(0, count);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#hasEnded) throw new ConnectionEnded('the connection ended');
      await new Promise<void>((resolve) => this.#onChange.push(resolve));
    }
  }

  #changed(): void {
    const waiting = this.#onChange;
    this.#onChange = [];
    for (const resolve of waiting) resolve();
  }
}

/** Starts an origin on a free port; `script` runs once for each connection. */
export async function startScriptedOrigin(
  script: Script,
  options: ScriptedOriginOptions = {},
): Promise<ScriptedOrigin> {
  const { tls, address = '127.0.0.1', port = 0 } = options;
  const requests: RecordedRequest[] = [];
  const scriptErrors: unknown[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const accept = (socket: Socket): void => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    // Over TLS only from here on: Node overlooks clients that leave within a half-open handshake.
    socket.allowHalfOpen = true;
    const connection = new Connection(connections, socket, requests);
    void (async () => {
      try {
        await script(connection);
      } catch (error) {
        if (!(error instanceof ConnectionEnded)) scriptErrors.push(error);
      }
    })();
  };
  const server: Server =
    tls === undefined
      ? createTcpServer({ allowHalfOpen: true }, accept)
      : createTlsServer({ ...tls }, accept);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve());
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the origin has no port');
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    port: bound.port,
    url: `${tls === undefined ? 'http' : 'https'}://${host}:${bound.port}`,
    requests,
    get connections() {
      return connections;
    },
    scriptErrors,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
