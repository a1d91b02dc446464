import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { BodySource, Exchange } from '#edge/exchange.ts';
import {
  CANCEL,
  DATA,
  END_STREAM,
  HEADERS,
  INTERNAL_ERROR,
  PING,
  RST_STREAM,
  SETTINGS,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import {
  connectHttp2,
  fieldBlock,
  type Http2ClientOptions,
  type Http2TestClient,
  uint32,
} from '../../support/http2-client.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';

const BIG = Buffer.alloc(300_000, 'big ');
const PREPARED = {
  status: 200,
  reason: '',
  lines: 'Content-Type: text/plain\r\nETag: "a"\r\nVia: 1.1 perigee\r\n',
  block: null,
};

let listener: TestListener;
/** What the handler of a path does. */
const handlers = new Map<string, (exchange: Exchange) => void>();

function whole(status: number, body: string | Buffer, fields: [string, string][] = []) {
  return (exchange: Exchange) =>
    exchange.respondWhole({ status, reason: '', fields: Fields.of(fields) }, Buffer.from(body));
}

async function readAll(source: BodySource): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = await source.read();
    if (part === null) return Buffer.concat(parts);
    parts.push(part);
  }
}

async function echo(exchange: Exchange): Promise<void> {
  const body = exchange.body === null ? Buffer.from('no body') : await readAll(exchange.body);
  const trailers = exchange.body?.trailers()?.get('checksum') ?? '';
  whole(200, body, [['X-Trailer', trailers]])(exchange);
}

beforeAll(async () => {
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['example.com']);
  const certificates = [{ hosts: ['example.com'], certificatePem: cert, privateKeyPem: key }];
  const answer = (exchange: Exchange) => {
    const handler = handlers.get(exchange.request.target);
    if (handler === undefined) whole(404, 'none')(exchange);
    else handler(exchange);
  };
  listener = await startTestListener(answer, { tickMs: 20, goAwayMs: 60_000 }, certificates);
  handlers.set('/hello', whole(200, 'hello', [['Content-Type', 'text/plain']]));
  handlers.set('/big', whole(200, BIG));
  handlers.set('/echo', (exchange) => void echo(exchange));
  handlers.set('/prepared', (exchange) =>
    exchange.respondPrepared(PREPARED, 'Age: 7\r\n', Buffer.from('stored'), 6),
  );
});
afterAll(() => listener[Symbol.asyncDispose]());

function connect(options: Partial<Http2ClientOptions> = {}): Promise<Http2TestClient> {
  return connectHttp2({ ...listener.https, ...options });
}

describe('a response', () => {
  test('has its status, fields in lower case, length and body', async () => {
    const client = await connect();
    client.request(1, '/hello');
    const { status, fields, body } = await client.response(1);
    expect(status).toBe(200);
    expect(fields.get('content-type')).toBe('text/plain');
    expect(fields.get('content-length')).toBe('5');
    expect(fields.has('date')).toBe(true);
    expect(body.toString()).toBe('hello');
    client.destroy();
  });

  test('from a prepared head is the same on every connection, with what changes added', async () => {
    for (const settings of [[], [[SETTINGS_HEADER_TABLE_SIZE, 0]]] as const) {
      const client = await connect({ settings });
      for (const streamId of [1, 3, 5]) {
        client.request(streamId, '/prepared');
        const { fields, body } = await client.response(streamId);
        expect([...fields].filter(([name]) => name !== 'date')).toEqual([
          [':status', '200'],
          ['content-type', 'text/plain'],
          ['etag', '"a"'],
          ['via', '1.1 perigee'],
          ['age', '7'],
          ['content-length', '6'],
        ]);
        expect(body.toString()).toBe('stored');
      }
      client.destroy();
    }
  });

  test('to HEAD has the length and no body', async () => {
    const client = await connect();
    for (const [streamId, path] of [
      [1, '/hello'],
      [3, '/prepared'],
    ] as const) {
      client.request(streamId, path, { method: 'HEAD' });
      const { fields, body } = await client.response(streamId);
      expect(Number(fields.get('content-length'))).toBeGreaterThan(0);
      expect(body.length).toBe(0);
    }
    client.destroy();
  });

  test('without a body ends with its head', async () => {
    const client = await connect();
    for (const [i, status] of [204, 205, 304].entries()) {
      handlers.set('/bodiless', whole(status, 'nothing that may be sent'));
      client.request(2 * i + 1, '/bodiless');
      const head = await client.takeOf(2 * i + 1);
      expect(head.type).toBe(HEADERS);
      expect(head.flags & END_STREAM).toBe(END_STREAM);
      expect((await client.fieldsOf(head)).get('content-length')).toBeUndefined();
    }
    client.destroy();
  });

  test('that is streamed carries trailers', async () => {
    handlers.set('/streamed', async (exchange) => {
      const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
      await sink.write(Buffer.from('one '));
      await sink.write(Buffer.from('two'));
      await sink.end(Fields.of([['Grpc-Status', '0']]));
    });
    const client = await connect();
    client.request(1, '/streamed');
    const { body, trailers, fields } = await client.response(1);
    expect(body.toString()).toBe('one two');
    expect(trailers?.get('grpc-status')).toBe('0');
    expect(fields.has('content-length')).toBe(false);
    client.destroy();
  });

  test('that does not have its announced length resets the stream', async () => {
    for (const text of ['too long', 'short']) {
      handlers.set('/wrong', (exchange) => {
        const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, 6);
        sink.write(Buffer.from(text)).catch(() => {});
        sink.end().catch(() => {});
      });
      const client = await connect();
      client.request(1, '/wrong');
      expect(await client.resetOf(1)).toBe(INTERNAL_ERROR);
      client.request(3, '/hello');
      expect((await client.response(3)).status).toBe(200);
      client.destroy();
    }
  });

  test('interim responses come before the final one', async () => {
    handlers.set('/hints', (exchange) => {
      exchange.inform(103, Fields.of([['Link', '</a.css>; rel=preload']]));
      whole(200, 'page')(exchange);
    });
    const client = await connect();
    client.request(1, '/hints');
    const interim = await client.fieldsOf(await client.takeOf(1));
    expect([...interim]).toEqual([
      [':status', '103'],
      ['link', '</a.css>; rel=preload'],
    ]);
    expect((await client.response(1)).body.toString()).toBe('page');
    client.destroy();
  });

  test('field lines larger than a frame come in CONTINUATION frames', async () => {
    handlers.set('/long', whole(200, 'x', [['X-Long', 'y'.repeat(40_000)]]));
    const client = await connect();
    client.request(1, '/long');
    const { fields, body } = await client.response(1);
    expect(fields.get('x-long')).toHaveLength(40_000);
    expect(body.toString()).toBe('x');
    client.destroy();
  });
});

