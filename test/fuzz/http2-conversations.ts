/**
 * Conversations of an HTTP/2 client with an edge, as bytes, and a handler that answers them at once, so that what
 * comes back depends on nothing but the bytes.
 */
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import {
  ACK,
  CANCEL,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  MAX_31,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PRIORITY_UPDATE,
  RST_STREAM,
  SETTINGS,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_FRAME_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import {
  type FieldLines,
  fieldBlock,
  frameBytes,
  requestBlock,
  settingsPayload,
  uint32,
} from '../support/http2-client.ts';

export interface Conversation {
  readonly name: string;
  readonly bytes: Buffer;
}

const HEAD = { status: 200, reason: '', fields: Fields.of([['X-Answer', 'yes']]) };
const STORED = { status: 200, reason: '', lines: 'Content-Type: text/plain\r\n', block: null };
const BODY = Buffer.alloc(20_000, 'stored ');

/** By path; each answers before it returns, or never. */
const ANSWERS: Readonly<Record<string, (exchange: Exchange) => void>> = {
  '/': (exchange) =>
    exchange.respondWhole(HEAD, Buffer.from(exchange.request.fields.get('x-say') ?? 'hello')),
  '/stored': (exchange) => exchange.respondPrepared(STORED, 'Age: 3\r\n', BODY, BODY.length),
  '/empty': (exchange) => exchange.respondWhole({ ...HEAD, status: 204 }, null),
  '/silent': () => {},
  '/abort': (exchange) => exchange.abort('of its own accord'),
  '/hints': (exchange) => {
    exchange.inform(103, Fields.of([['Link', '</a>']]));
    exchange.respondWhole(HEAD, Buffer.from('page'));
  },
  '/trailers': (exchange) => {
    const sink = exchange.respondStream(HEAD, null);
    sink.write(Buffer.from('streamed')).catch(() => {});
    sink.end(Fields.of([['Checksum', 'abc']])).catch(() => {});
  },
  '/tunnel': (exchange) => {
    if (exchange.request.upgrade === null) exchange.respondWhole(HEAD, null);
    else void exchange.acceptTunnel(new Fields());
  },
};

export const PATHS = Object.keys(ANSWERS);

export function answerAtOnce(exchange: Exchange): void {
  const answer = ANSWERS[exchange.request.target] ?? ANSWERS['/'];
  answer?.(exchange);
}

export const HELLO = Buffer.concat([PREFACE, frameBytes(SETTINGS, 0, 0, Buffer.alloc(0))]);
const EMPTY = Buffer.alloc(0);

function ask(
  streamId: number,
  path: string,
  method = 'GET',
  fields: FieldLines = [],
  endsStream = true,
): Buffer {
  const flags = END_HEADERS | (endsStream ? END_STREAM : 0);
  return frameBytes(HEADERS, flags, streamId, requestBlock(path, { method, fields }));
}

function conversation(name: string, ...frames: readonly Buffer[]): Conversation {
  return { name, bytes: Buffer.concat([HELLO, ...frames]) };
}

const BLOCK = requestBlock('/', { fields: [['x-say', 'in pieces']] });

export const CONVERSATIONS: readonly Conversation[] = [
  conversation('a request', ask(1, '/')),
  conversation('several requests', ask(1, '/'), ask(3, '/empty'), ask(5, '/hints'), ask(7, '/trailers')),
  conversation('HEAD', ask(1, '/stored', 'HEAD'), ask(3, '/', 'HEAD')),
  conversation(
    'a body',
    ask(1, '/', 'POST', [['content-length', '8']], false),
    frameBytes(DATA, 0, 1, Buffer.from('body')),
    frameBytes(DATA, END_STREAM, 1, Buffer.from('more')),
  ),
  conversation(
    'a body with trailers',
    ask(1, '/silent', 'POST', [], false),
    frameBytes(DATA, 0, 1, Buffer.from('body')),
    frameBytes(HEADERS, END_HEADERS | END_STREAM, 1, fieldBlock([['checksum', 'a']])),
  ),
  conversation(
    'an answer before the body',
    ask(1, '/', 'POST', [], false),
    frameBytes(DATA, 0, 1, Buffer.alloc(100)),
    frameBytes(DATA, END_STREAM, 1, EMPTY),
    ask(3, '/'),
  ),
  conversation(
    'a block in pieces',
    frameBytes(HEADERS, END_STREAM, 1, BLOCK.subarray(0, 10)),
    frameBytes(CONTINUATION, 0, 1, BLOCK.subarray(10, 20)),
    frameBytes(CONTINUATION, 0, 1, EMPTY),
    frameBytes(CONTINUATION, END_HEADERS, 1, BLOCK.subarray(20)),
  ),
  conversation(
    'padding and priority',
    frameBytes(
      HEADERS,
      PADDED | HAS_PRIORITY | END_HEADERS | END_STREAM,
      1,
      Buffer.concat([Buffer.of(3, 0, 0, 0, 0, 9), BLOCK, Buffer.alloc(3)]),
    ),
  ),
  conversation(
    'padded content',
    ask(1, '/silent', 'POST', [], false),
    frameBytes(DATA, PADDED | END_STREAM, 1, Buffer.from('\x04body\0\0\0\0', 'latin1')),
  ),
  conversation(
    'PING and SETTINGS',
    frameBytes(PING, 0, 0, Buffer.from('abcdefgh')),
    frameBytes(SETTINGS, 0, 0, settingsPayload([[SETTINGS_HEADER_TABLE_SIZE, 0]])),
    frameBytes(SETTINGS, ACK, 0, EMPTY),
    ask(1, '/'),
    frameBytes(PING, ACK, 0, Buffer.alloc(8)),
  ),
  conversation(
    'a small window',
    frameBytes(SETTINGS, 0, 0, settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, 5]])),
    ask(1, '/stored'),
    frameBytes(WINDOW_UPDATE, 0, 1, uint32(7)),
    frameBytes(SETTINGS, 0, 0, settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, 0]])),
    frameBytes(WINDOW_UPDATE, 0, 1, uint32(6)),
    frameBytes(WINDOW_UPDATE, 0, 1, uint32(1)),
  ),
  conversation(
    'larger frames',
    frameBytes(SETTINGS, 0, 0, settingsPayload([[SETTINGS_MAX_FRAME_SIZE, 100_000]])),
    ask(1, '/stored'),
  ),
  conversation(
    'priorities',
    frameBytes(PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(3), Buffer.from('u=0')])),
    ask(1, '/stored', 'GET', [['priority', 'u=5, i']]),
    ask(3, '/stored'),
    frameBytes(PRIORITY, 0, 1, Buffer.alloc(5)),
  ),
  conversation(
    'unknown frames',
    frameBytes(0x20, 0xff, 0, Buffer.alloc(30)),
    ask(1, '/'),
    frameBytes(0x99, 0, 1, EMPTY),
  ),
  conversation('a reset', ask(1, '/silent'), frameBytes(RST_STREAM, 0, 1, uint32(CANCEL)), ask(3, '/')),
  conversation(
    'resets of ours',
    ask(1, '/abort'),
    ask(3, '/silent'),
    frameBytes(WINDOW_UPDATE, 0, 3, uint32(0)),
    frameBytes(DATA, END_STREAM, 3, Buffer.from('late')),
    ask(5, '/'),
  ),
  conversation(
    'malformed requests',
    ask(1, '/', 'GET', [['Upper', 'x']]),
    ask(3, '/', 'GET', [['connection', 'close']]),
    ask(5, '/', 'GET', [['x', 'a\nb']]),
    ask(7, '/'),
  ),
  conversation(
    'refused requests',
    ask(1, '/', 'GET', [['expect', 'more']]),
    frameBytes(
      HEADERS,
      END_HEADERS | END_STREAM,
      3,
      fieldBlock([
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ]),
    ),
  ),
  conversation(
    'a tunnel',
    frameBytes(
      HEADERS,
      END_HEADERS,
      1,
      Buffer.concat([
        requestBlock('/tunnel', { method: 'CONNECT' }),
        fieldBlock([[':protocol', 'websocket']]),
      ]),
    ),
    frameBytes(DATA, 0, 1, Buffer.from('raw')),
    frameBytes(DATA, END_STREAM, 1, EMPTY),
  ),
  conversation(
    'content longer than announced',
    ask(1, '/silent', 'POST', [['content-length', '2']], false),
    frameBytes(DATA, END_STREAM, 1, Buffer.from('four')),
  ),
  conversation(
    'GOAWAY of the client',
    ask(1, '/silent'),
    frameBytes(GOAWAY, 0, 0, Buffer.alloc(8)),
    ask(3, '/'),
    frameBytes(RST_STREAM, 0, 1, uint32(CANCEL)),
  ),
  ...(
    [
      ['a frame too large', frameBytes(DATA, 0, 1, Buffer.alloc(20_000)).subarray(0, 60)],
      ['DATA on an idle stream', frameBytes(DATA, 0, 1, Buffer.from('x'))],
      ['an even stream', ask(2, '/')],
      ['a lower stream', Buffer.concat([ask(5, '/'), ask(3, '/')])],
      ['a broken block', frameBytes(HEADERS, END_HEADERS, 1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x0f))],
      [
        'a block interrupted',
        Buffer.concat([frameBytes(HEADERS, 0, 1, BLOCK), frameBytes(PING, 0, 0, Buffer.alloc(8))]),
      ],
      ['a PING too short', frameBytes(PING, 0, 0, Buffer.alloc(7))],
      ['a window that overflows', frameBytes(WINDOW_UPDATE, 0, 0, uint32(MAX_31))],
      ['a setting that is none', frameBytes(SETTINGS, 0, 0, settingsPayload([[SETTINGS_MAX_FRAME_SIZE, 1]]))],
      [
        'padding too long',
        Buffer.concat([ask(1, '/silent', 'POST', [], false), frameBytes(DATA, PADDED, 1, Buffer.of(9, 1))]),
      ],
    ] as const
  ).map(([name, frames]) => conversation(name, frames, ask(9, '/'))),
  { name: 'no preface', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n') },
  { name: 'no SETTINGS', bytes: Buffer.concat([PREFACE, ask(1, '/')]) },
];
