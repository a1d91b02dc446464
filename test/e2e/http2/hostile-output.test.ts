/** Clients that ask for much and take little: what waits for them is bounded, whatever they ask. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import {
  END_HEADERS,
  END_STREAM,
  HEADERS,
  PING,
  PREFACE,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import { frameBytes, requestBlock, settingsPayload, uint32 } from '../../support/http2-client.ts';
import { until } from '../../support/until.ts';
import { openHttp2Wire } from '../../support/wire.ts';
import { type Http2Lab, startHttp2Lab, untilNoneOpen } from './http2-lab.ts';

const LARGE_WINDOW = settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, 0x7fff_ffff]]);
const HELLO = Buffer.concat([
  PREFACE,
  frameBytes(SETTINGS, 0, 0, LARGE_WINDOW),
  frameBytes(WINDOW_UPDATE, 0, 0, uint32(0x7000_0000)),
]);
/** A stored response with a head of 4 kB, and a body of 300 kB. */
const STORED = {
  status: 200,
  reason: '',
  lines: `Content-Type: text/plain\r\nX-Policy: ${'p'.repeat(4_000)}\r\n`,
  block: null,
};
const BODY = Buffer.alloc(300_000, 'b');

function answerStored(exchange: Exchange): void {
  exchange.respondPrepared(STORED, 'Age: 1\r\n', BODY, BODY.length);
}

function requests(count: number, method: string): Buffer {
  const block = requestBlock('/stored', { method });
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => frameBytes(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, block)),
  );
}

/** What was put together and not yet handed to the socket comes on top: one scratch buffer. */
const SCRATCH_BYTES = 64 * 1024;

describe('on a socket that takes nothing', () => {
  test('AB13: stored responses wait as references, not as copies', async () => {
    const wire = openHttp2Wire(answerStored, { isStuck: true });
    wire.bring(Buffer.concat([HELLO, requests(HTTP2_LIMITS.streamsMax, 'GET')]));
    await until('all are asked', () => wire.context.exchanges === HTTP2_LIMITS.streamsMax);
    // 38 MB of bodies, of which no more is written than shows that nobody takes it.
    expect(wire.socket.writableLength).toBeLessThan(HTTP2_LIMITS.streamsMax * 4_200 + 3 * SCRATCH_BYTES);
    wire.socket.destroy();
    await wire.closed;
  });

  test('AB13: thousands of requests in one chunk are not answered before their answers can leave', async () => {
    const wire = openHttp2Wire(answerStored, { isStuck: true });
    const count = 10_000;
    wire.bring(Buffer.concat([HELLO, requests(count, 'HEAD')]));
    await until('reading has stopped', () => wire.socket.isPaused());
    const { unsentBytesMax } = HTTP2_LIMITS;
    expect(wire.context.exchanges).toBeLessThan(count / 10);
    expect(wire.socket.writableLength).toBeGreaterThan(unsentBytesMax - SCRATCH_BYTES);
    expect(wire.socket.writableLength).toBeLessThan(unsentBytesMax + SCRATCH_BYTES);
    // When the client takes what there is, the rest is answered, with never more waiting than that.
    wire.socket.release();
    await until('all are answered', () => wire.context.exchanges === count);
    expect(wire.socket.isPaused()).toBe(false);
    wire.socket.destroy();
    await wire.closed;
  });

  test('AB13: a bound below what the socket takes at once stops nothing', async () => {
    const wire = openHttp2Wire(answerStored, { limits: { unsentBytesMax: 1_000 } });
    wire.bring(Buffer.concat([HELLO, requests(500, 'HEAD')]));
    await until('all are answered', () => wire.context.exchanges === 500);
    wire.bring(frameBytes(PING, 0, 0, Buffer.from('as usual')));
    await until('it is read on', () => wire.output().includes('as usual'));
    wire.socket.destroy();
    await wire.closed;
  });

  test('AB13: answers to PING and SETTINGS pile up to the same bound', async () => {
    const limits = { pingsBurst: 1e9, settingsBurst: 1e9 };
    for (const frame of [
      frameBytes(PING, 0, 0, Buffer.alloc(8)),
      frameBytes(SETTINGS, 0, 0, Buffer.alloc(0)),
    ]) {
      const wire = openHttp2Wire(answerStored, { isStuck: true, limits });
      const flood = Buffer.concat(Array.from({ length: 200_000 }, () => frame));
      wire.bring(Buffer.concat([HELLO, flood]));
      await until('reading has stopped', () => wire.socket.isPaused());
      expect(wire.socket.writableLength).toBeLessThan(HTTP2_LIMITS.unsentBytesMax + SCRATCH_BYTES);
      wire.socket.destroy();
      await wire.closed;
    }
  });

  test('AB13: so do streams that are refused or reset', async () => {
    const limits = { resetsBurst: 1e9 };
    const wire = openHttp2Wire(() => {}, { isStuck: true, limits });
    wire.bring(Buffer.concat([HELLO, requests(200_000, 'GET')]));
    await until('reading has stopped', () => wire.socket.isPaused());
    expect(wire.socket.writableLength).toBeLessThan(HTTP2_LIMITS.unsentBytesMax + SCRATCH_BYTES);
    wire.socket.destroy();
    await wire.closed;
  });

  test('AB13: interim responses are left out', async () => {
    const wire = openHttp2Wire(
      (exchange) => {
        for (let i = 0; i < 100_000; i += 1)
          exchange.inform(103, Fields.of([['Link', '</a.css>; rel=preload']]));
      },
      { isStuck: true },
    );
    wire.bring(Buffer.concat([HELLO, requests(1, 'GET')]));
    await until('it was asked', () => wire.context.exchanges === 1);
    expect(wire.socket.writableLength).toBeLessThan(4 * SCRATCH_BYTES);
    wire.socket.destroy();
    await wire.closed;
  });
});

