/** Games with streams, bodies nobody reads, and clients that vanish: nothing leaks, nothing stays. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import {
  CANCEL,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  NO_ERROR,
  PREFACE,
  PROTOCOL_ERROR,
  RST_STREAM,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import { frameBytes, type Http2TestClient, requestBlock, uint32 } from '../../support/http2-client.ts';
import { until } from '../../support/until.ts';
import {
  expectConnectionError,
  expectContentInAll,
  expectNoError,
  expectServing,
  type Http2Lab,
  startHttp2Lab,
  untilNoneOpen,
} from './http2-lab.ts';

const PART = Buffer.alloc(16_384, 'p');
const HEAD = { status: 200, reason: '', fields: new Fields() };

let lab: Http2Lab;
beforeAll(async () => {
  lab = await startHttp2Lab();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A whole request whose body fills the window of its stream. */
function upload(client: Http2TestClient, streamId: number, path: string): void {
  client.request(streamId, path, { method: 'POST', endsStream: false });
  const frames = HTTP2_LIMITS.streamWindowBytes / PART.length;
  for (let i = 1; i <= frames; i += 1) client.data(streamId, PART, i === frames);
}

describe('numbers', () => {
  test('AB20: after the last stream there is none', async () => {
    const client = await lab.connect();
    client.request(0x7fff_ffff, '/hello');
    expect((await client.response(0x7fff_ffff)).status).toBe(200);
    client.request(1, '/hello');
    await expectConnectionError(client, PROTOCOL_ERROR, 'stream-id-not-greater');
  });

  test('AB20: a stream is not used twice, while it is open and afterwards', async () => {
    const client = await lab.connect();
    client.request(1, '/silent', { method: 'POST', endsStream: false });
    client.request(1, '/silent');
    expect(await client.resetOf(1)).toBe(PROTOCOL_ERROR);
    await expectServing(client);
    client.request(3, '/hello');
    expect((await client.goAway()).reason).toBe('headers-on-closed-stream');
  });

  test('AB20: a connection takes so many requests, and then goes away when they are answered', async () => {
    const few = await startHttp2Lab({ requestsPerConnectionMax: 3 });
    const client = await few.connect();
    for (let i = 0; i < 3; i += 1) client.request(2 * i + 1, '/hello');
    for (let i = 0; i < 3; i += 1) expect((await client.response(2 * i + 1)).status).toBe(200);
    expect(await client.goAway()).toEqual({ lastId: 0x7fff_ffff, code: NO_ERROR, reason: '' });
    await few[Symbol.asyncDispose]();
  });
});

describe('bodies that nobody reads', () => {
  test('AB15: give their window back, when they are answered at once', async () => {
    const client = await lab.connect();
    // Each takes a quarter of the connection’s window.
    for (let streamId = 1; streamId < 41; streamId += 2) {
      upload(client, streamId, '/hello');
      expect((await client.response(streamId)).status).toBe(200);
    }
    await expectNoError(client);
    client.destroy();
  });

  test('AB15: and when they are answered later, reset, or aborted', async () => {
    const waiting: Exchange[] = [];
    lab.handlers.set('/later', (exchange) => waiting.push(exchange));
    const client = await lab.connect();
    for (let streamId = 1; streamId < 61; streamId += 2) {
      upload(client, streamId, '/later');
      await client.settled();
      const exchange = waiting.pop();
      if (streamId % 3 === 0) exchange?.respondWhole(HEAD, Buffer.from('late'));
      else if (streamId % 3 === 1) client.send(RST_STREAM, 0, streamId, uint32(CANCEL));
      else exchange?.abort('nobody wants it');
      await client.settled();
    }
    upload(client, 61, '/echo');
    client.send(WINDOW_UPDATE, 0, 61, uint32(1_000_000));
    client.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
    expect((await client.response(61)).body).toHaveLength(HTTP2_LIMITS.streamWindowBytes);
    client.destroy();
  });

  test('AB15: what they give back lets no more out than the client’s windows allow', async () => {
    // The end of one response frees the window of its request body, while others wait for their turn.
    const waiting: Exchange[] = [];
    lab.handlers.set('/pair', (exchange) => waiting.push(exchange));
    lab.handlers.set('/parts', (exchange) => {
      waiting.pop()?.respondWhole(HEAD, Buffer.alloc(10_000));
      exchange.respondWhole(HEAD, Buffer.alloc(60_000));
    });
    const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 1_000_000]] });
    client.request(1, '/pair', { method: 'POST', endsStream: false });
    for (let i = 0; i < HTTP2_LIMITS.streamWindowBytes / PART.length; i += 1) client.data(1, PART);
    await client.settled();
    client.request(3, '/parts');
    await expectContentInAll(client, 65_535);
    client.destroy();
  });
});

describe('clients that vanish', () => {
  test('AB21: within any frame, at any of its bytes', async () => {
    const conversation = Buffer.concat([
      PREFACE,
      frameBytes(SETTINGS, 0, 0, Buffer.alloc(6)),
      frameBytes(HEADERS, END_HEADERS, 1, requestBlock('/echo', { method: 'POST', scheme: 'http' })),
      frameBytes(DATA, 0, 1, Buffer.from('body')),
      frameBytes(WINDOW_UPDATE, 0, 1, uint32(5)),
      frameBytes(HEADERS, END_STREAM, 3, requestBlock('/hello', { scheme: 'http' })),
    ]);
    for (let at = 0; at <= conversation.length; at += 1) {
      const client = await lab.connect({ isSilent: true });
      client.write(conversation.subarray(0, at));
      if (at % 3 === 0) client.socket.end();
      else if (at % 3 === 1) client.reset();
      else client.destroy();
    }
    await untilNoneOpen(lab);
  });

  test('AB21: with every stream there may be: all their exchanges learn of it', async () => {
    let gone = 0;
    lab.handlers.set('/counted', (exchange) => exchange.onGone(() => (gone += 1)));
    const client = await lab.connect();
    for (let i = 0; i < HTTP2_LIMITS.streamsMax; i += 1) client.request(2 * i + 1, '/counted');
    await client.settled();
    client.reset();
    await until('all know', () => gone === HTTP2_LIMITS.streamsMax);
    await untilNoneOpen(lab);
  });
});

describe('while a connection drains', () => {
  test('AB21: a stream error is told before the end', async () => {
    const client = await lab.connect();
    client.request(1, '/silent', { method: 'POST', endsStream: false });
    client.send(GOAWAY, 0, 0, Buffer.alloc(8));
    await client.goAway();
    client.send(WINDOW_UPDATE, 0, 1, uint32(0));
    expect(await client.resetOf(1)).toBe(PROTOCOL_ERROR);
    await client.closed;
  });

  test('AB21: the answer to the last stream comes whole before the end', async () => {
    const client = await lab.connect();
    client.request(1, '/echo', { method: 'POST', endsStream: false });
    client.send(GOAWAY, 0, 0, Buffer.alloc(8));
    await client.goAway();
    client.data(1, 'still here', true);
    expect((await client.response(1)).body.toString()).toBe('still here');
    await client.closed;
  });
});
