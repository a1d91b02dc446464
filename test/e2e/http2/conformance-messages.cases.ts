/** RFC 9113 §8: HTTP messages. */
import { expect } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import {
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  NO_ERROR,
  PROTOCOL_ERROR,
} from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import type { FieldLines, Http2TestClient } from '../../support/http2-client.ts';
import { type ConformanceCase, malformed, newPath } from './conformance-case.ts';
import { expectNoError, expectServing, expectStreamError } from './http2-lab.ts';

/** Each value of a field or pseudo-field makes a request malformed. */
function malformedLines(id: string, lines: FieldLines): ConformanceCase[] {
  return lines.map(([name, value]) =>
    malformed(id, JSON.stringify(`${name}: ${value}`), (pseudo) =>
      name.startsWith(':') && pseudo.some(([known]) => known === name)
        ? pseudo.map(([known, old]) => [known, known === name ? value : old] as const)
        : [...pseudo, [name, value]],
    ),
  );
}

function without(name: string): (pseudo: [string, string][]) => FieldLines {
  return (pseudo) => pseudo.filter(([known]) => known !== name);
}

/** What the handler has seen of a request with these fields. */
async function seen(
  client: Http2TestClient,
  streamId: number,
  fields: FieldLines,
): Promise<{ authority: string; fields: [string, string][] }> {
  client.request(streamId, '/request', { fields });
  return JSON.parse((await client.response(streamId)).body.toString());
}

const TRAILERS: readonly (readonly [string, FieldLines])[] = [
  ['a pseudo-field', [[':path', '/']]],
  ['a response’s pseudo-field', [[':status', '200']]],
  ['an unknown pseudo-field', [[':x', 'y']]],
];

