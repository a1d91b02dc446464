/** RFC 9113 §3 and §4: beginning a connection, frames, and field blocks as such. */
import { expect } from 'bun:test';
import { connect as connectTls } from 'node:tls';
import {
  ACK,
  COMPRESSION_ERROR,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_SIZE_ERROR,
  HAS_PRIORITY,
  HEADERS,
  PADDED,
  PING,
  PREFACE,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  SETTINGS,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_FRAME_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { frameBytes, requestBlock, settingsPayload, uint32 } from '../../support/http2-client.ts';
import { openRawClient } from '../../support/raw-client.ts';
import type { ConformanceCase } from './conformance-case.ts';
import {
  BIG_BYTES,
  expectConnectionError,
  expectNoError,
  expectServing,
  type Http2Lab,
  takeContent,
} from './http2-lab.ts';

/** Which protocol the server chooses of those offered; or how the handshake fails. */
function negotiate(lab: Http2Lab, offered: string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { address, port } = lab.listener.https;
  const socket = connectTls({
    host: address,
    port,
    servername: 'example.com',
    rejectUnauthorized: false,
    ALPNProtocols: offered,
  });
  socket.once('secureConnect', () => {
    resolve(String(socket.alpnProtocol));
    socket.destroy();
  });
  socket.once('error', () => resolve('refused'));
  return promise;
}

/** A literal with incremental indexing of a new name (RFC 7541 §6.2.1). */
function indexedLiteral(name: string, value: string): Buffer {
  const text = (part: string) => Buffer.concat([Buffer.of(part.length), Buffer.from(part, 'latin1')]);
  return Buffer.concat([Buffer.of(0x40), text(name), text(value)]);
}

/** The newest line of the dynamic table (RFC 7541 §2.3.3). */
const NEWEST = Buffer.of(0x80 | 62);

export const CONNECTION_CASES: readonly ConformanceCase[] = [
  {
    id: 'H2-3.2a',
    shows: 'TLS clients get h2 when they offer it, and h2c never',
    async run(lab) {
      expect(await negotiate(lab, ['h2', 'http/1.1'])).toBe('h2');
      expect(await negotiate(lab, ['h2c', 'http/1.1'])).toBe('http/1.1');
      expect(await negotiate(lab, ['h2c'])).not.toBe('h2c');
    },
  },
  {
    id: 'H2-3.2b',
    shows: 'our SETTINGS come at once after the TLS handshake, before the client has said anything',
    async run(lab) {
      const client = await lab.connect({ tls: {}, isSilent: true });
      const { type, flags } = await client.takeOf(0);
      expect({ type, flags }).toEqual({ type: SETTINGS, flags: 0 });
      client.destroy();
    },
  },
  {
    id: 'H2-3.3a',
    shows: 'over TLS without ALPN the preface is a request of a version that there is none of',
    async run(lab) {
      const client = await openRawClient({ ...lab.listener.https, tls: { serverName: 'example.com' } });
      client.write(PREFACE);
      expect((await client.readResponse()).status).toBe(505);
      client.destroy();
    },
  },
  {
    id: 'H2-3.3b',
    shows: 'a plain connection that begins with the preface is answered with our preface',
    async run(lab) {
      const client = await lab.connect({ isSilent: true });
      client.write(PREFACE);
      const { type, flags } = await client.takeOf(0);
      expect({ type, flags }).toEqual({ type: SETTINGS, flags: 0 });
      client.destroy();
    },
  },
  {
    id: 'H2-3.4a',
    shows: 'a preface that differs by one byte ends the connection',
    async run(lab) {
      for (let at = 0; at < PREFACE.length; at += 1) {
        const client = await lab.connect({ tls: {}, isSilent: true });
        const wrong = Buffer.from(PREFACE);
        wrong[at] = (wrong[at] as number) ^ 1;
        client.write(wrong);
        await expectConnectionError(client, PROTOCOL_ERROR, 'preface-invalid');
      }
    },
  },
  {
    id: 'H2-3.4b',
    shows: 'the first frame behind the preface is SETTINGS, and no acknowledgement',
    async run(lab) {
      const firsts = [
        frameBytes(PING, 0, 0, Buffer.alloc(8)),
        frameBytes(WINDOW_UPDATE, 0, 0, uint32(1)),
        frameBytes(HEADERS, END_HEADERS | END_STREAM, 1, requestBlock('/hello')),
        frameBytes(SETTINGS, ACK, 0, Buffer.alloc(0)),
        frameBytes(0x77, 0, 0, Buffer.alloc(3)),
      ];
      for (const first of firsts) {
        const client = await lab.connect({ isSilent: true });
        client.write(Buffer.concat([PREFACE, first]));
        await expectConnectionError(client, PROTOCOL_ERROR, 'settings-missing');
      }
    },
  },
  {
    id: 'H2-3.4b',
    shows: 'an empty SETTINGS frame will do',
    async run(lab) {
      const client = await lab.connect({ isSilent: true });
      client.write(Buffer.concat([PREFACE, frameBytes(SETTINGS, 0, 0, Buffer.alloc(0))]));
      await expectServing(client);
      client.destroy();
    },
  },
  {
    id: 'H2-3.4c',
    shows: 'our first frame is SETTINGS, and its acknowledgement of the client’s follows',
    async run(lab) {
      const client = await lab.connect({ isSilent: true });
      client.write(Buffer.concat([PREFACE, frameBytes(SETTINGS, 0, 0, Buffer.alloc(0))]));
      const first = await client.takeOf(0);
      expect({ type: first.type, flags: first.flags }).toEqual({ type: SETTINGS, flags: 0 });
      const { payload } = await client.take(({ type, flags }) => type === SETTINGS && flags === ACK);
      expect(payload).toHaveLength(0);
      client.destroy();
    },
  },
  {
    id: 'H2-4.1a',
    shows: 'we send no frame above 16,384 bytes, nor above what the client allows',
    async run(lab) {
      const windows = [SETTINGS_INITIAL_WINDOW_SIZE, 1_000_000] as const;
      for (const settings of [[windows], [windows, [SETTINGS_MAX_FRAME_SIZE, 1_000_000] as const]]) {
        const client = await lab.connect({ settings });
        client.send(WINDOW_UPDATE, 0, 0, uint32(1_000_000));
        client.request(1, '/big');
        let received = 0;
        while (received < BIG_BYTES) {
          const { payload, type } = await client.takeOf(1);
          expect(payload.length).toBeLessThanOrEqual(settings.length === 1 ? 16_384 : 1_000_000);
          if (type === DATA) received += payload.length;
        }
        client.destroy();
      }
    },
  },
  {
    id: 'H2-4.1b',
    shows: 'frames of unknown types are passed over, with any flags, on any stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      for (const [type, streamId] of [
        [0x0a, 0],
        [0x0b, 1],
        [0x7f, 99],
        [0xff, 2],
      ] as const) {
        client.send(type, 0xff, streamId, Buffer.alloc(50, 'x'));
      }
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-4.1c',
    shows: 'flags without a meaning are passed over, and we send none',
    async run(lab) {
      const client = await lab.connect();
      client.send(PING, 0xfe, 0, Buffer.alloc(8, 'p'));
      const pong = await client.take(({ type }) => type === PING);
      expect(pong.flags).toBe(ACK);
      client.send(SETTINGS, 0xfe, 0);
      expect((await client.take(({ type }) => type === SETTINGS)).flags).toBe(ACK);
      client.send(
        HEADERS,
        0x80 | 0x40 | 0x10 | 0x02 | END_HEADERS | END_STREAM,
        1,
        requestBlock('/hello', { scheme: 'http' }),
      );
      const head = await client.takeOf(1);
      expect(head.flags).toBe(END_HEADERS);
      expect((await client.takeOf(1)).flags).toBe(END_STREAM);
      client.destroy();
    },
  },
  {
    id: 'H2-4.1d',
    shows: 'the reserved bit is passed over',
    async run(lab) {
      const client = await lab.connect();
      const ping = frameBytes(PING, 0, 0, Buffer.alloc(8, 'r'));
      ping[5] = 0x80;
      client.write(ping);
      await client.take(({ type, flags }) => type === PING && flags === ACK);
      const head = frameBytes(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        requestBlock('/hello', { scheme: 'http' }),
      );
      head[5] = 0x80;
      client.write(head);
      expect((await client.response(1)).status).toBe(200);
      client.send(WINDOW_UPDATE, 0, 0, uint32(0x8000_0001));
      client.lastStreamId = 1;
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-4.2a',
    shows: 'frames of 16,384 bytes are taken: DATA, HEADERS, SETTINGS, unknown ones',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false });
      client.data(1, Buffer.alloc(16_384, 'd'), true);
      expect((await client.response(1)).body).toHaveLength(16_384);
      const block = requestBlock('/hello', { scheme: 'http', fields: [['x-long', 'y'.repeat(16_300)]] });
      expect(block.length).toBeLessThanOrEqual(16_384);
      client.send(HEADERS, END_HEADERS | END_STREAM, 3, block);
      expect((await client.response(3)).status).toBe(200);
      client.send(SETTINGS, 0, 0, settingsPayload(Array.from({ length: 2_730 }, () => [0x99, 1] as const)));
      client.send(0x55, 0, 0, Buffer.alloc(16_384));
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-4.2b',
    shows: 'a longer frame ends the connection, whatever it is, as soon as its header is there',
    async run(lab) {
      for (const type of [DATA, HEADERS, SETTINGS, PING, CONTINUATION, 0x55]) {
        const client = await lab.connect();
        client.request(1, '/silent', { method: 'POST', endsStream: false });
        client.write(frameBytes(type, 0, 1, Buffer.alloc(16_385)).subarray(0, 9));
        await expectConnectionError(client, FRAME_SIZE_ERROR, 'frame-too-large');
      }
    },
  },
  {
    id: 'H2-4.2c',
    shows: 'a frame too short for what it must hold ends the connection',
    async run(lab) {
      const shorts: readonly (readonly [number, number, number, number])[] = [
        [DATA, PADDED, 1, 0],
        [HEADERS, PADDED | END_HEADERS, 3, 0],
        [HEADERS, HAS_PRIORITY | END_HEADERS, 3, 4],
        [HEADERS, PADDED | HAS_PRIORITY | END_HEADERS, 3, 5],
        [PRIORITY_UPDATE, 0, 0, 3],
      ];
      for (const [type, flags, streamId, length] of shorts) {
        const client = await lab.connect();
        client.request(1, '/silent', { method: 'POST', endsStream: false });
        client.send(type, flags, streamId, Buffer.alloc(length));
        await expectConnectionError(client, FRAME_SIZE_ERROR, 'frame-size');
      }
    },
  },
  {
    id: 'H2-4.3a',
    shows: 'blocks of requests and responses are whole sequences of frames, whatever else there is to send',
    async run(lab) {
      lab.handlers.set('/long-head', (exchange) => {
        const fields = exchange.request.fields.copy();
        for (let i = 0; i < 5; i += 1) fields.append(`x-${i}`, 'y'.repeat(9_000));
        exchange.respondWhole({ status: 200, reason: '', fields }, Buffer.from('x'));
      });
      const client = await lab.connect();
      const block = requestBlock('/long-head', { scheme: 'http' });
      client.send(HEADERS, END_STREAM, 1, block.subarray(0, 3));
      client.send(CONTINUATION, 0, 1, block.subarray(3, 9));
      client.send(CONTINUATION, END_HEADERS, 1, block.subarray(9));
      client.send(PING, 0, 0, Buffer.alloc(8));
      client.request(3, '/hello');
      await client.response(3);
      const first = client.frames.findIndex(({ type, streamId }) => type === HEADERS && streamId === 1);
      const last = client.frames.findIndex(
        ({ flags, streamId }, i) => i >= first && streamId === 1 && (flags & END_HEADERS) !== 0,
      );
      expect(first).toBeGreaterThan(-1);
      expect(last - first).toBe(2);
      for (const { type, streamId } of client.frames.slice(first + 1, last + 1)) {
        expect({ type, streamId }).toEqual({ type: CONTINUATION, streamId: 1 });
      }
      client.destroy();
    },
  },
  {
    id: 'H2-4.3b',
    shows: 'the block of a stream that is refused still fills the table that later blocks refer to',
    async run(lab) {
      const client = await lab.connect();
      for (let streamId = 1; streamId < 2 * 128; streamId += 2) client.request(streamId, '/silent');
      const refused = Buffer.concat([
        requestBlock('/hello', { scheme: 'http' }),
        indexedLiteral('x-kept', 'yes'),
      ]);
      client.send(HEADERS, END_HEADERS | END_STREAM, 257, refused);
      expect(await client.resetOf(257)).toBe(REFUSED_STREAM);
      client.send(0x3, 0, 1, uint32(8));
      const next = Buffer.concat([requestBlock('/request', { scheme: 'http' }), NEWEST]);
      client.send(HEADERS, END_HEADERS | END_STREAM, 259, next);
      const { body } = await client.response(259);
      expect(JSON.parse(body.toString()).fields).toEqual([['x-kept', 'yes']]);
      client.destroy();
    },
  },
  {
    id: 'H2-4.3c',
    shows:
      'a block that cannot be decoded ends the connection, as head, as trailers, and on a stream that is gone',
    async run(lab) {
      const broken = Buffer.of(0x80);
      for (const begin of ['head', 'trailers', 'reset'] as const) {
        const client = await lab.connect();
        if (begin !== 'head') client.request(1, '/silent', { method: 'POST', endsStream: false });
        if (begin === 'reset') {
          client.send(WINDOW_UPDATE, 0, 1, uint32(0));
          expect(await client.resetOf(1)).toBe(PROTOCOL_ERROR);
        }
        client.send(HEADERS, END_HEADERS | END_STREAM, 1, broken);
        await expectConnectionError(client, COMPRESSION_ERROR, 'hpack-index-invalid');
      }
    },
  },
  {
    id: 'H2-4.3.1a',
    shows: 'the first block we send after the client has reduced its table begins with a size update',
    async run(lab) {
      const client = await lab.connect({ settings: [[SETTINGS_HEADER_TABLE_SIZE, 0]] });
      for (const [streamId, first] of [
        [1, 0x20],
        [3, 0x88],
      ] as const) {
        client.request(streamId, '/hello');
        expect((await client.takeOf(streamId)).payload[0]).toBe(first);
        expect(await takeContent(client, streamId, 5)).toBe(5);
      }
      client.destroy();
    },
  },
];
