/** RFC 9113 §6 and §7: each kind of frame, settings, and error codes. */
import { expect } from 'bun:test';
import {
  ACK,
  CANCEL,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  NO_ERROR,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  readUint31,
  readUint32,
  SETTINGS,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_FRAME_SIZE,
  STREAM_CLOSED,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import { type Http2TestClient, requestBlock, settingsPayload, uint32 } from '../../support/http2-client.ts';
import { type ConformanceCase, ending } from './conformance-case.ts';
import {
  expectConnectionError,
  expectNoError,
  expectServing,
  expectStreamError,
  type Http2Lab,
  takeContent,
} from './http2-lab.ts';

const PART = Buffer.alloc(16_384, 'p');
/** As long, but 256 of it are Pad Length and padding. */
const PADDED_PART = Buffer.concat([Buffer.of(255), Buffer.alloc(16_128, 'p'), Buffer.alloc(255)]);

/** A new connection whose only setting from the client is its window for streams. */
function connectWithWindow(lab: Http2Lab, bytes: number): Promise<Http2TestClient> {
  return lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, bytes]] });
}

function setWindow(client: Http2TestClient, bytes: number): void {
  client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, bytes]]));
}

export const FRAME_CASES: readonly ConformanceCase[] = [
  ending('H2-6.1a', 'DATA on stream 0', PROTOCOL_ERROR, 'frame-without-stream', (client) =>
    client.send(DATA, 0, 0, Buffer.from('x')),
  ),
  {
    id: 'H2-6.1b',
    shows: 'padding counts in the window of the stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      for (let sent = 0; sent < HTTP2_LIMITS.streamWindowBytes; sent += PADDED_PART.length) {
        client.send(DATA, PADDED, 1, PADDED_PART);
      }
      client.data(1, 'x');
      await expectStreamError(client, 1, FLOW_CONTROL_ERROR);
      client.destroy();
    },
  },
  {
    id: 'H2-6.1b',
    shows: 'and in that of the connection',
    async run(lab) {
      const client = await lab.connect();
      const { connectionWindowBytes, streamWindowBytes } = HTTP2_LIMITS;
      for (let sent = 0; sent < connectionWindowBytes; sent += PADDED_PART.length) {
        const streamId = 1 + 2 * Math.floor(sent / streamWindowBytes);
        if (sent % streamWindowBytes === 0) {
          client.request(streamId, '/silent', { method: 'POST', endsStream: false });
        }
        client.send(DATA, PADDED, streamId, PADDED_PART);
      }
      client.request(9, '/silent', { method: 'POST', endsStream: false });
      client.data(9, 'x');
      await expectConnectionError(client, FLOW_CONTROL_ERROR, 'connection-window-exceeded');
    },
  },
  {
    id: 'H2-6.1c',
    shows: 'DATA after END_STREAM ends its stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      client.data(1, 'last', true);
      client.data(1, '');
      await expectStreamError(client, 1, STREAM_CLOSED);
      client.destroy();
    },
  },
  ending('H2-6.1d', 'padding of DATA as long as its payload', PROTOCOL_ERROR, 'padding-too-long', (client) =>
    client.send(DATA, PADDED, 1, Buffer.of(5, 1, 2, 3, 4)),
  ),
  {
    id: 'H2-6.1d',
    shows: 'padding that leaves nothing, and none at all, are right',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false });
      client.send(DATA, PADDED, 1, Buffer.of(4, 0, 0, 0, 0));
      client.send(DATA, PADDED, 1, Buffer.from('\0body'));
      client.send(DATA, PADDED | END_STREAM, 1, Buffer.of(0));
      expect((await client.response(1)).body.toString()).toBe('body');
      client.destroy();
    },
  },
  {
    id: 'H2-6.2a',
    shows: 'within a field block, any other frame, or one of another stream, ends the connection',
    async run(lab) {
      for (const [type, streamId] of [
        [DATA, 3],
        [HEADERS, 3],
        [PRIORITY, 3],
        [RST_STREAM, 3],
        [SETTINGS, 0],
        [PING, 0],
        [WINDOW_UPDATE, 0],
        [CONTINUATION, 5],
      ] as const) {
        const client = await lab.connect();
        client.send(HEADERS, END_STREAM, 3, requestBlock('/hello'));
        client.send(type, END_HEADERS, streamId, Buffer.alloc(8));
        await expectConnectionError(client, PROTOCOL_ERROR, 'block-interrupted');
      }
    },
  },
  ending('H2-6.2b', 'HEADERS on stream 0', PROTOCOL_ERROR, 'frame-without-stream', (client) =>
    client.send(HEADERS, END_HEADERS, 0, requestBlock('/hello')),
  ),
  ending('H2-6.2c', 'padding of HEADERS beyond its payload', PROTOCOL_ERROR, 'padding-too-long', (client) =>
    client.send(HEADERS, PADDED | END_HEADERS, 3, Buffer.concat([Buffer.of(200), requestBlock('/')])),
  ),
  ending('H2-6.2c', 'and such that takes its priority fields', PROTOCOL_ERROR, 'padding-too-long', (client) =>
    client.send(HEADERS, PADDED | HAS_PRIORITY | END_HEADERS, 3, Buffer.of(3, 0, 0, 0, 0, 15, 0, 0)),
  ),
  {
    id: 'H2-6.2c',
    shows: 'padding and priority fields are passed over, a dependency of the stream on itself too',
    async run(lab) {
      const client = await lab.connect();
      const block = requestBlock('/hello', { scheme: 'http' });
      const payload = Buffer.concat([Buffer.of(4, 0, 0, 0, 1, 15), block, Buffer.alloc(4)]);
      client.send(HEADERS, PADDED | HAS_PRIORITY | END_HEADERS | END_STREAM, 1, payload);
      expect((await client.response(1)).status).toBe(200);
      client.destroy();
    },
  },
  ending('H2-6.3a', 'PRIORITY on stream 0', PROTOCOL_ERROR, 'frame-without-stream', (client) =>
    client.send(PRIORITY, 0, 0, Buffer.alloc(5)),
  ),
  ending('H2-6.3b', 'PRIORITY of another length than 5', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(PRIORITY, 0, 1, Buffer.alloc(4)),
  ),
  {
    id: 'H2-6.4a',
    shows: 'after the client’s RST_STREAM nothing more of the response comes',
    async run(lab) {
      const client = await connectWithWindow(lab, 10);
      client.request(1, '/big');
      expect(await takeContent(client, 1, 10)).toBe(10);
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      client.send(WINDOW_UPDATE, 0, 1, uint32(1_000));
      setWindow(client, 1_000);
      await client.settled();
      expect(client.frames.filter(({ streamId }) => streamId === 1)).toEqual([]);
      await expectNoError(client);
      client.destroy();
    },
  },
  ending('H2-6.4b', 'RST_STREAM on stream 0', PROTOCOL_ERROR, 'frame-without-stream', (client) =>
    client.send(RST_STREAM, 0, 0, uint32(CANCEL)),
  ),
  ending('H2-6.4c', 'RST_STREAM of an idle stream', PROTOCOL_ERROR, 'reset-of-idle-stream', (client) =>
    client.send(RST_STREAM, 0, 3, uint32(CANCEL)),
  ),
  ending('H2-6.4d', 'RST_STREAM of another length than 4', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(RST_STREAM, 0, 1, Buffer.alloc(3)),
  ),
  {
    id: 'H2-6.5a',
    shows: 'SETTINGS may come at any time',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false });
      setWindow(client, 100_000);
      client.data(1, 'body');
      setWindow(client, 50_000);
      client.data(1, '', true);
      expect((await client.response(1)).body.toString()).toBe('body');
      await expectNoError(client);
      client.destroy();
    },
  },
  ending('H2-6.5b', 'SETTINGS on a stream', PROTOCOL_ERROR, 'frame-with-stream', (client) =>
    client.send(SETTINGS, 0, 1, Buffer.alloc(6)),
  ),
  ending('H2-6.5c', 'SETTINGS of a length that no settings make', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(SETTINGS, 0, 0, Buffer.alloc(7)),
  ),
  ending('H2-6.5d', 'an acknowledgement that says something', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(SETTINGS, ACK, 0, Buffer.alloc(6)),
  ),
  ending('H2-6.5.2a', 'SETTINGS_ENABLE_PUSH of 2', PROTOCOL_ERROR, 'setting-invalid', (client) =>
    client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_ENABLE_PUSH, 2]])),
  ),
  {
    id: 'H2-6.5.2a',
    shows: 'we neither set it nor push, whatever the client says of it',
    async run(lab) {
      for (const value of [0, 1]) {
        const client = await lab.connect({ isSilent: true });
        client.write(PREFACE);
        client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_ENABLE_PUSH, value]]));
        const ours = await client.take(({ type }) => type === SETTINGS);
        for (let at = 0; at < ours.payload.length; at += 6) {
          expect(ours.payload.readUInt16BE(at)).not.toBe(SETTINGS_ENABLE_PUSH);
        }
        await expectServing(client);
        expect(client.frames.filter(({ type }) => type === PUSH_PROMISE)).toEqual([]);
        client.destroy();
      }
    },
  },
  ending('H2-6.5.2b', 'a window above 2^31-1', FLOW_CONTROL_ERROR, 'setting-invalid', (client) =>
    setWindow(client, 0x8000_0000),
  ),
  ending('H2-6.5.2c', 'a frame size below 16,384', PROTOCOL_ERROR, 'setting-invalid', (client) =>
    client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_MAX_FRAME_SIZE, 16_383]])),
  ),
  ending('H2-6.5.2c', 'a frame size above 2^24-1', PROTOCOL_ERROR, 'setting-invalid', (client) =>
    client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_MAX_FRAME_SIZE, 0x100_0000]])),
  ),
  {
    id: 'H2-6.5.2d',
    shows: 'unknown settings are passed over, and those beside them hold',
    async run(lab) {
      const client = await lab.connect({
        settings: [
          [0x7777, 1],
          [SETTINGS_INITIAL_WINDOW_SIZE, 3],
          [0xffff, 0],
        ],
      });
      client.request(1, '/hello');
      expect(await takeContent(client, 1, 3)).toBe(3);
      await expectNoErrorWithout(client);
      client.destroy();
    },
  },
  {
    id: 'H2-6.5.3a',
    shows: 'settings are applied in their order, and before the frames that follow',
    async run(lab) {
      const client = await lab.connect();
      const windows = [1, 70_000, 7].map((bytes) => [SETTINGS_INITIAL_WINDOW_SIZE, bytes] as const);
      client.send(SETTINGS, 0, 0, settingsPayload(windows));
      client.request(1, '/big');
      expect(await takeContent(client, 1, 7)).toBe(7);
      await client.settled();
      expect(client.frames.filter(({ type }) => type === DATA)).toEqual([]);
      client.destroy();
    },
  },
  {
    id: 'H2-6.5.3b',
    shows: 'each SETTINGS frame is acknowledged, and an acknowledgement is not',
    async run(lab) {
      const client = await lab.connect();
      for (let i = 0; i < 10; i += 1) client.send(SETTINGS, 0, 0);
      client.send(SETTINGS, ACK, 0);
      await client.settled();
      const acknowledged = client.frames.filter(({ type, flags }) => type === SETTINGS && flags === ACK);
      expect(acknowledged).toHaveLength(10);
      client.destroy();
    },
  },
  ending('H2-6.6a', 'PUSH_PROMISE of a client', PROTOCOL_ERROR, 'push-not-allowed', (client) =>
    client.send(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), requestBlock('/hello')])),
  ),
  {
    id: 'H2-6.7a',
    shows: 'PING is answered with what it said, in order, and an answer is not',
    async run(lab) {
      const client = await lab.connect();
      client.send(PING, ACK, 0, Buffer.from('unasked!'));
      client.send(PING, 0, 0, Buffer.from('12345678'));
      client.send(PING, 0, 0, Buffer.from('abcdefgh'));
      for (const said of ['12345678', 'abcdefgh']) {
        const { flags, payload } = await client.takeOf(0);
        expect({ flags, said: payload.toString() }).toEqual({ flags: ACK, said });
      }
      await expectNoError(client);
      client.destroy();
    },
  },
  ending('H2-6.7b', 'PING on a stream', PROTOCOL_ERROR, 'frame-with-stream', (client) =>
    client.send(PING, 0, 1, Buffer.alloc(8)),
  ),
  ending('H2-6.7c', 'PING of another length than 8', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(PING, 0, 0, Buffer.alloc(9)),
  ),
  ending('H2-6.8a', 'GOAWAY on a stream', PROTOCOL_ERROR, 'frame-with-stream', (client) =>
    client.send(GOAWAY, 0, 1, Buffer.alloc(8)),
  ),
  ending('H2-6.8a', 'GOAWAY without an error code', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(GOAWAY, 0, 0, Buffer.alloc(7)),
  ),
  {
    id: 'H2-6.8b',
    shows: 'the last stream of a later GOAWAY is never above that of an earlier one',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(GOAWAY, 0, 0, Buffer.concat([uint32(0), uint32(NO_ERROR)]));
      expect((await client.goAway()).lastId).toBe(1);
      client.request(3, '/hello');
      client.send(PING, 0, 0, Buffer.alloc(7));
      expect(await client.goAway()).toEqual({ lastId: 1, code: FRAME_SIZE_ERROR, reason: 'frame-size' });
      await client.closed;
    },
  },
  {
    id: 'H2-6.8c',
    shows: 'streams above it are passed over, with their blocks decoded and their DATA counted',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(GOAWAY, 0, 0, Buffer.concat([uint32(0), uint32(NO_ERROR)]));
      await client.goAway();
      const before = lab.served.length;
      const indexed = Buffer.concat([Buffer.of(0x40, 1), Buffer.from('a'), Buffer.of(1), Buffer.from('b')]);
      const block = Buffer.concat([requestBlock('/hello', { scheme: 'http' }), indexed]);
      client.send(HEADERS, END_HEADERS, 3, block);
      for (let i = 0; i < 80; i += 1) client.data(3, PART);
      // Refers to the line above: a table out of step would be a COMPRESSION_ERROR.
      const next = Buffer.concat([requestBlock('/hello', { scheme: 'http' }), Buffer.of(0x80 | 62)]);
      client.send(HEADERS, END_HEADERS | END_STREAM, 5, next);
      await client.settled();
      expect(client.frames.filter(({ streamId }) => streamId !== 0)).toEqual([]);
      expect(client.frames.some(({ type }) => type === WINDOW_UPDATE)).toBe(true);
      expect(lab.served.length).toBe(before);
      client.destroy();
    },
  },
  {
    id: 'H2-6.10a',
    shows: 'a block goes on in CONTINUATION frames, also empty ones, to the one with END_HEADERS',
    async run(lab) {
      const client = await lab.connect();
      const block = requestBlock('/request', { scheme: 'http', fields: [['x-a', 'b']] });
      client.send(HEADERS, END_STREAM, 1, block.subarray(0, 0));
      for (let at = 0; at < block.length; at += 7) {
        if (at === 14) client.send(CONTINUATION, 0, 1);
        client.send(CONTINUATION, at + 7 >= block.length ? END_HEADERS : 0, 1, block.subarray(at, at + 7));
      }
      const { body } = await client.response(1);
      expect(JSON.parse(body.toString()).fields).toEqual([['x-a', 'b']]);
      client.destroy();
    },
  },
  ending('H2-6.10b', 'CONTINUATION on stream 0', PROTOCOL_ERROR, 'frame-without-stream', (client) =>
    client.send(CONTINUATION, END_HEADERS, 0, requestBlock('/hello')),
  ),
  ending('H2-6.10c', 'CONTINUATION of nothing', PROTOCOL_ERROR, 'continuation-of-nothing', (client) =>
    client.send(CONTINUATION, END_HEADERS, 1, requestBlock('/hello')),
  ),
  ending('H2-6.10c', 'CONTINUATION of a whole block', PROTOCOL_ERROR, 'continuation-of-nothing', (client) => {
    client.request(3, '/silent');
    client.send(CONTINUATION, END_HEADERS, 3, Buffer.alloc(0));
  }),
  {
    id: 'H2-7a',
    shows: 'unknown error codes do nothing special, in RST_STREAM and in GOAWAY',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(RST_STREAM, 0, 1, uint32(0xffff_ffff));
      await expectNoError(client);
      client.request(5, '/echo', { method: 'POST', endsStream: false });
      client.send(GOAWAY, 0, 0, Buffer.concat([uint32(0), uint32(0xabcd_ef01), Buffer.from('debug')]));
      client.data(5, 'still served', true);
      expect((await client.response(5)).body.toString()).toBe('still served');
      const ours = await client.take(({ type }) => type === GOAWAY);
      expect([readUint31(ours.payload, 0), readUint32(ours.payload, 4)]).toEqual([5, NO_ERROR]);
      await client.closed;
    },
  },
];

/** No error came, on a connection whose windows are too small to serve another response. */
async function expectNoErrorWithout(client: Http2TestClient): Promise<void> {
  await client.settled();
  expect(client.frames.filter(({ type }) => type === RST_STREAM || type === GOAWAY)).toEqual([]);
}
