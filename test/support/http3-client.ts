/**
 * A client that speaks HTTP/3 and sends the fields it is told, however odd, over connections of its own. It reads
 * nothing unless asked. Bun's `fetch` will not do: at times it takes a body for empty (Bun 1.4.5).
 *
 *     await using client = await connectHttp3({ address, port });
 *     const { status, body } = await client.request('/a.css');
 *
 * Field values above 127 are sent and read as UTF-8 (Bun 1.4.5), so tests of those use a browser.
 */
import { connect, type QuicSession, type QuicStream } from 'node:quic';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatListenAddress } from '#platform/listen-address.ts';

export type Http3Fields = Readonly<Record<string, string | readonly string[]>>;

export interface Http3Response {
  /** 0: none came. */
  readonly status: number;
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Whether there was one, and its body had an end. */
  readonly isWhole: boolean;
}

export interface Http3Request {
  readonly method?: string;
  readonly authority?: string;
  readonly fields?: Http3Fields;
  readonly body?: Uint8Array;
}

export interface Http3ClientOptions {
  readonly address: string;
  readonly port: number;
  readonly serverName?: string;
}

/** A request under way, its body and its response taken in hand by the test. */
export class Http3TestStream {
  readonly stream: QuicStream;
  readonly #head: Promise<Http3Response['fields']>;
  #fields: Http3Response['fields'] | null = null;
  readonly #parts: AsyncIterator<readonly Uint8Array[]>;

  constructor(stream: QuicStream, head: Promise<Http3Response['fields']>) {
    this.stream = stream;
    this.#head = head;
    void head.then((fields) => {
      this.#fields = fields;
    });
    this.#parts = stream[Symbol.asyncIterator]() as AsyncIterator<readonly Uint8Array[]>;
    stream.closed.catch(ignore);
  }

  /** The fields of the response's head; never settles when none comes. */
  head(): Promise<Http3Response['fields']> {
    return this.#head;
  }

  /** The next bytes of the response's body; null at its end. Rejects when it broke off. */
  async read(): Promise<Buffer | null> {
    const { done, value } = await this.#parts.next();
    return done === true ? null : Buffer.concat(value);
  }

  /** Sends bytes of the body, if the server gives room; whether it did. */
  write(bytes: Uint8Array): boolean {
    return this.stream.writer.writeSync(bytes);
  }

  endBody(): void {
    this.stream.writer.endSync();
  }

  /** Gives the request up, both ways (H3_REQUEST_CANCELLED). */
  cancel(): void {
    this.stream.destroy(undefined, { code: REQUEST_CANCELLED });
  }

  /** Reads the response to its end. */
  async response(): Promise<Http3Response> {
    const parts: Buffer[] = [];
    let isWhole = false;
    try {
      for (;;) {
        const part = await this.read();
        if (part === null) break;
        parts.push(part);
      }
      isWhole = true;
    } catch {
      // It broke off.
    }
    // The head is told of at times after the body that followed it (Bun 1.4.5).
    for (let turn = 0; this.#fields === null && turn < HEAD_TURNS_MAX; turn++) await nextTurn();
    const fields = this.#fields ?? {};
    const status = Number(fields[':status'] ?? 0);
    return { status, fields, body: Buffer.concat(parts), isWhole: isWhole && status > 0 };
  }
}

const HEAD_TURNS_MAX = 20;
const NO_ERROR = 0x100n;
const REQUEST_CANCELLED = 0x10cn;

export class Http3TestClient implements AsyncDisposable {
  readonly session: QuicSession;
  readonly #port: number;

  constructor(session: QuicSession, port: number) {
    this.session = session;
    this.#port = port;
    session.onerror = ignore;
    session.closed.catch(ignore);
  }

  /** Opens a stream with these fields, the pseudo-fields among them. With `isOpen`, a body follows. */
  async open(fields: Http3Fields, isOpen = false, body?: Uint8Array): Promise<Http3TestStream> {
    const { promise, resolve } = Promise.withResolvers<Http3Response['fields']>();
    const given = fields as Record<string, string | string[]>;
    const stream = await this.session.createBidirectionalStream({
      ...(isOpen ? {} : { headers: given }),
      ...(body === undefined ? {} : { body }),
      onheaders: resolve,
    });
    if (isOpen) stream.sendHeaders(given);
    return new Http3TestStream(stream, promise);
  }

  /** One request and its whole response. */
  async request(path: string, request: Http3Request = {}): Promise<Http3Response> {
    const stream = await this.open(this.fieldsOf(path, request), false, request.body);
    return stream.response();
  }

  fieldsOf(path: string, { method = 'GET', authority, fields = {} }: Http3Request = {}): Http3Fields {
    return {
      ':method': method,
      ':scheme': 'https',
      ':authority': authority ?? `www.example.com:${this.#port}`,
      ':path': path,
      ...fields,
    };
  }

  /** Vanishes without a word, as a client does that loses its network. */
  vanish(): void {
    this.session.destroy();
  }

  /** Closes the connection, whatever is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy(undefined, { code: NO_ERROR, type: 'application' });
  }
}

export async function connectHttp3(options: Http3ClientOptions): Promise<Http3TestClient> {
  const { address, port, serverName = 'www.example.com' } = options;
  const session = await connect(formatListenAddress({ address, port }), {
    servername: serverName,
    verifyPeer: 'manual',
    // Its own end is one of IPv4 unless said.
    ...(address.includes(':') ? { endpoint: { address: '[::1]:0' } } : {}),
  });
  const client = new Http3TestClient(session, port);
  await session.opened;
  return client;
}

function ignore(): void {}
