/** Clients that are slow to send, slow to take, or do neither: each wait has an end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fields } from '#core/http/fields.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import type { Exchange } from '#edge/exchange.ts';
import {
  CANCEL,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  NO_ERROR,
  PING,
  PREFACE,
  PROTOCOL_ERROR,
  RST_STREAM,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { frameBytes, type Http2TestClient, requestBlock, uint32 } from '../../support/http2-client.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';
import {
  expectConnectionError,
  expectServing,
  type Http2Lab,
  readAll,
  startHttp2Lab,
  takeContent,
  untilNoneOpen,
} from './http2-lab.ts';

/** Deadlines of a few ticks. A trickle comes more often than they pass. */
const TICK_MS = 10;
const TRICKLE_MS = 5;
const LIMITS = {
  tickMs: TICK_MS,
  headMs: 100,
  idleMs: 150,
  bodyProgressMs: 100,
  writeProgressMs: 100,
  lingerMs: 100,
};

let lab: Http2Lab;
beforeAll(async () => {
  lab = await startHttp2Lab(LIMITS);
  lab.handlers.set('/upload', (exchange) => void takeUpload(exchange));
});
afterAll(() => lab[Symbol.asyncDispose]());

/** Answers 200 with the length of the body, or with the status of what kept it from coming. */
async function takeUpload(exchange: Exchange): Promise<void> {
  let status = 200;
  let text = '';
  try {
    if (exchange.body !== null) text = String((await readAll(exchange.body)).length);
  } catch (error) {
    if (!(error instanceof RequestBodyFault)) throw error;
    status = error.status;
    text = error.fault;
  }
  exchange.respondWhole({ status, reason: '', fields: new Fields() }, Buffer.from(text));
}

/** Calls `send` again and again, until what is awaited has happened. */
async function trickling<T>(awaited: Promise<T>, send: (i: number) => void): Promise<T> {
  let i = 0;
  const timer = setInterval(() => send(i++), TRICKLE_MS);
  try {
    return await awaited;
  } finally {
    clearInterval(timer);
  }
}

/** Sends the bytes one by one, and then nothing more. */
function byteByByte(client: Http2TestClient, bytes: Buffer): (i: number) => void {
  return (i) => {
    if (i < bytes.length) client.write(bytes.subarray(i, i + 1));
  };
}

