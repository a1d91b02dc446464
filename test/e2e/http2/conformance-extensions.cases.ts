/** RFC 8441 and RFC 9218: tunnels, and what clients say of priority. */
import { expect } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import {
  CANCEL,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_SIZE_ERROR,
  HAS_PRIORITY,
  HEADERS,
  PREFACE,
  PRIORITY,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  RST_STREAM,
  SETTINGS,
  SETTINGS_ENABLE_CONNECT_PROTOCOL,
  SETTINGS_NO_RFC7540_PRIORITIES,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import {
  type FieldLines,
  type Http2TestClient,
  requestBlock,
  settingsPayload,
  uint32,
} from '../../support/http2-client.ts';
import { type ConformanceCase, malformed } from './conformance-case.ts';
import { expectConnectionError, expectNoError, expectStreamError, type Http2Lab } from './http2-lab.ts';

/** An extended CONNECT. */
function tunnelFields(client: Http2TestClient, path = '/tunnel'): [string, string][] {
  return [...client.pseudoFields(path, 'CONNECT'), [':protocol', 'websocket']];
}

async function openTunnel(lab: Http2Lab): Promise<Http2TestClient> {
  const client = await lab.connect();
  client.headers(1, tunnelFields(client), false);
  expect((await client.fieldsOf(await client.takeOf(1))).get(':status')).toBe('200');
  return client;
}

const TUNNELS: readonly ConformanceCase[] = [
  {
    id: 'WS-3a',
    shows: 'we say once that we take CONNECT with :protocol',
    async run(lab) {
      const client = await lab.connect({ isSilent: true });
      client.write(PREFACE);
      const { payload } = await client.take(({ type }) => type === SETTINGS);
      const said = settingsPayload([[SETTINGS_ENABLE_CONNECT_PROTOCOL, 1]]);
      expect(payload.includes(said)).toBe(true);
      client.destroy();
    },
  },
  ...[2, 0xffff_ffff].map(
    (value): ConformanceCase => ({
      id: 'WS-3b',
      shows: `SETTINGS_ENABLE_CONNECT_PROTOCOL of ${value} ends the connection`,
      async run(lab) {
        const client = await lab.connect();
        client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_ENABLE_CONNECT_PROTOCOL, value]]));
        await expectConnectionError(client, PROTOCOL_ERROR, 'setting-invalid');
      },
    }),
  ),
  {
    id: 'WS-3c',
    shows: 'it cannot be taken back',
    async run(lab) {
      const client = await lab.connect({ settings: [[SETTINGS_ENABLE_CONNECT_PROTOCOL, 1]] });
      client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_ENABLE_CONNECT_PROTOCOL, 0]]));
      await expectConnectionError(client, PROTOCOL_ERROR, 'setting-invalid');
    },
  },
  {
    id: 'WS-4a',
    shows: 'a tunnel is asked of the site that :authority names, by GET',
    async run(lab) {
      const client = await lab.connect();
      client.headers(1, tunnelFields(client, '/request'), false);
      const head = await client.fieldsOf(await client.takeOf(1));
      expect(head.get(':status')).toBe('200');
      const { payload } = await client.takeOf(1);
      const said = JSON.parse(payload.toString());
      expect(said).toEqual({ method: 'GET', authority: 'example.com', upgrade: 'websocket', fields: [] });
      client.destroy();
    },
  },
  ...['scheme', 'path', 'authority'].map((name) =>
    malformed(
      'WS-4b',
      `CONNECT with :protocol and without :${name}`,
      (pseudo) => [
        ...pseudo
          .filter(([known]) => known !== `:${name}`)
          .map(([known, value]) => [known, known === ':method' ? 'CONNECT' : value] as const),
        [':protocol', 'websocket'],
      ],
      false,
    ),
  ),
  malformed(
    'WS-4c',
    ':protocol with another method',
    (pseudo) => [...pseudo, [':protocol', 'websocket']],
    false,
  ),
  ...[
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
  ].map(([name = '', value = '']) =>
    malformed(
      'WS-5a',
      `CONNECT with :protocol and ${name}`,
      (pseudo) => [
        ...pseudo.map(([known, old]) => [known, known === ':method' ? 'CONNECT' : old] as const),
        [':protocol', 'websocket'],
        [name, value],
      ],
      false,
    ),
  ),
  {
    id: 'H2-8.5b',
    shows: 'on a stream that is a tunnel, trailers end the stream',
    async run(lab) {
      const client = await openTunnel(lab);
      client.headers(1, [['checksum', 'a']]);
      await expectStreamError(client, 1, PROTOCOL_ERROR);
      client.destroy();
    },
  },
  {
    id: 'WS-5b',
    shows: 'END_STREAM ends one side of a tunnel, and the other goes on',
    async run(lab) {
      lab.handlers.set('/ends-first', async (exchange) => {
        const { source, sink } = exchange.acceptTunnel(new Fields());
        await sink.write(Buffer.from('bye'));
        await sink.end();
        let heard = '';
        for (let part = await source.read(); part !== null; part = await source.read()) {
          heard += Buffer.from(part).toString();
        }
        lab.served.push(`heard ${heard.length}`);
      });
      const client = await lab.connect();
      client.headers(1, tunnelFields(client, '/ends-first'), false);
      await client.fieldsOf(await client.takeOf(1));
      expect((await client.takeOf(1)).payload.toString()).toBe('bye');
      expect((await client.takeOf(1)).flags).toBe(END_STREAM);
      // More than what is taken of a request whose response is complete.
      const part = Buffer.alloc(16_384, 'x');
      let room = HTTP2_LIMITS.streamWindowBytes;
      for (let sent = 0; sent < 40; sent += 1) {
        while (room < part.length) {
          const update = await client.take(({ type, streamId }) => type === WINDOW_UPDATE && streamId === 1);
          room += update.payload.readUInt32BE(0);
        }
        client.data(1, part);
        room -= part.length;
      }
      client.data(1, '', true);
      await expectNoError(client);
      expect(lab.served).toContain(`heard ${40 * part.length}`);
      client.destroy();
    },
  },
  {
    id: 'WS-5c',
    shows: 'a tunnel that is cut ends with CANCEL, also when our side had ended before',
    async run(lab) {
      lab.handlers.set('/cut', async (exchange) => {
        const { source, sink } = exchange.acceptTunnel(new Fields());
        await source.read();
        sink.abort('the origin is lost');
      });
      lab.handlers.set('/end-and-cut', async (exchange) => {
        const { source, sink } = exchange.acceptTunnel(new Fields());
        await sink.end();
        await source.read();
        sink.abort('the origin is lost');
      });
      const client = await lab.connect();
      client.headers(1, tunnelFields(client, '/cut'), false);
      client.data(1, 'x');
      expect(await client.resetOf(1)).toBe(CANCEL);
      client.headers(3, tunnelFields(client, '/end-and-cut'), false);
      client.data(3, 'x');
      await expectStreamError(client, 3, CANCEL);
      client.destroy();
    },
  },
];

