/** Little that unpacks to much: field lists, compressed fields, blocks in many frames, padding, parts of chunks. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { CONNECTION_LIMITS } from '#edge/connection/limits.ts';
import type { BodySource } from '#edge/exchange.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  HEADERS,
  PADDED,
  PREFACE,
  SETTINGS,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import {
  type FieldLines,
  fieldBlock,
  frameBytes,
  type Http2TestClient,
  requestBlock,
} from '../../support/http2-client.ts';
import { until } from '../../support/until.ts';
import { openHttp2Wire } from '../../support/wire.ts';
import { expectConnectionError, expectServing, type Http2Lab, startHttp2Lab } from './http2-lab.ts';

let lab: Http2Lab;
beforeAll(async () => {
  lab = await startHttp2Lab();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** Sends a block in frames as large as there may be. */
function sendBlock(client: Http2TestClient, streamId: number, block: Buffer): void {
  const most = HTTP2_LIMITS.frameBytesMax;
  for (let at = 0; at < block.length || at === 0; at += most) {
    const isLast = at + most >= block.length;
    const flags = (isLast ? END_HEADERS : 0) | (at === 0 ? END_STREAM : 0);
    client.send(at === 0 ? HEADERS : CONTINUATION, flags, streamId, block.subarray(at, at + most));
  }
}

/** The answer is 431 with the bound's name, the handler sees nothing, and the connection serves on. */
async function expectTooLarge(client: Http2TestClient, streamId: number): Promise<void> {
  const served = lab.served.length;
  const { status, body } = await client.response(streamId);
  expect({ status, body: body.toString() }).toEqual({ status: 431, body: '431: fields-too-large\n' });
  expect(lab.served.length).toBe(served);
  await expectServing(client);
}

describe('field lists', () => {
  const lists: readonly (readonly [string, FieldLines])[] = [
    ['a value of 33 KB', [['x-huge', 'v'.repeat(33_000)]]],
    ['a name of 33 KB', [['x'.repeat(33_000), 'v']]],
    [
      'lines that are too large together',
      Array.from({ length: 9 }, (_, i) => [`x-${i}`, 'v'.repeat(4_000)] as const),
    ],
    ['too many lines', Array.from({ length: 200 }, (_, i) => [`x-${i}`, ''] as const)],
    ['too many crumbs of cookies', Array.from({ length: 200 }, () => ['cookie', 'a=b'] as const)],
  ];
  for (const [what, fields] of lists) {
    test(`AB1: ${what}: 431, and the connection serves on`, async () => {
      const client = await lab.connect();
      client.lastStreamId = 1;
      sendBlock(client, 1, requestBlock('/hello', { scheme: 'http', fields }));
      await expectTooLarge(client, 1);
      client.destroy();
    });
  }

  test('AB1: the answer to HEAD has no content', async () => {
    const client = await lab.connect();
    const fields = [['x-huge', 'v'.repeat(33_000)]] as const;
    sendBlock(client, 1, requestBlock('/hello', { scheme: 'http', method: 'HEAD', fields }));
    const { status, body } = await client.response(1);
    expect({ status, length: body.length }).toEqual({ status: 431, length: 0 });
    client.headers(3, [...client.pseudoFields('/hello', 'HEAD'), ['expect', 'wonders']]);
    const refused = await client.response(3);
    expect({ status: refused.status, length: refused.body.length }).toEqual({ status: 417, length: 0 });
    client.destroy();
  });

  test('AB1: a list of just the size there may be is taken', async () => {
    const client = await lab.connect();
    const lines = [...client.pseudoFields('/hello'), ['x-size', '']];
    const others = lines.reduce((size, line) => size + 32 + line.join('').length, 0);
    const value = 'v'.repeat(CONNECTION_LIMITS.headBytesMax - others);
    for (const [streamId, more, status] of [
      [1, '', 200],
      [3, 'v', 431],
    ] as const) {
      sendBlock(
        client,
        streamId,
        requestBlock('/hello', { scheme: 'http', fields: [['x-size', value + more]] }),
      );
      expect((await client.response(streamId)).status).toBe(status);
    }
    client.destroy();
  });
});