test('HP27: the first block after a table was reduced begins with a size update, and no other does', async () => {
  const client = await connect({ settings: [[SETTINGS_HEADER_TABLE_SIZE, 100]] });
  for (const [streamId, first] of [
    [1, 0x20],
    [3, 0x88],
  ] as const) {
    client.request(streamId, '/prepared');
    const { type, payload } = await client.takeOf(streamId);
    expect(type).toBe(HEADERS);
    expect(payload[0]).toBe(first);
    await client.takeOf(streamId);
  }
  client.destroy();
});

describe('flow control', () => {
  test('a response waits for the window of its stream, and others go on', async () => {
    const client = await connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 10]] });
    client.request(1, '/big');
    const head = await client.takeOf(1);
    expect(head.type).toBe(HEADERS);
    expect((await client.takeOf(1)).payload).toHaveLength(10);
    client.request(3, '/hello');
    expect((await client.response(3)).body.toString()).toBe('hello');
    client.send(WINDOW_UPDATE, 0, 1, uint32(7));
    expect((await client.takeOf(1)).payload).toHaveLength(7);
    // A larger initial window is for streams that are open, too (RFC 9113 §6.9.2).
    client.send(SETTINGS, 0, 0, Buffer.concat([Buffer.of(0, SETTINGS_INITIAL_WINDOW_SIZE), uint32(65_535)]));
    client.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
    client.send(WINDOW_UPDATE, 0, 1, uint32(1_000_000));
    let received = 17;
    for (;;) {
      const frame = await client.takeOf(1);
      received += frame.payload.length;
      if ((frame.flags & END_STREAM) !== 0) break;
    }
    expect(received).toBe(BIG.length);
    client.destroy();
  });

  test('all responses together wait for the window of the connection', async () => {
    const client = await connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 1_000_000]] });
    client.request(1, '/big');
    let received = 0;
    while (received < 65_535) received += (await client.take(({ type }) => type === DATA)).payload.length;
    expect(received).toBe(65_535);
    client.send(PING, 0, 0, Buffer.alloc(8));
    await client.take(({ type }) => type === PING);
    expect(client.frames).toEqual([]);
    client.send(WINDOW_UPDATE, 0, 0, uint32(BIG.length));
    while (received < BIG.length) received += (await client.take(({ type }) => type === DATA)).payload.length;
    expect(received).toBe(BIG.length);
    client.destroy();
  });

  test('a request body is bounded by what the road has read', async () => {
    const { promise: mayRead, resolve: letRead } = Promise.withResolvers<void>();
    handlers.set('/slow', async (exchange) => {
      await mayRead;
      await echo(exchange);
    });
    const client = await connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 2_000_000]] });
    client.send(WINDOW_UPDATE, 0, 0, uint32(2_000_000));
    client.request(1, '/slow', { method: 'POST', endsStream: false });
    const { streamWindowBytes } = HTTP2_LIMITS;
    const part = Buffer.alloc(16_384, 'p');
    for (let sent = 0; sent < streamWindowBytes; sent += part.length) client.data(1, part);
    client.send(PING, 0, 0, Buffer.alloc(8));
    await client.take(({ type }) => type === PING);
    // Nothing was read, so nothing was given back.
    expect(client.frames.filter(({ type }) => type === WINDOW_UPDATE)).toEqual([]);
    letRead();
    await client.take(({ type, streamId }) => type === WINDOW_UPDATE && streamId === 1);
    client.data(1, 'end', true);
    const { body } = await client.response(1);
    expect(body).toHaveLength(streamWindowBytes + 3);
    client.destroy();
  });
});