function priorityUpdate(client: Http2TestClient, streamId: number, value: string): void {
  client.send(PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(streamId), Buffer.from(value)]));
}

const PRIORITIES: readonly ConformanceCase[] = [
  {
    id: 'PR-2.1a',
    shows: 'SETTINGS_NO_RFC7540_PRIORITIES of 2 ends the connection',
    async run(lab) {
      const client = await lab.connect();
      client.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_NO_RFC7540_PRIORITIES, 2]]));
      await expectConnectionError(client, PROTOCOL_ERROR, 'setting-invalid');
    },
  },
  {
    id: 'PR-2.1b',
    shows: 'our first SETTINGS frame has it',
    async run(lab) {
      const client = await lab.connect({ isSilent: true });
      client.write(PREFACE);
      const { payload } = await client.take(({ type }) => type === SETTINGS);
      expect(payload.includes(settingsPayload([[SETTINGS_NO_RFC7540_PRIORITIES, 1]]))).toBe(true);
      client.destroy();
    },
  },
  {
    id: 'PR-2.1c',
    shows: 'priorities of RFC 7540 change nothing',
    async run(lab) {
      const client = await lab.connect({ settings: [[SETTINGS_NO_RFC7540_PRIORITIES, 1]] });
      client.send(PRIORITY, 0, 3, Buffer.of(0x80, 0, 0, 1, 255));
      const block = Buffer.concat([Buffer.of(0, 0, 0, 3, 255), requestBlock('/hello', { scheme: 'http' })]);
      client.send(HEADERS, HAS_PRIORITY | END_HEADERS | END_STREAM, 1, block);
      client.request(3, '/hello');
      expect((await client.response(1)).status).toBe(200);
      expect((await client.response(3)).status).toBe(200);
      client.destroy();
    },
  },
  {
    id: 'PR-4a',
    shows:
      'parameters that are unknown, out of range or of another type are passed over; so is what is no dictionary',
    async run(lab) {
      const client = await lab.connect();
      const values = ['u=9', 'u=-1', 'u="1"', 'i=1', 'x=1, u=2', 'u=1.5', '(((', '', 'u', '\xff'];
      for (const [i, value] of values.entries()) {
        const fields: FieldLines = value === '' ? [] : [['priority', value]];
        client.request(2 * i + 1, '/hello', { fields });
        priorityUpdate(client, 2 * i + 1, value);
        expect((await client.response(2 * i + 1)).status).toBe(200);
      }
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'PR-7.1a',
    shows: 'PRIORITY_UPDATE on a stream ends the connection',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/silent');
      client.send(PRIORITY_UPDATE, 0, 1, Buffer.concat([uint32(1), Buffer.from('u=1')]));
      await expectConnectionError(client, PROTOCOL_ERROR, 'frame-with-stream');
    },
  },
  {
    id: 'PR-7.1b',
    shows: 'PRIORITY_UPDATE for stream 0 ends the connection',
    async run(lab) {
      const client = await lab.connect();
      priorityUpdate(client, 0, 'u=1');
      await expectConnectionError(client, PROTOCOL_ERROR, 'priority-of-no-stream');
    },
  },
  {
    id: 'PR-7.1b',
    shows: 'and one that names none',
    async run(lab) {
      const client = await lab.connect();
      client.send(PRIORITY_UPDATE, 0, 0, Buffer.alloc(3));
      await expectConnectionError(client, FRAME_SIZE_ERROR, 'frame-size');
    },
  },
  {
    id: 'PR-7.1c',
    shows: 'priorities for more streams than could be open end the connection',
    async run(lab) {
      const client = await lab.connect();
      for (let i = 0; i < 8; i += 1) client.request(2 * i + 1, '/silent');
      const more = HTTP2_LIMITS.streamsMax - 8;
      for (let i = 0; i < more; i += 1) priorityUpdate(client, 1_001 + 2 * i, 'u=1');
      // One of those again, and one that is open, take no further room.
      priorityUpdate(client, 1_001, 'u=2');
      priorityUpdate(client, 1, 'u=2');
      await client.settled();
      priorityUpdate(client, 5_001, 'u=1');
      await expectConnectionError(client, PROTOCOL_ERROR, 'priorities-too-many');
    },
  },
  {
    id: 'PR-7.1d',
    shows: 'a priority for a stream of the server’s ends the connection',
    async run(lab) {
      const client = await lab.connect();
      priorityUpdate(client, 2, 'u=1');
      await expectConnectionError(client, PROTOCOL_ERROR, 'stream-even');
    },
  },
  {
    id: 'PR-7.1e',
    shows: 'for a stream that has ended it is passed over',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/hello');
      await client.response(1);
      priorityUpdate(client, 1, 'u=0');
      client.send(RST_STREAM, 0, 1, uint32(CANCEL));
      await expectNoError(client);
      expect(client.frames.filter(({ type }) => type === PRIORITY_UPDATE || type === DATA)).toEqual([]);
      client.destroy();
    },
  },
];

export const EXTENSION_CASES: readonly ConformanceCase[] = [...TUNNELS, ...PRIORITIES];