describe('blocks', () => {
  test('AB2: a block of more than 64 KiB ends the connection', async () => {
    const client = await lab.connect();
    sendBlock(client, 1, requestBlock('/hello', { fields: [['x-huge', 'v'.repeat(70_000)]] }));
    await expectConnectionError(client, ENHANCE_YOUR_CALM, 'block-too-large');
  });

  test('AB3: CONTINUATION frames without end do, whether they hold something or not', async () => {
    for (const payload of [Buffer.of(0x82), Buffer.alloc(0)]) {
      const client = await lab.connect();
      client.send(HEADERS, END_STREAM, 1, requestBlock('/hello'));
      client.write(
        Buffer.concat(Array.from({ length: 100_000 }, () => frameBytes(CONTINUATION, 0, 1, payload))),
      );
      await expectConnectionError(client, ENHANCE_YOUR_CALM, 'continuations-too-many');
    }
  });

  test('AB3: a block in as many as there may be is taken', async () => {
    const client = await lab.connect();
    const block = requestBlock('/hello', { scheme: 'http' });
    client.send(HEADERS, END_STREAM, 1, block.subarray(0, 1));
    for (let i = 1; i < HTTP2_LIMITS.continuationsMax; i += 1) {
      client.send(CONTINUATION, 0, 1, block.subarray(i, i + 1));
    }
    client.send(CONTINUATION, END_HEADERS, 1, block.subarray(HTTP2_LIMITS.continuationsMax));
    expect((await client.response(1)).status).toBe(200);
    client.destroy();
  });
});

describe('compressed fields', () => {
  /** A literal with incremental indexing of a new name, its value of `length` bytes. */
  function filler(length: number): Buffer {
    const value = Buffer.alloc(length, 'v');
    const size = length - 127;
    return Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, (size & 0x7f) | 0x80, size >> 7), value]);
  }

  test('AB17: a line of the table referred to again and again: 431', async () => {
    const client = await lab.connect();
    const references = Buffer.alloc(60_000, 0x80 | 62);
    sendBlock(
      client,
      1,
      Buffer.concat([requestBlock('/hello', { scheme: 'http' }), filler(4_000), references]),
    );
    // 60,000 × 4 kB are 240 MB; nothing of them is made.
    await expectTooLarge(client, 1);
    client.destroy();
  });

  test('AB17: and in many requests at a time, as trailers too', async () => {
    const client = await lab.connect();
    sendBlock(client, 1, Buffer.concat([requestBlock('/hello', { scheme: 'http' }), filler(4_000)]));
    await client.response(1);
    const references = Buffer.alloc(16_000, 0x80 | 62);
    for (let streamId = 3; streamId < 203; streamId += 2) {
      sendBlock(client, streamId, Buffer.concat([requestBlock('/hello', { scheme: 'http' }), references]));
    }
    for (let streamId = 3; streamId < 203; streamId += 2) {
      expect((await client.response(streamId)).status).toBe(431);
    }
    client.request(301, '/echo', { method: 'POST', endsStream: false });
    sendBlock(client, 301, references);
    expect(await client.resetOf(301)).toBe(1);
    await expectServing(client);
    client.destroy();
  });

  test('AB17: a table cannot be made larger than we said', async () => {
    const client = await lab.connect();
    // 4,097.
    sendBlock(client, 1, Buffer.concat([Buffer.of(0x3f, 0xe2, 0x1f), requestBlock('/hello')]));
    await expectConnectionError(client, 9, 'hpack-table-size-too-large');
  });
});