export const MESSAGE_CASES: readonly ConformanceCase[] = [
  {
    id: 'H2-8.1a',
    shows: 'a request is a head, content and trailers, of which the last ends the stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false });
      client.data(1, 'body');
      client.send(HEADERS, END_STREAM, 1, Buffer.alloc(0));
      client.send(
        CONTINUATION,
        END_HEADERS,
        1,
        Buffer.concat([Buffer.of(0, 8), Buffer.from('checksum'), Buffer.of(1, 97)]),
      );
      const { body, fields } = await client.response(1);
      expect([body.toString(), fields.get('x-trailer')]).toEqual(['body', 'a']);
      client.destroy();
    },
  },
  ...TRAILERS.map(
    ([what, lines]): ConformanceCase => ({
      id: 'H2-8.1b',
      shows: `trailers with ${what} make the request malformed`,
      async run(lab) {
        const client = await lab.connect();
        client.request(1, '/echo', { method: 'POST', endsStream: false });
        client.headers(1, lines);
        await expectStreamError(client, 1, PROTOCOL_ERROR);
        client.destroy();
      },
    }),
  ),
  {
    id: 'H2-8.1c',
    shows: 'a second head that does not end the stream makes the request malformed',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false });
      client.headers(1, [['checksum', 'a']], false);
      await expectStreamError(client, 1, PROTOCOL_ERROR);
      client.destroy();
    },
  },
  {
    id: 'H2-8.1d',
    shows: 'who is told to stop sending with NO_ERROR has the whole response',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/hello', {
        method: 'POST',
        endsStream: false,
        fields: [['content-length', '1000000']],
      });
      const { body } = await client.response(1);
      expect(body.toString()).toBe('hello');
      expect(await client.resetOf(1)).toBe(NO_ERROR);
      client.data(1, 'on its way');
      await expectNoError(client);
      client.destroy();
    },
  },
  {
    id: 'H2-8.1d',
    shows: 'who is refused can read why before he is told to stop',
    async run(lab) {
      lab.handlers.set('/refused', (exchange) =>
        exchange.respondWhole({ status: 413, reason: '', fields: new Fields() }, Buffer.from('too large')),
      );
      const client = await lab.connect();
      const fields: FieldLines = [['content-length', '1000000']];
      client.request(1, '/refused', { method: 'POST', endsStream: false, fields });
      expect((await client.response(1)).status).toBe(413);
      await expectNoError(client);
      for (let sent = 0; sent <= HTTP2_LIMITS.unreadStreamBytesMax; sent += 16_384) {
        client.data(1, Buffer.alloc(16_384));
      }
      expect(await client.resetOf(1)).toBe(NO_ERROR);
      client.destroy();
    },
  },
  ...[
    ['less than', 'abc', true],
    ['more than', 'abcdefgh', false],
    ['nothing of', '', true],
  ].map(
    ([how, content, hasEnd]): ConformanceCase => ({
      id: 'H2-8.1.1a',
      shows: `content that is ${how} its Content-Length ends the stream`,
      async run(lab) {
        const client = await lab.connect();
        client.request(1, '/echo', { method: 'POST', endsStream: false, fields: [['content-length', '5']] });
        client.data(1, String(content), Boolean(hasEnd));
        await expectStreamError(client, 1, PROTOCOL_ERROR);
        client.destroy();
      },
    }),
  ),
  {
    id: 'H2-8.1.1a',
    shows: 'trailers before the announced length is there end the stream',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false, fields: [['content-length', '5']] });
      client.data(1, 'abc');
      client.headers(1, [['checksum', 'a']]);
      await expectStreamError(client, 1, PROTOCOL_ERROR);
      client.destroy();
    },
  },
  malformed('H2-8.1.1a', 'a Content-Length without content', (pseudo) => [
    ...pseudo,
    ['content-length', '5'],
  ]),
  ...malformedLines('H2-8.1.1b', [
    ['content-length', '-1'],
    ['content-length', '+1'],
    ['content-length', '1, 1'],
    ['content-length', '0x1'],
    ['content-length', ''],
    ['content-length', '99999999999999999'],
  ]),
  malformed('H2-8.1.1b', 'two equal Content-Length lines', (pseudo) => [
    ...pseudo,
    ['content-length', '0'],
    ['content-length', '0'],
  ]),
  {
    id: 'H2-8.2a',
    shows: 'names are sent in lower case, in heads, interim heads and trailers',
    async run(lab) {
      lab.handlers.set('/names', (exchange) => {
        exchange.inform(103, Fields.of([['Link', '</a>']]));
        const fields = Fields.of([['X-Mixed-Case', '1']]);
        const sink = exchange.respondStream({ status: 200, reason: '', fields }, null);
        void sink.end(Fields.of([['X-Trailer', '1']]));
      });
      const client = await lab.connect();
      client.request(1, '/names');
      expect([...(await client.fieldsOf(await client.takeOf(1))).keys()]).toContain('link');
      const { fields, trailers } = await client.response(1);
      expect([...fields.keys()]).toContain('x-mixed-case');
      expect([...(trailers ?? new Map()).keys()]).toEqual(['x-trailer']);
      client.destroy();
    },
  },
  ...malformedLines('H2-8.2.1a', [
    ['X-Upper', 'a'],
    ['x-uppeR', 'a'],
    ['', 'a'],
    ['x y', 'a'],
    ['x\0y', 'a'],
    ['x\ty', 'a'],
    ['x\ny', 'a'],
    ['x\x7f', 'a'],
    ['x\x80', 'a'],
    ['x\xff', 'a'],
    ['x:y', 'a'],
    ['x-y:', 'a'],
    ['x"y', 'a'],
  ]),
  ...malformedLines('H2-8.2.1b', [
    ['x-value', 'a\0b'],
    ['x-value', 'a\rb'],
    ['x-value', 'a\nb'],
    ['x-value', 'a\r\nb: c'],
    ['x-value', ' a'],
    ['x-value', '\ta'],
    ['x-value', 'a '],
    ['x-value', 'a\t'],
    ['x-value', ' '],
    ['x-value', 'a\x01b'],
    ['x-value', 'a\x7fb'],
  ]),
  {
    id: 'H2-8.2.1b',
    shows: 'values with inner white space, bytes above 127, or nothing, are right',
    async run(lab) {
      const client = await lab.connect();
      const fields: [string, string][] = [
        ['x-inner', 'a \t b'],
        ['x-high', '\x80\xff'],
        ['x-empty', ''],
      ];
      expect((await seen(client, 1, fields)).fields).toEqual(fields);
      client.destroy();
    },
  },
  ...malformedLines('H2-8.2.2a', [
    ['connection', 'close'],
    ['connection', 'keep-alive'],
    ['proxy-connection', 'keep-alive'],
    ['keep-alive', 'timeout=5'],
    ['transfer-encoding', 'chunked'],
    ['upgrade', 'h2c'],
  ]),
  {
    id: 'H2-8.2.2a',
    shows: 'and in trailers',
    async run(lab) {
      const client = await lab.connect();
      client.request(1, '/echo', { method: 'POST', endsStream: false });
      client.headers(1, [['transfer-encoding', 'chunked']]);
      await expectStreamError(client, 1, PROTOCOL_ERROR);
      client.destroy();
    },
  },
  ...malformedLines('H2-8.2.2b', [
    ['te', 'gzip'],
    ['te', 'trailers, deflate'],
    ['te', ''],
  ]),
  {
    id: 'H2-8.2.2b',
    shows: 'TE: trailers is right',
    async run(lab) {
      const client = await lab.connect();
      expect((await seen(client, 1, [['te', 'trailers']])).fields).toEqual([['te', 'trailers']]);
      client.destroy();
    },
  },
  {
    id: 'H2-8.2.2c',
    shows: 'we send no fields of a connection, whatever the handler says',
    async run(lab) {
      lab.handlers.set('/connection-fields', (exchange) => {
        const lines: [string, string][] = [
          ['Connection', 'keep-alive'],
          ['Keep-Alive', 'timeout=5'],
          ['Proxy-Connection', 'close'],
          ['Transfer-Encoding', 'chunked'],
          ['Upgrade', 'h2c'],
          ['X-Kept', 'yes'],
        ];
        const sink = exchange.respondStream({ status: 200, reason: '', fields: Fields.of(lines) }, null);
        void sink.end(Fields.of(lines));
      });
      const client = await lab.connect();
      client.request(1, '/connection-fields');
      const { fields, trailers } = await client.response(1);
      expect([...fields.keys()].filter((name) => name !== 'date')).toEqual([':status', 'x-kept']);
      expect([...(trailers ?? new Map()).keys()]).toEqual(['x-kept']);
      client.destroy();
    },
  },
  {
    id: 'H2-8.2.3a',
    shows: 'cookies that came apart become one line',
    async run(lab) {
      const client = await lab.connect();
      const cookies: [string, string][] = [
        ['cookie', 'a=1'],
        ['x-between', 'y'],
        ['cookie', 'b=2; c=3'],
        ['cookie', 'd=4'],
      ];
      expect((await seen(client, 1, cookies)).fields).toEqual([
        ['x-between', 'y'],
        ['cookie', 'a=1; b=2; c=3; d=4'],
      ]);
      client.destroy();
    },
  },
  malformed('H2-8.3a', 'an unknown pseudo-field', (pseudo) => [...pseudo, [':x', 'y']]),
  malformed('H2-8.3a', 'a pseudo-field of responses', (pseudo) => [...pseudo, [':status', '200']]),
  malformed('H2-8.3a', 'a pseudo-field of capital letters', (pseudo) => [...pseudo, [':Path', '/']]),
  malformed('H2-8.3b', 'a pseudo-field behind a field', (pseudo) => [
    ...pseudo.slice(0, 3),
    ['x-a', 'b'],
    ...pseudo.slice(3),
  ]),
  ...['method', 'scheme', 'authority', 'path'].map((name) =>
    malformed('H2-8.3c', `:${name} twice`, (pseudo) => [
      ...pseudo,
      pseudo.find(([known]) => known === `:${name}`) as [string, string],
    ]),
  ),
  {
    id: 'H2-8.3.1a',
    shows: 'the authority is :authority, and Host only without it',
    async run(lab) {
      const client = await lab.connect();
      expect((await seen(client, 1, [['host', 'EXAMPLE.com']])).authority).toBe('example.com');
      const lines = without(':authority')(client.pseudoFields('/request'));
      client.headers(3, [...lines, ['host', 'Other.example']]);
      expect(JSON.parse((await client.response(3)).body.toString()).authority).toBe('other.example');
      client.destroy();
    },
  },
  malformed('H2-8.3.1a', 'Host that contradicts :authority', (pseudo) => [
    ...pseudo,
    ['host', 'other.example'],
  ]),
  malformed('H2-8.3.1a', 'two Host lines', (pseudo) => [
    ...pseudo,
    ['host', 'example.com'],
    ['host', 'example.com'],
  ]),
  malformed('H2-8.3.1a', 'neither :authority nor Host', without(':authority')),
  ...malformedLines('H2-8.3.1b', [
    [':authority', 'user@example.com'],
    [':authority', 'user:password@example.com'],
    [':authority', ''],
    [':authority', 'example.com/path'],
    [':authority', 'example.com:70000'],
    [':authority', 'exa mple.com'],
    [':authority', 'a, b'],
  ]),
  ...malformedLines('H2-8.3.1c', [
    [':path', ''],
    [':path', 'relative'],
    [':path', '*'],
    [':path', '/a b'],
    [':path', '/a#b'],
    [':path', '/a\r\nHost: evil.example'],
    [':path', 'http://example.com/'],
    [':method', ''],
    [':method', 'G ET'],
    [':method', 'GET / HTTP/1.1\r\nHost: evil'],
    [':scheme', ''],
    [':scheme', 'ht\ntp'],
    [':scheme', 'ftp'],
  ]),
  ...['method', 'scheme', 'path'].map((name) => malformed('H2-8.3.1d', `no :${name}`, without(`:${name}`))),
  malformed('H2-8.3.1d', 'no field at all', () => []),
  {
    id: 'H2-8.3.1c',
    shows: 'OPTIONS may ask for *',
    async run(lab) {
      const client = await lab.connect();
      client.headers(1, client.pseudoFields('*', 'OPTIONS'));
      expect((await client.response(1)).status).toBe(200);
      client.destroy();
    },
  },
  {
    id: 'H2-8.3.2a',
    shows: 'each response begins with :status, interim ones too',
    async run(lab) {
      lab.handlers.set('/statuses', (exchange) => {
        exchange.inform(103, new Fields());
        exchange.respondWhole({ status: 418, reason: '', fields: Fields.of([['Date', 'x']]) }, null);
      });
      const client = await lab.connect();
      client.request(1, '/statuses');
      for (const status of ['103', '418']) {
        const fields = await client.fieldsOf(await client.takeOf(1));
        expect([...fields][0]).toEqual([':status', status]);
      }
      client.destroy();
    },
  },
  {
    id: 'H2-8.5a',
    shows: 'CONNECT to a host is refused',
    async run(lab) {
      const client = await lab.connect();
      client.headers(1, [
        [':method', 'CONNECT'],
        [':authority', 'example.com:443'],
      ]);
      expect((await client.response(1)).status).toBe(501);
      await expectServing(client);
      client.destroy();
    },
  },
  malformed('H2-8.5a', 'CONNECT with :scheme and :path', (pseudo) =>
    pseudo.map(([name, value]) => [name, name === ':method' ? 'CONNECT' : value] as const),
  ),
  malformed('H2-8.5a', 'CONNECT without :authority', () => [[':method', 'CONNECT']]),
  {
    id: 'H2-8.6a',
    shows: '101 is never sent',
    async run(lab) {
      lab.handlers.set('/switch', (exchange) => {
        exchange.inform(101, Fields.of([['Upgrade', 'websocket']]));
        exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, null);
      });
      const client = await lab.connect();
      client.request(1, '/switch');
      expect((await client.fieldsOf(await client.takeOf(1))).get(':status')).toBe('200');
      client.destroy();
    },
  },
  {
    id: 'H2-8.7a',
    shows: 'a refused stream has not reached the handler',
    async run(lab) {
      const client = await lab.connect();
      for (let i = 0; i < HTTP2_LIMITS.streamsMax; i += 1) client.request(2 * i + 1, '/silent');
      const path = newPath();
      client.request(2 * HTTP2_LIMITS.streamsMax + 1, path);
      await client.resetOf(2 * HTTP2_LIMITS.streamsMax + 1);
      expect(lab.served).not.toContain(path);
      client.destroy();
    },
  },
];