describe('requests', () => {
  test('with a body and trailers reach the road whole', async () => {
    const client = await connect();
    client.request(1, '/echo', { method: 'POST', endsStream: false, fields: [['content-length', '11']] });
    client.data(1, 'hello ');
    client.data(1, 'world');
    client.send(HEADERS, 0x4 | END_STREAM, 1, fieldBlock([['checksum', 'abc']]));
    const { body, fields } = await client.response(1);
    expect(body.toString()).toBe('hello world');
    expect(fields.get('x-trailer')).toBe('abc');
    client.destroy();
  });

  test('cookies that came apart are one line', async () => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    handlers.set('/cookies', (exchange) => {
      resolve(exchange.request.fields.getAll('cookie'));
      whole(200, '')(exchange);
    });
    const client = await connect();
    client.request(1, '/cookies', {
      fields: [
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
      ],
    });
    expect(await promise).toEqual(['a=1; b=2']);
    client.destroy();
  });

  test('that wait for 100 (Continue) get it when the road reads', async () => {
    const client = await connect();
    client.request(1, '/echo', { method: 'POST', endsStream: false, fields: [['expect', '100-continue']] });
    const interim = await client.fieldsOf(await client.takeOf(1));
    expect(interim.get(':status')).toBe('100');
    client.data(1, 'now', true);
    expect((await client.response(1)).body.toString()).toBe('now');
    client.destroy();
  });

  test('whose answer came early are taken to their end, and the connection lives', async () => {
    const client = await connect();
    client.request(1, '/hello', { method: 'POST', endsStream: false });
    expect((await client.response(1)).body.toString()).toBe('hello');
    client.data(1, 'the rest of it', true);
    client.request(3, '/hello');
    expect((await client.response(3)).status).toBe(200);
    expect(client.frames.filter(({ type }) => type === RST_STREAM)).toEqual([]);
    client.destroy();
  });

  test('that are cancelled let the road know', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<boolean>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    handlers.set('/wait', (exchange) => {
      exchange.onGone(() => resolve(exchange.isGone));
      begin();
    });
    const client = await connect();
    client.request(1, '/wait');
    await begun;
    client.send(RST_STREAM, 0, 1, uint32(CANCEL));
    expect(await gone).toBe(true);
    client.destroy();
  });

  test('tunnels carry bytes both ways and end each way apart', async () => {
    handlers.set('/tunnel', async (exchange) => {
      const { source, sink } = exchange.acceptTunnel(Fields.of([['Sec-WebSocket-Protocol', 'chat']]));
      for (;;) {
        const part = await source.read();
        if (part === null) break;
        await sink.write(Buffer.from(Buffer.from(part).toString().toUpperCase()));
      }
      await sink.write(Buffer.from('bye'));
      await sink.end();
    });
    const client = await connect();
    client.request(1, '/tunnel', { method: 'CONNECT', endsStream: false, fields: [] });
    // Without :protocol it is no tunnel we know.
    expect(await client.resetOf(1)).toBe(1);
    const block = fieldBlock([
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'https'],
      [':authority', 'example.com'],
      [':path', '/tunnel'],
    ]);
    client.send(HEADERS, 0x4, 3, block);
    const head = await client.fieldsOf(await client.takeOf(3));
    expect(head.get(':status')).toBe('200');
    expect(head.get('sec-websocket-protocol')).toBe('chat');
    client.data(3, 'hello');
    expect((await client.takeOf(3)).payload.toString()).toBe('HELLO');
    client.data(3, '', true);
    expect((await client.takeOf(3)).payload.toString()).toBe('bye');
    expect((await client.takeOf(3)).flags & END_STREAM).toBe(END_STREAM);
    client.destroy();
  });
});
