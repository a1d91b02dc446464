/** RFC 9113 §5: states of streams, their numbers, how many there may be, and the two kinds of errors. */
import { expect } from 'bun:test';
import {
  CANCEL,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  NO_ERROR,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  RST_STREAM,
  STREAM_CLOSED,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import { type Http2TestClient, requestBlock, uint32 } from '../../support/http2-client.ts';
import type { ConformanceCase } from './conformance-case.ts';
import {
  expectConnectionError,
  expectNoError,
  expectServing,
  expectStreamError,
  type Http2Lab,
} from './http2-lab.ts';

const PRIORITY_FIELDS = Buffer.of(0, 0, 0, 0, 15);

/** A stream that we have reset for the client's mistake. */
async function withResetStream(lab: Http2Lab): Promise<Http2TestClient> {
  const client = await lab.connect();
  client.request(1, '/silent', { method: 'POST', endsStream: false });
  client.send(WINDOW_UPDATE, 0, 1, uint32(0));
  expect(await client.resetOf(1)).toBe(PROTOCOL_ERROR);
  return client;
}

/** A stream on which both sides have ended. */
async function withClosedStream(lab: Http2Lab): Promise<Http2TestClient> {
  const client = await lab.connect();
  client.request(1, '/hello');
  await client.response(1);
  return client;
}

export const STREAM_CASES: readonly ConformanceCase[] = [
  {
    id: 'H2-5.1a',
    shows: 'on a stream that has not begun, DATA, RST_STREAM and WINDOW_UPDATE end the connection',
    async run(lab) {
      for (const [type, payload, reason] of [
        [DATA, Buffer.from('x'), 'data-on-idle-stream'],
        [RST_STREAM, uint32(CANCEL), 'reset-of-idle-stream'],
        [WINDOW_UPDATE, uint32(1), 'window-of-idle-stream'],
      ] as const) {
        const client = await withClosedStream(lab);
        client.send(type, 0, 3, payload);
        await expectConnectionError(client, PROTOCOL_ERROR, reason);
      }
    },
  },
  {
    id: 'H2-5.1a',
    shows: 'PRIORITY is allowed on a stream that has not begun, and CONTINUATION is not',
    async run(lab) {
      const client = await lab.connect();
      client.send(PRIORITY, 0, 7, PRIORITY_FIELDS);
      await expectNoError(client);
      client.send(CONTINUATION, END_HEADERS, 9, requestBlock('/hello'));
      await expectConnectionError(client, PROTOCOL_ERROR, 'continuation-of-nothing');
    },
  },
  {
    id: 'H2-5.1b',
    shows: 'on a stream whose client side has ended, DATA and HEADERS end the stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.data(1, 'more');
      await expectStreamError(client, 1, STREAM_CLOSED);
      client.request(5, '/silent');
      client.headers(5, [['checksum', 'abc']]);
      await expectStreamError(client, 5, STREAM_CLOSED);
      client.destroy();
    },
  },
  {
    id: 'H2-5.1b',
    shows: 'and WINDOW_UPDATE, PRIORITY and RST_STREAM are allowed there',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(WINDOW_UPDATE, 0, 1, uint32(1));
      client.send(PRIORITY, 0, 1, PRIORITY_FIELDS);
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.1c',
    shows: 'we send nothing more on a stream that has ended or that we have reset',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/hello', { method: 'POST', endsStream: false });
      await client.response(1);
      client.data(1, Buffer.alloc(1_000), true);
      client.request(3, '/echo', { method: 'POST', endsStream: false });
      client.send(WINDOW_UPDATE, 0, 3, uint32(0));
      expect(await client.resetOf(3)).toBe(PROTOCOL_ERROR);
      for (let i = 0; i < 20; i += 1) client.data(3, Buffer.alloc(16_384));
      // Nor window for what has waited to be read.
      client.request(5, '/silent', { method: 'POST', endsStream: false });
      for (let i = 0; i < 12; i += 1) client.data(5, Buffer.alloc(16_384));
      client.send(WINDOW_UPDATE, 0, 5, uint32(0));
      expect(await client.resetOf(5)).toBe(PROTOCOL_ERROR);
      await client.settled();
      expect(client.frames.filter(({ streamId }) => streamId !== 0)).toEqual([]);
      client.destroy();
    },
  },
  {
    id: 'H2-5.1d',
    shows: 'on a stream that both sides have ended, DATA and HEADERS end the connection',
    async run(lab) {
      for (const [type, flags, payload, reason] of [
        [DATA, 0, Buffer.from('x'), 'data-on-closed-stream'],
        [HEADERS, END_HEADERS | END_STREAM, requestBlock('/hello'), 'headers-on-closed-stream'],
      ] as const) {
        const client = await withClosedStream(lab);
        client.send(type, flags, 1, payload);
        await expectConnectionError(client, STREAM_CLOSED, reason);
      }
    },
  },
  {
    id: 'H2-5.1d',
    shows: 'and so they do on one that the client itself has reset',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      client.data(1, 'late');
      await expectConnectionError(client, STREAM_CLOSED, 'data-on-closed-stream');
    },
  },
  {
    id: 'H2-5.1d',
    shows: 'PRIORITY, WINDOW_UPDATE and RST_STREAM may be late',
    async run(lab) {
      const client = await withClosedStream(lab);
      client.send(WINDOW_UPDATE, 0, 1, uint32(5));
      client.send(PRIORITY, 0, 1, PRIORITY_FIELDS);
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.1e',
    shows: 'frames of every kind on a stream that we have reset are passed over',
    async run(lab) {
      const client = await withResetStream(lab);
      client.data(1, Buffer.alloc(10_000));
      client.send(WINDOW_UPDATE, 0, 1, uint32(9));
      client.send(WINDOW_UPDATE, 0, 1, uint32(0));
      client.send(PRIORITY, 0, 1, PRIORITY_FIELDS);
      client.headers(1, [['checksum', 'abc']]);
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.1e',
    shows: 'their DATA counts against the window of the connection, which is given back',
    async run(lab) {
      const client = await withResetStream(lab);
      const part = Buffer.alloc(16_384);
      for (let sent = 0; sent <= HTTP2_LIMITS.connectionWindowBytes; sent += part.length)
        client.data(1, part);
      await client.settled();
      const given = client.frames.filter(({ type, streamId }) => type === WINDOW_UPDATE && streamId === 0);
      expect(given.length).toBeGreaterThan(0);
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.1.1a',
    shows: 'streams of even numbers are not the client’s: HEADERS, DATA, RST_STREAM, WINDOW_UPDATE',
    async run(lab) {
      for (const [type, payload] of [
        [HEADERS, requestBlock('/hello')],
        [DATA, Buffer.from('x')],
        [RST_STREAM, uint32(CANCEL)],
        [WINDOW_UPDATE, uint32(1)],
      ] as const) {
        const client = await lab.connect();
        client.request(5, '/silent');
        client.send(type, END_HEADERS, 4, payload);
        await expectConnectionError(client, PROTOCOL_ERROR, 'stream-even');
      }
    },
  },
  {
    id: 'H2-5.1.1b',
    shows: 'a stream must be above all that were opened before',
    async run(lab) {
      const client = await lab.connect();
      client.request(9, '/hello');
      await client.response(9);
      client.request(7, '/hello');
      await expectConnectionError(client, PROTOCOL_ERROR, 'stream-id-not-greater');
    },
  },
  {
    id: 'H2-5.1.1b',
    shows: 'numbers may be left out, up to the last one there is',
    async run(lab) {
      const client = await lab.connect();
      for (const streamId of [1, 101, 0x7fff_fffd, 0x7fff_ffff]) {
        client.request(streamId, '/hello');
        expect((await client.response(streamId)).status).toBe(200);
      }
      client.destroy();
    },
  },
  {
    id: 'H2-5.1.2a',
    shows: 'streams above SETTINGS_MAX_CONCURRENT_STREAMS are refused, and those open live on',
    async run(lab) {
      const client = await lab.connect();
      const last = 2 * HTTP2_LIMITS.streamsMax - 1;
      for (let streamId = 1; streamId <= last; streamId += 2) client.request(streamId, '/silent');
      client.request(last + 2, '/hello');
      expect(await client.resetOf(last + 2)).toBe(REFUSED_STREAM);
      client.send(RST_STREAM, 0, 5, uint32(CANCEL));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.2.2a',
    shows: 'frames are read although a request body waits for the road with its window used up',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      for (let sent = 0; sent < HTTP2_LIMITS.streamWindowBytes; sent += 16_384) {
        client.data(1, Buffer.alloc(16_384));
      }
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.4.1a',
    shows: 'an error of the connection names the last stream, and closes it',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.request(3, '/silent');
      client.send(PING, 0, 0, Buffer.alloc(7));
      const goAway = await client.goAway();
      expect(goAway).toEqual({ lastId: 3, code: FRAME_SIZE_ERROR, reason: 'frame-size' });
      await client.closed;
    },
  },
  {
    id: 'H2-5.4.1a',
    shows: 'what was ready to be sent before still comes',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/hello');
      client.send(PING, 0, 0, Buffer.alloc(7));
      const goAway = await client.take(({ type }) => type === GOAWAY || type === HEADERS);
      expect(goAway.type).toBe(HEADERS);
      await client.closed;
    },
  },
  {
    id: 'H2-5.4.2a',
    shows: 'RST_STREAM is not answered by RST_STREAM, on an open, an ended and a reset stream',
    async run(lab) {
      const client = await withResetStream(lab);
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      client.request(3, '/silent', { method: 'POST', endsStream: false });
      client.send(RST_STREAM, 0, 3, uint32(CANCEL));
      client.send(RST_STREAM, 0, 3, uint32(CANCEL));
      client.request(5, '/hello');
      await client.response(5);
      client.send(RST_STREAM, 0, 5, uint32(NO_ERROR));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-5.5a',
    shows: 'a frame of an unknown type within a field block ends the connection',
    async run(lab) {
      for (const streamId of [0, 1]) {
        const client = await lab.connect();
        client.send(HEADERS, 0, 1, requestBlock('/hello'));
        client.send(0x77, 0, streamId, Buffer.from('x'));
        await expectConnectionError(client, PROTOCOL_ERROR, 'block-interrupted');
      }
    },
  },
  {
    id: 'H2-5.5b',
    shows: 'what is unknown is passed over: settings, error codes, frames',
    async run(lab) {
      const client = await lab.connect({ settings: [[0xface, 0xffff_ffff]] });
      client.request(1, '/silent');
      client.send(RST_STREAM, 0, 1, uint32(0xdead_beef));
      client.send(0xfe, 0, 1);
      await expectNoError(client);
      await expectServing(client);
      client.destroy();
    },
  },
];
