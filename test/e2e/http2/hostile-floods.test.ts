/** Floods of frames that cost us more than the client: each has a budget, and beyond it the connection ends. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Exchange } from '#edge/exchange.ts';
import {
  ACK,
  CANCEL,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  HEADERS,
  MAX_31,
  PING,
  PRIORITY,
  PRIORITY_UPDATE,
  RST_STREAM,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import {
  frameBytes,
  type Http2TestClient,
  requestBlock,
  settingsPayload,
  uint32,
} from '../../support/http2-client.ts';
import { until } from '../../support/until.ts';
import {
  BIG_BYTES,
  expectConnectionError,
  expectNoError,
  type Http2Lab,
  startHttp2Lab,
  untilNoneOpen,
} from './http2-lab.ts';

let lab: Http2Lab;
/** Requests of `/work` that have begun, how many of them are not given up, and the most there have been at a time. */
const work = { begun: 0, running: 0, most: 0 };

beforeAll(async () => {
  lab = await startHttp2Lab();
  lab.handlers.set('/work', (exchange: Exchange) => {
    work.begun += 1;
    work.running += 1;
    work.most = Math.max(work.most, work.running);
    exchange.onGone(() => {
      work.running -= 1;
    });
  });
});
afterAll(() => lab[Symbol.asyncDispose]());

