/**
 * A listener and the outcomes that the HTTP/2 tests ask for: what its paths answer with, and what a client must
 * see of a mistake: the end of its connection, the end of one stream, or nothing.
 */
import { expect } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { ListenLimits } from '#edge/connection/context.ts';
import type { BodySource, Exchange } from '#edge/exchange.ts';
import { DATA, END_STREAM, GOAWAY, HEADERS, RST_STREAM } from '#edge/http2/frame.ts';
import { connectHttp2, type Http2ClientOptions, type Http2TestClient } from '../../support/http2-client.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

export const BIG_BYTES = 300_000;
const HOSTS = ['example.com', 'localhost'];
const BIG = Buffer.alloc(BIG_BYTES, 'big ');
const HEAD = { status: 200, reason: '', fields: new Fields() };

export interface Http2Lab extends AsyncDisposable {
  readonly listener: TestListener;
  /** PEM of the authority that clients have to trust. */
  readonly authority: string;
  /** Targets of the requests that reached the handler, in order. */
  readonly served: string[];
  /** What paths do beside the usual ones. */
  readonly handlers: Map<string, (exchange: Exchange) => void>;
  /** A plain connection with prior knowledge, unless told otherwise. */
  connect(options?: Partial<Http2ClientOptions>): Promise<Http2TestClient>;
  /** How often a refusal has been counted. */
  refusals(reason: string): number;
}

export async function startHttp2Lab(limits: Partial<ListenLimits> = {}): Promise<Http2Lab> {
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(HOSTS);
  const served: string[] = [];
  const handlers = new Map(Object.entries(USUAL));
  const answer = (exchange: Exchange): void => {
    served.push(exchange.request.target);
    const handler = handlers.get(exchange.request.target) ?? USUAL['/hello'];
    handler?.(exchange);
  };
  const certificates = [{ hosts: HOSTS, certificatePem: cert, privateKeyPem: key }];
  const listener = await startTestListener(answer, { tickMs: 20, ...limits }, certificates, {
    acceptsH2c: true,
  });
  return {
    listener,
    authority: authority.certificate,
    served,
    handlers,
    connect: (options = {}) =>
      options.tls === undefined || options.tls === null
        ? connectHttp2({ ...listener.http, ...options, tls: null })
        : connectHttp2({ ...listener.https, ...options }),
    refusals: (reason) => listener.listeners.statistics().refusals[reason] ?? 0,
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

const USUAL: Readonly<Record<string, (exchange: Exchange) => void>> = {
  '/hello': (exchange) => exchange.respondWhole(HEAD, Buffer.from('hello')),
  '/big': (exchange) => exchange.respondWhole(HEAD, BIG),
  '/echo': (exchange) => void echo(exchange),
  /** What the road sees of a request. */
  '/request': (exchange) => {
    const { method, authority, fields, upgrade } = exchange.request;
    exchange.respondWhole(
      HEAD,
      Buffer.from(JSON.stringify({ method, authority, upgrade, fields: [...fields] })),
    );
  },
  /** Never answers, and does not read. */
  '/silent': () => {},
  '/trailers': (exchange) => {
    const sink = exchange.respondStream(HEAD, null);
    void sink.write(Buffer.from('body')).then(() => sink.end(Fields.of([['Checksum', 'abc']])));
  },
  '/tunnel': (exchange) => void runTunnel(exchange),
};

export async function readAll(source: BodySource): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = await source.read();
    if (part === null) return Buffer.concat(parts);
    parts.push(part);
  }
}

async function echo(exchange: Exchange): Promise<void> {
  try {
    const body = exchange.body === null ? Buffer.alloc(0) : await readAll(exchange.body);
    const fields = Fields.of([['X-Trailer', exchange.body?.trailers()?.get('checksum') ?? 'none']]);
    exchange.respondWhole({ ...HEAD, fields }, body);
  } catch {
    exchange.abort('the request body did not arrive whole');
  }
}

/** Sends back what comes, and ends when the client has. */
async function runTunnel(exchange: Exchange): Promise<void> {
  const { source, sink } = exchange.acceptTunnel(new Fields());
  try {
    for (;;) {
      const part = await source.read();
      if (part === null) break;
      await sink.write(part.slice());
    }
    await sink.end();
  } catch {
    sink.abort('the client has gone');
  }
}

/** The server says that the connection has ended, why, and ends it. */
export async function expectConnectionError(
  client: Http2TestClient,
  code: number,
  reason: string,
): Promise<void> {
  const goAway = await client.goAway();
  expect({ code: goAway.code, reason: goAway.reason }).toEqual({ code, reason });
  await client.closed;
}

/** One stream ends with `code`, and the connection serves another request. */
export async function expectStreamError(
  client: Http2TestClient,
  streamId: number,
  code: number,
): Promise<void> {
  expect(await client.resetOf(streamId)).toBe(code);
  await expectServing(client);
}

/** Nothing has happened to the connection: it serves another request. */
export async function expectServing(client: Http2TestClient): Promise<void> {
  const streamId = client.lastStreamId === 0 ? 1 : client.lastStreamId + 2;
  client.request(streamId, '/hello');
  const { status, body } = await client.response(streamId);
  expect({ status, body: body.toString() }).toEqual({ status: 200, body: 'hello' });
  expect(client.frames.filter(({ type }) => type === GOAWAY)).toEqual([]);
}

/** Neither reset nor GOAWAY came, for what was sent so far. */
export async function expectNoError(client: Http2TestClient): Promise<void> {
  await client.settled();
  const errors = client.frames.filter(({ type }) => type === RST_STREAM || type === GOAWAY);
  expect(errors).toEqual([]);
  await expectServing(client);
}

/** Bytes of DATA received on a stream, until its end or until there are `bytes`. */
export async function takeContent(client: Http2TestClient, streamId: number, bytes: number): Promise<number> {
  let received = 0;
  while (received < bytes) {
    const frame = await client.takeOf(streamId);
    if (frame.type === DATA) received += frame.payload.length;
    if (frame.type === RST_STREAM) throw new Error('the stream was reset');
    if ((frame.type === DATA || frame.type === HEADERS) && (frame.flags & END_STREAM) !== 0) break;
  }
  return received;
}

/** So much DATA comes on all streams together, and no more. */
export async function expectContentInAll(client: Http2TestClient, bytes: number): Promise<void> {
  let received = 0;
  while (received < bytes) received += (await client.take(({ type }) => type === DATA)).payload.length;
  expect(received).toBe(bytes);
  await client.settled();
  expect(client.frames.filter(({ type }) => type === DATA)).toEqual([]);
}

/** Once the listener has no connection open. */
export function untilNoneOpen(lab: Http2Lab): Promise<boolean> {
  return until('no connection is open', () => {
    const { http, https } = lab.listener.listeners.statistics();
    return (http?.open ?? 0) + (https?.open ?? 0) === 0;
  });
}