describe('slow to send', () => {
  test('AB4: a preface that trickles, over TLS', async () => {
    const client = await lab.connect({ tls: {}, isSilent: true });
    // More than the deadline for 24 bytes.
    client.write(PREFACE.subarray(0, 3));
    await expectConnectionError(client, PROTOCOL_ERROR, 'head-too-slow');
  });

  test('AB4: a preface that trickles, on a plain connection that may be of either version', async () => {
    const before = lab.refusals('head-too-slow');
    const client = await openRawClient(lab.listener.http);
    client.write(PREFACE.subarray(0, 3));
    await client.closed;
    expect(client.receivedBytes).toBe(0);
    expect(lab.refusals('head-too-slow')).toBe(before + 1);
  });

  test('AB4: a field block that trickles in CONTINUATION frames', async () => {
    const slow = await startHttp2Lab({ ...LIMITS, continuationsMax: 1_000_000, emptyFramesBurst: 1_000_000 });
    for (const payload of [Buffer.alloc(0), Buffer.of(0x82)]) {
      const client = await slow.connect();
      // Late in the time there is for a first request: the block has its own.
      await sleep(LIMITS.headMs / 2);
      client.send(HEADERS, END_STREAM, 1, requestBlock('/hello'));
      const ended = expectConnectionError(client, PROTOCOL_ERROR, 'head-too-slow');
      await trickling(ended, () => client.send(CONTINUATION, 0, 1, payload));
    }
    await slow[Symbol.asyncDispose]();
  });

  test('AB4: frames that come byte by byte: HEADERS, SETTINGS, DATA, and the header of one', async () => {
    const frames = [
      frameBytes(
        HEADERS,
        END_HEADERS | END_STREAM,
        3,
        requestBlock('/hello', { fields: [['x', 'y'.repeat(99)]] }),
      ),
      frameBytes(SETTINGS, 0, 0, Buffer.alloc(600)),
      frameBytes(DATA, 0, 1, Buffer.alloc(16_384)),
    ];
    for (const frame of frames) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      const ended = expectConnectionError(client, PROTOCOL_ERROR, 'head-too-slow');
      await trickling(ended, byteByByte(client, frame));
    }
    const client = await lab.connect();
    client.write(frameBytes(PING, 0, 0, Buffer.alloc(8)).subarray(0, 5));
    await expectConnectionError(client, PROTOCOL_ERROR, 'head-too-slow');
  });

  test('AB4: a client whose writes end within frames, each in time, is no slow one', async () => {
    const client = await lab.connect();
    client.request(1, '/silent');
    const ping = frameBytes(PING, 0, 0, Buffer.alloc(8));
    client.write(ping.subarray(0, 9));
    const pings = new Promise<void>((resolve) => {
      const started = Date.now();
      const timer = setInterval(() => {
        client.write(Buffer.concat([ping.subarray(9), ping.subarray(0, 9)]));
        // For as long as several deadlines last, a frame is always cut at the same place.
        if (Date.now() - started < 5 * LIMITS.headMs) return;
        clearInterval(timer);
        client.write(ping.subarray(9));
        resolve();
      }, TRICKLE_MS);
    });
    await pings;
    await expectServing(client);
    client.destroy();
  });

  test('AB18: a body that trickles is given up with 408, and the connection serves on', async () => {
    const client = await lab.connect();
    client.request(1, '/upload', { method: 'POST', endsStream: false });
    const { status, body } = await trickling(client.response(1), () => client.data(1, 'x'));
    expect({ status, body: body.toString() }).toEqual({ status: 408, body: 'body-too-slow' });
    expect(await client.resetOf(1)).toBe(NO_ERROR);
    await expectServing(client);
    client.destroy();
  });

  test('AB18: a body that comes at the least pace there may be arrives whole', async () => {
    const client = await lab.connect();
    client.request(1, '/upload', { method: 'POST', endsStream: false });
    let sent = 0;
    const answered = client.response(1);
    const { status } = await trickling(answered, () => {
      if (sent < 100_000) client.data(1, Buffer.alloc(1_000), sent === 99_000);
      sent += 1_000;
    });
    expect(status).toBe(200);
    client.destroy();
  });

  test('AB15: a body that nobody wants is taken for a while, then its client is told to stop', async () => {
    const client = await lab.connect();
    client.request(1, '/hello', { method: 'POST', endsStream: false });
    await client.response(1);
    expect(await trickling(client.resetOf(1), () => client.data(1, 'x'))).toBe(NO_ERROR);
    await expectServing(client);
    client.destroy();
  });

  test('AB15: and so is one that comes too fast', async () => {
    const client = await lab.connect();
    client.request(1, '/hello', { method: 'POST', endsStream: false });
    await client.response(1);
    for (let i = 0; i < 16; i += 1) client.data(1, Buffer.alloc(16_384));
    client.data(1, 'one too many');
    expect(await client.resetOf(1)).toBe(NO_ERROR);
    await expectServing(client);
    client.destroy();
  });
});

describe('silent', () => {
  test('AB16: a connection on which nothing is asked is ended, at first and later', async () => {
    const silent = await lab.connect({ tls: {}, isSilent: true });
    expect((await silent.goAway()).code).toBe(NO_ERROR);
    await silent.closed;
    const used = await lab.connect();
    used.request(1, '/hello');
    await used.response(1);
    // PING asks for nothing that would keep it.
    const { code } = await trickling(used.goAway(), () => used.send(PING, 0, 0, Buffer.alloc(8)));
    expect(code).toBe(NO_ERROR);
    await used.closed;
  });

  test('AB16: a client that does not close after GOAWAY is cut off', async () => {
    const client = await lab.connect({ isSilent: true });
    client.socket.removeAllListeners('end');
    client.write(Buffer.concat([PREFACE, frameBytes(PING, 0, 0, Buffer.alloc(8))]));
    await client.goAway();
    await trickling(client.closed, () => client.write(Buffer.alloc(1)));
  });

  test('AB16: a client that ends its side gets what it has asked for, and then the end', async () => {
    for (const tls of [null, {}]) {
      const client = await lab.connect({ tls });
      client.request(1, '/big');
      client.request(3, '/upload', { method: 'POST', endsStream: false });
      client.data(3, 'half of');
      client.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
      client.send(WINDOW_UPDATE, 0, 1, uint32(1_000_000));
      client.socket.end();
      expect((await client.response(1)).body.length).toBe(300_000);
      const { status, body } = await client.response(3);
      expect({ status, body: body.toString() }).toEqual({ status: 400, body: 'body-incomplete' });
      await client.closed;
    }
  });

  test('AB16: for a client that has closed nobody works on, even if there is nothing to send', async () => {
    for (const tls of [null, {}]) {
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      lab.handlers.set('/long', (exchange) => {
        exchange.onGone(resolve);
        begin();
      });
      const client = await lab.connect({ tls });
      client.request(1, '/long');
      await begun;
      client.destroy();
      await gone;
    }
  });
});

