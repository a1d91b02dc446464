/** RFC 9113 §6.9: WINDOW_UPDATE, and the windows themselves. */
import { expect } from 'bun:test';
import {
  DATA,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  MAX_31,
  PROTOCOL_ERROR,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import { type Http2TestClient, settingsPayload, uint32 } from '../../support/http2-client.ts';
import { type ConformanceCase, ending } from './conformance-case.ts';
import {
  BIG_BYTES,
  expectContentInAll,
  expectNoError,
  expectStreamError,
  type Http2Lab,
  takeContent,
} from './http2-lab.ts';

const PART = Buffer.alloc(16_384, 'p');

/** A new connection whose only setting from the client is its window for streams. */
function connectWithWindow(lab: Http2Lab, bytes: number): Promise<Http2TestClient> {
  return lab.connect({ settings: [[SETTINGS_INITIAL_WINDOW_SIZE, bytes]] });
}

function setWindow(client: Http2TestClient, bytes: number): void {
  client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, bytes]]));
}

export const WINDOW_CASES: readonly ConformanceCase[] = [
  {
    id: 'H2-6.9a',
    shows: 'an increment of 0 ends its stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(WINDOW_UPDATE, 0, 1, uint32(0));
      await expectStreamError(client, 1, PROTOCOL_ERROR);
      client.destroy();
    },
  },
  ending(
    'H2-6.9a',
    'an increment of 0 for the connection',
    PROTOCOL_ERROR,
    'window-increment-zero',
    (client) => client.send(WINDOW_UPDATE, 0, 0, uint32(0)),
  ),
  {
    id: 'H2-6.9b',
    shows: 'WINDOW_UPDATE after the stream’s end is no error, on either side’s',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(WINDOW_UPDATE, 0, 1, uint32(1));
      client.request(3, '/hello');
      await client.response(3);
      client.send(WINDOW_UPDATE, 0, 3, uint32(MAX_31));
      client.send(WINDOW_UPDATE, 0, 3, uint32(MAX_31));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-6.9c',
    shows: 'DATA in error is counted, and given back, for the connection',
    async run(lab) {
      const client = await lab.connect();
      // Each of these is too much for its stream; four times the connection’s window in all.
      for (let streamId = 1; streamId < 41; streamId += 2) {
        client.request(streamId, '/silent', {
          method: 'POST',
          endsStream: false,
          fields: [['content-length', '1']],
        });
        for (let i = 0; i < 13; i += 1) client.data(streamId, PART);
        expect(await client.resetOf(streamId)).toBe(PROTOCOL_ERROR);
      }
      await expectNoError(client);
      client.destroy();
    },
  },
  ending('H2-6.9d', 'WINDOW_UPDATE of another length than 4', FRAME_SIZE_ERROR, 'frame-size', (client) =>
    client.send(WINDOW_UPDATE, 0, 0, Buffer.alloc(5)),
  ),
  {
    id: 'H2-6.9.1a',
    shows: 'no more DATA comes than both windows allow',
    async run(lab) {
      const client = await connectWithWindow(lab, 1_000);
      client.request(1, '/big');
      client.request(3, '/big');
      await expectContentInAll(client, 2_000);
      setWindow(client, BIG_BYTES);
      await expectContentInAll(client, 65_535 - 2_000);
      client.destroy();
    },
  },
  {
    id: 'H2-6.9.1a',
    shows: 'a stream ends without a window: trailers, and responses without content',
    async run(lab) {
      const client = await connectWithWindow(lab, 4);
      client.request(1, '/trailers');
      const { body, trailers } = await client.response(1);
      expect({ body: body.toString(), trailers: trailers?.get('checksum') }).toEqual({
        body: 'body',
        trailers: 'abc',
      });
      client.destroy();
    },
  },
  {
    id: 'H2-6.9.1b',
    shows: 'a stream whose window would exceed 2^31-1 is reset',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(WINDOW_UPDATE, 0, 1, uint32(MAX_31));
      await expectStreamError(client, 1, FLOW_CONTROL_ERROR);
      client.destroy();
    },
  },
  ending(
    'H2-6.9.1b',
    'the connection’s window above 2^31-1',
    FLOW_CONTROL_ERROR,
    'window-overflow',
    (client) => client.send(WINDOW_UPDATE, 0, 0, uint32(MAX_31)),
  ),
  {
    id: 'H2-6.9.1b',
    shows: 'windows of exactly 2^31-1 are right',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(WINDOW_UPDATE, 0, 1, uint32(MAX_31 - 65_535));
      client.send(WINDOW_UPDATE, 0, 0, uint32(MAX_31 - 65_535));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-6.9.1c',
    shows: 'DATA beyond the stream’s window ends the stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      for (let sent = 0; sent < HTTP2_LIMITS.streamWindowBytes; sent += PART.length) client.data(1, PART);
      client.data(1, 'x');
      await expectStreamError(client, 1, FLOW_CONTROL_ERROR);
      client.destroy();
    },
  },
  ending(
    'H2-6.9.1c',
    'DATA beyond the connection’s window',
    FLOW_CONTROL_ERROR,
    'connection-window-exceeded',
    (client) => {
      const { connectionWindowBytes, streamWindowBytes } = HTTP2_LIMITS;
      let streamId = 1;
      for (let sent = 0; sent <= connectionWindowBytes; sent += PART.length) {
        if (sent > 0 && sent % streamWindowBytes === 0) {
          streamId += 2;
          client.request(streamId, '/silent', { method: 'POST', endsStream: false });
        }
        client.data(streamId, PART);
      }
    },
  ),
  {
    id: 'H2-6.9.2a',
    shows: 'a new initial window changes those of open streams by the difference',
    async run(lab) {
      const client = await connectWithWindow(lab, 100);
      client.request(1, '/big');
      expect(await takeContent(client, 1, 100)).toBe(100);
      setWindow(client, 150);
      expect((await client.takeOf(1)).payload).toHaveLength(50);
      client.destroy();
    },
  },
  {
    id: 'H2-6.9.2b',
    shows: 'a window below 0 must be made good before anything more is sent',
    async run(lab) {
      const client = await connectWithWindow(lab, 100);
      client.request(1, '/big');
      expect(await takeContent(client, 1, 100)).toBe(100);
      setWindow(client, 40);
      client.send(WINDOW_UPDATE, 0, 1, uint32(60));
      await client.settled();
      expect(client.frames.filter(({ type }) => type === DATA)).toEqual([]);
      client.send(WINDOW_UPDATE, 0, 1, uint32(1));
      expect((await client.takeOf(1)).payload).toHaveLength(1);
      client.destroy();
    },
  },
  ending(
    'H2-6.9.2c',
    'a setting that makes a window overflow',
    FLOW_CONTROL_ERROR,
    'window-overflow',
    (client) => {
      client.send(WINDOW_UPDATE, 0, 1, uint32(1_000));
      setWindow(client, MAX_31);
    },
  ),
];
