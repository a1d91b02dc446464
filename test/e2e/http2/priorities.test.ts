/** RFC 9218: who is sent first, and that nobody waits for ever. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  PRIORITY_UPDATE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { frameBytes, type Http2TestClient, requestBlock, uint32 } from '../../support/http2-client.ts';
import { type Http2Lab, startHttp2Lab } from './http2-lab.ts';

const LARGE_BYTES = 3_000_000;
const SMALL_BYTES = 100_000;
const HEAD = { status: 200, reason: '', fields: new Fields() };

let lab: Http2Lab;
beforeAll(async () => {
  lab = await startHttp2Lab();
  const large = Buffer.alloc(LARGE_BYTES, 'large ');
  const small = Buffer.alloc(SMALL_BYTES, 'small ');
  lab.handlers.set('/large', (exchange) => exchange.respondWhole(HEAD, large));
  lab.handlers.set('/small', (exchange) => exchange.respondWhole(HEAD, small));
  lab.handlers.set('/streamed', async (exchange) => {
    const sink = exchange.respondStream(HEAD, null);
    for (let i = 0; i < 10; i += 1) await sink.write(Buffer.alloc(SMALL_BYTES / 10, 's'));
    await sink.end();
  });
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A client whose windows let everything through, but for what it sets itself. */
async function connect(streamWindow = 0x7fff_ffff, connectionWindow = 0x7fff_0000): Promise<Http2TestClient> {
  const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, streamWindow]] });
  if (connectionWindow > 65_535) client.send(WINDOW_UPDATE, 0, 0, uint32(connectionWindow - 65_535));
  return client;
}

function ask(streamId: number, path: string, priority?: string): Buffer {
  const fields = priority === undefined ? [] : [['priority', priority] as const];
  const block = requestBlock(path, { scheme: 'http', fields });
  return frameBytes(HEADERS, END_HEADERS | END_STREAM, streamId, block);
}

function update(streamId: number, priority: string): Buffer {
  return frameBytes(PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(streamId), Buffer.from(priority)]));
}

/** The streams of the DATA frames, in order, until all of `streams` have ended; repetitions left out. */
async function orderOf(client: Http2TestClient, streams: number): Promise<number[]> {
  const order: number[] = [];
  for (let ended = 0; ended < streams; ) {
    const { streamId, flags } = await client.take(({ type }) => type === DATA);
    if (order.at(-1) !== streamId) order.push(streamId);
    if ((flags & END_STREAM) !== 0) ended += 1;
  }
  return order;
}

test('the most urgent come first, whatever the order they were asked in', async () => {
  const client = await connect();
  client.write(
    Buffer.concat([
      ask(1, '/small', 'u=7'),
      ask(3, '/small', 'u=0'),
      ask(5, '/small'),
      ask(7, '/small', 'u=2'),
    ]),
  );
  expect(await orderOf(client, 4)).toEqual([3, 7, 5, 1]);
  client.destroy();
});

test('equals come one after the other, as they were asked', async () => {
  const client = await connect();
  client.write(Buffer.concat([ask(1, '/small'), ask(3, '/small', 'u=3'), ask(5, '/small', 'i=?0')]));
  expect(await orderOf(client, 3)).toEqual([1, 3, 5]);
  client.destroy();
});

test('those of use in parts take turns, frame by frame', async () => {
  const client = await connect();
  client.write(Buffer.concat([ask(1, '/small', 'i'), ask(3, '/small', 'u=3, i'), ask(5, '/small', 'i')]));
  const order = await orderOf(client, 3);
  // 100,000 bytes are seven frames each.
  expect(order).toEqual(Array.from({ length: 21 }, (_, i) => 1 + 2 * (i % 3)));
  client.destroy();
});

test('a PRIORITY_UPDATE before the request counts more than the request', async () => {
  const client = await connect();
  client.write(Buffer.concat([update(3, 'u=0'), ask(1, '/small', 'u=1'), ask(3, '/small', 'u=7')]));
  expect(await orderOf(client, 2)).toEqual([3, 1]);
  client.destroy();
});

test('a PRIORITY_UPDATE while responses wait puts them in another order', async () => {
  const client = await connect(0x7fff_ffff, 65_535);
  client.write(Buffer.concat([ask(1, '/small', 'u=1'), ask(3, '/small', 'u=4'), ask(5, '/small', 'u=5')]));
  let received = 0;
  while (received < 65_535) {
    const { streamId, payload } = await client.take(({ type }) => type === DATA);
    expect(streamId).toBe(1);
    received += payload.length;
  }
  client.write(Buffer.concat([update(5, 'u=0'), update(1, 'u=6')]));
  client.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
  expect(await orderOf(client, 3)).toEqual([5, 3, 1]);
  client.destroy();
});

test('a stream without a window keeps nobody waiting, however urgent it is', async () => {
  const client = await connect(0);
  client.write(Buffer.concat([ask(1, '/small', 'u=0'), ask(3, '/small', 'u=7')]));
  client.send(WINDOW_UPDATE, 0, 3, uint32(SMALL_BYTES));
  expect(await orderOf(client, 1)).toEqual([3]);
  client.send(WINDOW_UPDATE, 0, 1, uint32(SMALL_BYTES));
  expect(await orderOf(client, 1)).toEqual([1]);
  client.destroy();
});

test('large equals share what there is, so that none waits for the end of another', async () => {
  const client = await connect();
  client.write(Buffer.concat([ask(1, '/large'), ask(3, '/large'), ask(5, '/small')]));
  const order = await orderOf(client, 3);
  // The small one comes whole in its first turn, and the large ones have several each.
  expect(order.slice(0, 4)).toEqual([1, 3, 5, 1]);
  expect(order.filter((streamId) => streamId === 3).length).toBeGreaterThan(3);
  client.destroy();
});

test('less urgent ones wait for the end of a large one', async () => {
  const client = await connect();
  client.write(Buffer.concat([ask(1, '/small', 'u=4'), ask(3, '/large', 'u=3')]));
  expect(await orderOf(client, 2)).toEqual([3, 1]);
  client.destroy();
});

test('a streamed response that has nothing to send keeps nobody waiting', async () => {
  const client = await connect();
  client.write(Buffer.concat([ask(1, '/streamed', 'u=0'), ask(3, '/large', 'u=7')]));
  const order = await orderOf(client, 2);
  expect(order[0]).toBe(1);
  expect(new Set(order)).toEqual(new Set([1, 3]));
  client.destroy();
});