describe('on real sockets', () => {
  let lab: Http2Lab;
  beforeAll(async () => {
    lab = await startHttp2Lab({ pingsBurst: 1e9, writeProgressMs: 200 });
    lab.handlers.set('/stored', answerStored);
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  test('AB13: a client that sends and does not read is read no more, and then cut off', async () => {
    for (const tls of [null, {}]) {
      const client = await lab.connect({ tls });
      const before = lab.refusals('response-too-slow');
      client.socket.pause();
      const flood = Buffer.concat(
        Array.from({ length: 100_000 }, () => frameBytes(PING, 0, 0, Buffer.alloc(8))),
      );
      let taken = 0;
      const hasLeft = (error?: Error | null): void => {
        if (!error) taken += flood.length;
      };
      for (let i = 0; i < 50; i += 1) client.socket.write(flood, hasLeft);
      await until('it was counted', () => lab.refusals('response-too-slow') === before + 1);
      client.socket.resume();
      await client.closed;
      // What the two kernels and our bound hold is a part of the 85 MB.
      expect(taken).toBeLessThan(40_000_000);
    }
  });

  test('AB13: stored responses for one that does not read do not keep others from theirs', async () => {
    const greedy = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 0x7fff_ffff]] });
    greedy.socket.pause();
    greedy.write(frameBytes(WINDOW_UPDATE, 0, 0, uint32(0x7000_0000)));
    for (let i = 0; i < HTTP2_LIMITS.streamsMax; i += 1) greedy.request(2 * i + 1, '/stored');
    const others = await Promise.all(Array.from({ length: 5 }, () => lab.connect()));
    for (const other of others) {
      for (let i = 0; i < 10; i += 1) {
        other.request(2 * i + 1, '/hello');
        expect((await other.response(2 * i + 1)).status).toBe(200);
      }
      other.destroy();
    }
    greedy.destroy();
  });

  test('AB13: a client that reads as fast as it can does not keep others from theirs', async () => {
    lab.handlers.set('/bulk', (exchange) =>
      exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.alloc(50_000_000)),
    );
    const greedy = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 0x7fff_ffff]] });
    greedy.write(frameBytes(WINDOW_UPDATE, 0, 0, uint32(0x7000_0000)));
    greedy.request(1, '/bulk');
    const other = await lab.connect();
    other.request(1, '/hello');
    expect((await other.response(1)).status).toBe(200);
    expect(greedy.receivedBytes).toBeLessThan(50_000_000);
    other.destroy();
    greedy.destroy();
  });

  test('AB13: a connection reset in the middle of a response lets the road know', async () => {
    const ends: string[] = [];
    lab.handlers.set('/endless', (exchange) => {
      exchange.onGone(() => ends.push('gone'));
      const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
      void (async () => {
        try {
          for (;;) await sink.write(Buffer.alloc(16_384));
        } catch {
          ends.push('rejected');
        }
      })();
    });
    const client = await lab.connect();
    client.request(1, '/endless');
    await client.take(({ streamId }) => streamId === 1);
    client.reset();
    await until('the road knows', () => ends.length === 2);
    expect(ends.sort()).toEqual(['gone', 'rejected']);
    await untilNoneOpen(lab);
    expect(lab.refusals('response-too-slow')).toBeLessThanOrEqual(2);
  });
});