describe('padding', () => {
  test('AB19: a byte of content with 255 of padding costs its sender, not us', async () => {
    const client = await lab.connect();
    client.request(1, '/echo', { method: 'POST', endsStream: false });
    const frame = frameBytes(
      DATA,
      PADDED,
      1,
      Buffer.concat([Buffer.of(255), Buffer.from('x'), Buffer.alloc(255)]),
    );
    const count = 20_000;
    // Five times the window of the connection.
    client.write(Buffer.concat(Array.from({ length: count }, () => frame)));
    client.data(1, '', true);
    const { body } = await client.response(1);
    expect(body).toHaveLength(count);
    await expectServing(client);
    client.destroy();
  });
});

describe('what is kept', () => {
  const HELLO = Buffer.concat([PREFACE, frameBytes(SETTINGS, 0, 0, Buffer.alloc(0))]);

  test('AB19: a part of a body that waits does not keep alive all that came with it', async () => {
    const bodies: BodySource[] = [];
    const wire = openHttp2Wire((exchange) => {
      if (exchange.body !== null) bodies.push(exchange.body);
    });
    const post = fieldBlock([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'example.com'],
      [':path', '/'],
    ]);
    wire.bring(Buffer.concat([HELLO, frameBytes(HEADERS, END_HEADERS, 1, post)]));
    await until('the request is there', () => bodies.length === 1);
    const unknown = frameBytes(0x77, 0, 0, Buffer.alloc(16_000));
    const chunk = Buffer.concat([
      frameBytes(DATA, 0, 1, Buffer.alloc(2_000, 'd')),
      ...Array(30).fill(unknown),
    ]);
    wire.bring(chunk);
    const part = (await bodies[0]?.read()) as Uint8Array;
    expect(part).toHaveLength(2_000);
    expect(part.buffer.byteLength).toBeLessThan(4_096);
    // The same for one that a waiting read takes at once.
    const next = bodies[0]?.read();
    wire.bring(chunk.map((byte) => byte));
    const direct = (await next) as Uint8Array;
    expect(direct).toHaveLength(2_000);
    expect(direct.buffer.byteLength).toBeLessThan(4_096);
    wire.socket.destroy();
    await wire.closed;
  });

  test('AB19: what is mostly content is not copied', async () => {
    const bodies: BodySource[] = [];
    const wire = openHttp2Wire((exchange) => {
      if (exchange.body !== null) bodies.push(exchange.body);
    });
    const block = requestBlock('/', { method: 'POST' });
    wire.bring(Buffer.concat([HELLO, frameBytes(HEADERS, END_HEADERS, 1, block)]));
    await until('the request is there', () => bodies.length === 1);
    const chunk = Buffer.concat(
      Array.from({ length: 4 }, () => frameBytes(DATA, 0, 1, Buffer.alloc(16_000))),
    );
    wire.bring(chunk);
    const part = (await bodies[0]?.read()) as Uint8Array;
    expect(part.buffer).toBe(chunk.buffer);
    wire.socket.destroy();
    await wire.closed;
  });

  test('AB19: a thousand connections with the header of a frame take no memory for its payload', async () => {
    const sizes: number[] = [];
    const allocate = Buffer.allocUnsafeSlow;
    Buffer.allocUnsafeSlow = (size: number) => {
      sizes.push(size);
      return allocate(size);
    };
    try {
      const wires = Array.from({ length: 1_000 }, () => openHttp2Wire(() => {}));
      sizes.length = 0;
      const header = frameBytes(DATA, 0, 1, Buffer.alloc(16_384)).subarray(0, 9);
      for (const wire of wires) wire.bring(Buffer.concat([HELLO, header]));
      await until('all has been read', () => sizes.length >= wires.length);
      expect(sizes).toHaveLength(wires.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(256);
      for (const wire of wires) wire.socket.destroy();
      await Promise.all(wires.map(({ closed }) => closed));
    } finally {
      Buffer.allocUnsafeSlow = allocate;
    }
  });
});