describe('slow to take', () => {
  test('AB14: a client that reads nothing is cut off, plain and over TLS', async () => {
    const bulk = Buffer.alloc(4_000_000, 'x');
    lab.handlers.set('/bulk', (exchange) =>
      exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, bulk),
    );
    for (const tls of [null, {}]) {
      const client = await lab.connect({ tls, settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 0x7fff_ffff]] });
      const before = lab.refusals('response-too-slow');
      client.socket.pause();
      client.send(WINDOW_UPDATE, 0, 0, uint32(0x7000_0000));
      for (let i = 0; i < 20; i += 1) client.request(2 * i + 1, '/bulk');
      await until('it was counted', () => lab.refusals('response-too-slow') === before + 1);
      client.socket.resume();
      await client.closed;
    }
  });

  test('AB14: streams without a window are reset, every one, and others are served all the while', async () => {
    const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 0]] });
    const before = lab.refusals('response-too-slow');
    const count = 127;
    for (let i = 0; i < count; i += 1) client.request(2 * i + 1, '/big');
    const last = 2 * count + 1;
    client.request(last, '/big');
    const all = Promise.all(Array.from({ length: count }, async (_, i) => resetCode(client, 2 * i + 1)));
    const codes = await trickling(all, () => {
      for (const streamId of [last, 0]) client.send(WINDOW_UPDATE, 0, streamId, uint32(1_000));
    });
    expect(new Set(codes)).toEqual(new Set([CANCEL]));
    expect(lab.refusals('response-too-slow')).toBe(before + count);
    client.send(WINDOW_UPDATE, 0, last, uint32(300_000));
    client.send(WINDOW_UPDATE, 0, 0, uint32(300_000));
    expect(await takeContent(client, last, 300_000)).toBe(300_000);
    client.destroy();
  });

  test('AB14: so is a stream that is granted a byte now and then', async () => {
    const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 0]] });
    client.request(1, '/big');
    const grant = (): void => client.send(WINDOW_UPDATE, 0, 1, uint32(1));
    expect(await trickling(client.resetOf(1), grant)).toBe(CANCEL);
    client.destroy();
  });

  test('AB14: and streams that wait for the connection’s window', async () => {
    const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 1_000_000]] });
    client.request(1, '/big');
    client.request(3, '/big');
    expect(await client.resetOf(1)).toBe(CANCEL);
    expect(await client.resetOf(3)).toBe(CANCEL);
    client.send(WINDOW_UPDATE, 0, 0, uint32(100_000));
    await expectServing(client);
    client.destroy();
  });

  test('AB14: the road learns that its client takes nothing', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<string>();
    lab.handlers.set('/told', (exchange) => {
      exchange.onGone(() => {});
      const sink = exchange.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
      sink.write(Buffer.alloc(100_000)).catch((error: Error) => resolve(error.name));
    });
    const client = await lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, 10]] });
    client.request(1, '/told');
    expect(await gone).toBe('ClientGone');
    expect(await client.resetOf(1)).toBe(CANCEL);
    client.destroy();
  });
});

test('AB16: in the end no connection is left', async () => {
  await untilNoneOpen(lab);
});

/** The code a stream is reset with, whatever other frames come. */
async function resetCode(client: Http2TestClient, streamId: number): Promise<number> {
  for (;;) {
    const { type, payload } = await client.takeOf(streamId);
    if (type === RST_STREAM) return payload.readUInt32BE(0);
  }
}