/** `count` frames made by number, in one write. */
function many(count: number, make: (i: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
}

const WORK = requestBlock('/work', { scheme: 'http' });

function workOn(streamId: number, endsStream: boolean, more: Buffer = Buffer.alloc(0)): Buffer {
  const flags = END_HEADERS | (endsStream ? END_STREAM : 0);
  return frameBytes(HEADERS, flags, streamId, Buffer.concat([WORK, more]));
}

/** Sends far more than the budget, and expects the connection to end by it. */
async function flood(client: Http2TestClient, reason: string, frames: Buffer): Promise<void> {
  const before = lab.refusals(reason);
  client.write(frames);
  await expectConnectionError(client, ENHANCE_YOUR_CALM, reason);
  expect(lab.refusals(reason)).toBe(before + 1);
}

describe('streams begun and reset', () => {
  test('AB5: rapid reset ends the connection, and bounds the work begun and under way', async () => {
    const client = await lab.connect();
    const begunBefore = work.begun;
    work.most = 0;
    const pairs = many(20_000, (i) =>
      Buffer.concat([workOn(2 * i + 1, true), frameBytes(RST_STREAM, 0, 2 * i + 1, uint32(CANCEL))]),
    );
    await flood(client, 'streams-reset-too-often', pairs);
    const begun = work.begun - begunBefore;
    expect(begun).toBeGreaterThan(0);
    // The budget is regained over time, a few for every tick that the flood takes.
    expect(begun).toBeLessThan(2 * HTTP2_LIMITS.resetsBurst);
    expect(work.most).toBe(1);
    await until('no work is left', () => work.running === 0);
  });

  test('AB5: what a client with cause to reset does is no flood', async () => {
    const client = await lab.connect();
    for (let i = 0; i < 300; i += 1) {
      client.request(2 * i + 1, '/silent');
      client.send(RST_STREAM, 0, 2 * i + 1, uint32(CANCEL));
    }
    await expectNoError(client);
    client.destroy();
  });

  /** What makes us reset a stream, as frames behind its head. Streams are begun with or without END_STREAM. */
  const provocations: readonly (readonly [string, boolean, Buffer, (streamId: number) => Buffer])[] = [
    ['windows of 0', true, Buffer.alloc(0), (id) => frameBytes(WINDOW_UPDATE, 0, id, uint32(0))],
    [
      'windows that overflow',
      true,
      Buffer.alloc(0),
      (id) => frameBytes(WINDOW_UPDATE, 0, id, uint32(MAX_31)),
    ],
    ['DATA after the end', true, Buffer.alloc(0), (id) => frameBytes(DATA, 0, id, Buffer.from('x'))],
    [
      'HEADERS after the end',
      true,
      Buffer.alloc(0),
      (id) => frameBytes(HEADERS, END_HEADERS | END_STREAM, id, Buffer.alloc(0)),
    ],
    [
      'malformed trailers',
      false,
      Buffer.alloc(0),
      (id) => frameBytes(HEADERS, END_HEADERS | END_STREAM, id, WORK),
    ],
    [
      'trailers without an end',
      false,
      Buffer.alloc(0),
      (id) => frameBytes(HEADERS, END_HEADERS, id, Buffer.alloc(0)),
    ],
    [
      'DATA beyond its Content-Length',
      false,
      // content-length: 1 by its name in the static table.
      Buffer.of(0x0f, 0x0d, 0x01, 0x31),
      (id) => frameBytes(DATA, 0, id, Buffer.from('xx')),
    ],
  ];
  for (const [what, endsStream, more, provoke] of provocations) {
    test(`AB6: streams that we reset for ${what} end the connection, and bound the work`, async () => {
      const client = await lab.connect();
      const begunBefore = work.begun;
      work.most = 0;
      const frames = many(5_000, (i) =>
        Buffer.concat([workOn(2 * i + 1, endsStream, more), provoke(2 * i + 1)]),
      );
      await flood(client, 'streams-reset-too-often', frames);
      expect(work.begun - begunBefore).toBeGreaterThan(0);
      expect(work.begun - begunBefore).toBeLessThan(2 * HTTP2_LIMITS.resetsBurst);
      expect(work.most).toBe(1);
      await until('no work is left', () => work.running === 0);
    });
  }

  test('AB6: so do requests that are malformed, refused for their number, or late', async () => {
    const malformed = Buffer.concat([WORK, WORK]);
    const floods = [
      many(5_000, (i) => frameBytes(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, malformed)),
      many(5_000, (i) => workOn(2 * i + 1, true)),
      Buffer.concat([
        workOn(1, false),
        frameBytes(WINDOW_UPDATE, 0, 1, uint32(0)),
        many(5_000, () => workOn(1, true)),
      ]),
    ];
    for (const frames of floods) {
      work.most = 0;
      await flood(await lab.connect(), 'streams-reset-too-often', frames);
      expect(work.most).toBeLessThanOrEqual(HTTP2_LIMITS.streamsMax);
      await until('no work is left', () => work.running === 0);
    }
  });
});

describe('frames that ask for an answer', () => {
  test('AB7: a SETTINGS flood ends the connection', async () => {
    const client = await lab.connect();
    await flood(
      client,
      'settings-too-often',
      many(5_000, () => frameBytes(SETTINGS, 0, 0, Buffer.alloc(0))),
    );
  });

  test('AB7: so does a flood of acknowledgements that nobody waits for', async () => {
    const client = await lab.connect();
    await flood(
      client,
      'settings-too-often',
      many(5_000, () => frameBytes(SETTINGS, ACK, 0, Buffer.alloc(0))),
    );
  });

  test('AB7: one frame full of settings is one frame', async () => {
    const client = await lab.connect();
    const payload = settingsPayload(
      Array.from({ length: 2_730 }, (_, i) => [SETTINGS_INITIAL_WINDOW_SIZE, i] as const),
    );
    for (let i = 0; i < 10; i += 1) client.send(SETTINGS, 0, 0, payload);
    await expectNoError(client);
    client.destroy();
  });

  test('AB7: a client that never acknowledges ours is served', async () => {
    const client = await lab.connect({ isSilent: true });
    client.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    client.send(SETTINGS, 0, 0);
    for (let i = 0; i < 50; i += 1) {
      client.request(2 * i + 1, '/hello');
      expect((await client.response(2 * i + 1)).status).toBe(200);
    }
    client.destroy();
  });

  test('AB8: a PING flood ends the connection, and so does one of answers', async () => {
    for (const flags of [0, ACK]) {
      const client = await lab.connect();
      await flood(
        client,
        'pings-too-often',
        many(20_000, () => frameBytes(PING, flags, 0, Buffer.alloc(8))),
      );
    }
  });

  test('AB8: and one by a client that does not read', async () => {
    const client = await lab.connect();
    client.socket.pause();
    const before = lab.refusals('pings-too-often');
    client.write(many(20_000, () => frameBytes(PING, 0, 0, Buffer.alloc(8))));
    await until('the flood was counted', () => lab.refusals('pings-too-often') === before + 1);
    client.socket.resume();
    await client.closed;
  });
});

describe('frames that do nothing', () => {
  test('AB9: empty DATA frames end the connection', async () => {
    const client = await lab.connect();
    client.request(1, '/echo', { method: 'POST', endsStream: false });
    await flood(
      client,
      'emptyFrames-too-often',
      many(5_000, () => frameBytes(DATA, 0, 1, Buffer.alloc(0))),
    );
  });

  test('AB9: so do those of nothing but padding, and those on a stream that is reset', async () => {
    const padded = await lab.connect();
    padded.request(1, '/echo', { method: 'POST', endsStream: false });
    const padding = Buffer.concat([Buffer.of(255), Buffer.alloc(255)]);
    await flood(
      padded,
      'emptyFrames-too-often',
      many(5_000, () => frameBytes(DATA, 0x8, 1, padding)),
    );
    const reset = await lab.connect();
    reset.request(1, '/silent', { method: 'POST', endsStream: false });
    reset.send(WINDOW_UPDATE, 0, 1, uint32(0));
    await flood(
      reset,
      'emptyFrames-too-often',
      many(5_000, () => frameBytes(DATA, END_STREAM, 1, Buffer.alloc(0))),
    );
  });

  test('AB9: so do empty CONTINUATION frames of many requests', async () => {
    const client = await lab.connect();
    const block = requestBlock('/hello', { scheme: 'http' });
    const frames = many(200, (i) =>
      Buffer.concat([
        frameBytes(HEADERS, END_STREAM, 2 * i + 1, block),
        many(10, () => frameBytes(CONTINUATION, 0, 2 * i + 1, Buffer.alloc(0))),
        frameBytes(CONTINUATION, END_HEADERS, 2 * i + 1, Buffer.alloc(0)),
      ]),
    );
    await flood(client, 'emptyFrames-too-often', frames);
  });

  test('AB10: PRIORITY and PRIORITY_UPDATE floods end the connection', async () => {
    const update = Buffer.concat([uint32(1), Buffer.from('u=1')]);
    for (const frame of [
      frameBytes(PRIORITY, 0, 1, Buffer.alloc(5)),
      frameBytes(PRIORITY_UPDATE, 0, 0, update),
    ]) {
      const client = await lab.connect();
      client.request(1, '/silent');
      await flood(
        client,
        'priorities-too-often',
        many(20_000, () => frame),
      );
    }
  });

  test('AB11: a flood of frames of unknown types ends the connection', async () => {
    const client = await lab.connect();
    await flood(
      client,
      'unknownFrames-too-often',
      many(5_000, (i) => frameBytes(0x20 + (i % 200), 0, 0, Buffer.alloc(i % 50))),
    );
  });

  test('AB12: a WINDOW_UPDATE flood ends the connection, on it and on streams', async () => {
    for (const streamId of [0, 1]) {
      const client = await lab.connect();
      client.request(1, '/silent');
      await flood(
        client,
        'windowUpdates-too-often',
        many(50_000, () => frameBytes(WINDOW_UPDATE, 0, streamId, uint32(1))),
      );
    }
  });

  test('AB12: a client that grants anew whatever it gets, for stream and connection, is served to the end', async () => {
    const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 50]] });
    client.request(1, '/big');
    let grants = 0;
    for (let received = 0; received < BIG_BYTES; ) {
      const { payload } = await client.take(({ type }) => type === DATA);
      received += payload.length;
      for (const streamId of [1, 0]) client.send(WINDOW_UPDATE, 0, streamId, uint32(payload.length));
      grants += 2;
    }
    expect(grants).toBeGreaterThan(2 * HTTP2_LIMITS.windowUpdatesBurst);
    client.destroy();
  });
});

test('AB5: when the floods are over nothing of them is left', async () => {
  await untilNoneOpen(lab);
  expect(work.running).toBe(0);
});
