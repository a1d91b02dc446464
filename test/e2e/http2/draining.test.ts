/** A listener that closes: what has been asked is answered, what races with it too, and the client knows the rest. */
import { expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import {
  ACK,
  DATA,
  GOAWAY,
  MAX_31,
  NO_ERROR,
  PING,
  PREFACE,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { type Http2TestClient, uint32 } from '../../support/http2-client.ts';
import { until } from '../../support/until.ts';
import { BIG_BYTES, startHttp2Lab, takeContent } from './http2-lab.ts';

const LONG_MS = 60_000;

/** The first announcement: no stream is excluded yet, and PING asks whether the client knows. */
async function announced(client: Http2TestClient): Promise<Buffer> {
  expect(await client.goAway()).toEqual({ lastId: MAX_31, code: NO_ERROR, reason: '' });
  const { payload } = await client.take(({ type, flags }) => type === PING && flags === 0);
  return payload;
}

test('an idle connection ends once the client knows', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: LONG_MS });
  for (const tls of [null, {}]) {
    const other = await lab.connect({ tls });
    other.destroy();
  }
  const client = await lab.connect({ tls: {} });
  client.request(1, '/hello');
  await client.response(1);
  const closing = lab.listener.listeners.close(LONG_MS);
  const ping = await announced(client);
  client.send(PING, ACK, 0, ping);
  expect(await client.goAway()).toEqual({ lastId: 1, code: NO_ERROR, reason: '' });
  await client.closed;
  await closing;
});

test('a request that races with the announcement is answered', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: LONG_MS });
  const client = await lab.connect();
  const closing = lab.listener.listeners.close(LONG_MS);
  const ping = await announced(client);
  client.request(1, '/hello');
  expect((await client.response(1)).body.toString()).toBe('hello');
  client.request(3, '/echo', { method: 'POST', endsStream: false });
  client.send(PING, ACK, 0, ping);
  expect((await client.goAway()).lastId).toBe(3);
  client.data(3, 'still taken', true);
  expect((await client.response(3)).body.toString()).toBe('still taken');
  await client.closed;
  await closing;
});

test('a request behind the last announcement is not looked at', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: LONG_MS });
  const client = await lab.connect();
  client.request(1, '/echo', { method: 'POST', endsStream: false });
  await client.settled();
  const closing = lab.listener.listeners.close(LONG_MS);
  client.send(PING, ACK, 0, await announced(client));
  expect((await client.goAway()).lastId).toBe(1);
  client.request(3, '/too-late', { method: 'POST', endsStream: false });
  client.data(3, 'and its body', true);
  client.data(1, 'end', true);
  expect((await client.response(1)).body.toString()).toBe('end');
  await client.closed;
  expect(client.frames.filter(({ streamId }) => streamId === 3)).toEqual([]);
  expect(lab.served).not.toContain('/too-late');
  await closing;
});

test('a client that does not say that it knows is given the time to', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: 50 });
  const client = await lab.connect();
  const closing = lab.listener.listeners.close(LONG_MS);
  await announced(client);
  expect((await client.goAway()).lastId).toBe(0);
  await client.closed;
  await closing;
});

test('downloads under way come whole', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: 50 });
  const client = await lab.connect({ tls: {}, settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 1_000]] });
  client.request(1, '/big');
  expect(await takeContent(client, 1, 1_000)).toBe(1_000);
  let isClosed = false;
  const closing = lab.listener.listeners.close(LONG_MS).then(() => {
    isClosed = true;
  });
  await announced(client);
  expect((await client.goAway()).lastId).toBe(1);
  expect(isClosed).toBe(false);
  client.send(WINDOW_UPDATE, 0, 0, uint32(BIG_BYTES));
  client.send(WINDOW_UPDATE, 0, 1, uint32(BIG_BYTES));
  expect(await takeContent(client, 1, BIG_BYTES - 1_000)).toBe(BIG_BYTES - 1_000);
  await client.closed;
  await closing;
});

test('what is not done by the end of the time is cut, and the road knows', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: 20 });
  let gone = 0;
  const sinks: Promise<string>[] = [];
  lab.handlers.set('/endless', (exchange: Exchange) => {
    exchange.onGone(() => (gone += 1));
    const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
    sinks.push(sink.write(Buffer.alloc(100_000)).then(String, (error: Error) => error.name));
  });
  const client = await lab.connect();
  client.request(1, '/endless');
  await client.take(({ type }) => type === DATA);
  await lab.listener.listeners.close(200);
  await until('the road knows', () => gone === 1);
  expect(await Promise.all(sinks)).toEqual(['ClientGone']);
  await client.closed;
});

test('a connection that has only begun is told at once', async () => {
  await using lab = await startHttp2Lab({ goAwayMs: 50 });
  const silent = await lab.connect({ tls: {}, isSilent: true });
  const half = await lab.connect({ isSilent: true });
  half.write(PREFACE.subarray(0, 10));
  const begun = await lab.connect({ isSilent: true });
  begun.write(PREFACE);
  await begun.take(({ type }) => type === SETTINGS);
  const closing = lab.listener.listeners.close(LONG_MS);
  for (const client of [silent, begun]) {
    const { payload } = await client.take(({ type }) => type === GOAWAY);
    expect(payload.readUInt32BE(0)).toBe(MAX_31);
  }
  await Promise.all([silent.closed, half.closed, begun.closed, closing]);
});
