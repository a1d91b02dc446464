/** Origins that break HTTP/2: each fails its requests with a named error, and takes nothing else along. */
import { afterEach, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { systemClock } from '#platform/clock.ts';
import {
  type FieldLines,
  fieldBlock,
  Http2TestClient,
  settingsPayload,
  uint32,
} from '../../../../test/support/http2-client.ts';
import { failureOf, readAll, requestTo } from '../../../../test/support/origin-requests.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FLOW_CONTROL_ERROR,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  readUint32,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '../../http2/frame.ts';
import { createOriginClient } from '../create-origin-client.ts';
import type { Http1Client } from '../http1-client.ts';
import type { OriginFailureType } from '../origin-client.ts';
import { ORIGIN_HTTP2_LIMITS } from './limits.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

/** An origin that does as it is told with each connection; the last one is kept for looking at. */
class RawOrigin {
  last: Http2TestClient | null = null;
  connections = 0;
  url = '';

  async start(play: (origin: Http2TestClient) => Promise<void>): Promise<void> {
    const server = createServer((socket: Socket) => {
      this.connections += 1;
      open.push({ close: () => socket.destroy() });
      socket.once('data', (first: Buffer) => {
        const peer = new Http2TestClient(socket);
        this.last = peer;
        play(peer).catch(() => {});
        socket.emit('data', first.subarray(PREFACE.length));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

async function startOrigin(play: (origin: Http2TestClient) => Promise<void>): Promise<RawOrigin> {
  const origin = new RawOrigin();
  await origin.start(play);
  return origin;
}

function client(): Http1Client {
  const made = createOriginClient({ egressAddress: null, clock: systemClock, limits: { bodyIdleMs: 2_000 } });
  open.push(made);
  return made;
}

const ask = (made: Http1Client, url: string, method = 'GET') =>
  made.fetch(requestTo(url, { method, origin: { http2: true } }));

/** SETTINGS, then `answer` to the first request. */
function answering(answer: (origin: Http2TestClient, streamId: number) => void) {
  return async (origin: Http2TestClient): Promise<void> => {
    origin.send(SETTINGS, 0, 0);
    const { streamId } = await origin.take(({ type }) => type === HEADERS);
    answer(origin, streamId);
  };
}

const head = (lines: FieldLines = []) => fieldBlock([[':status', '200'], ...lines]);

type Case = readonly [string, (origin: Http2TestClient, streamId: number) => void, OriginFailureType];

const HEADLESS: Case[] = [
  [
    'no :status',
    (o, id) => o.send(HEADERS, END_HEADERS, id, fieldBlock([['a', 'b']])),
    'http_protocol_error',
  ],
  [
    'a status of two digits',
    (o, id) => o.send(HEADERS, END_HEADERS, id, fieldBlock([[':status', '20']])),
    'http_protocol_error',
  ],
  [
    'a second :status',
    (o, id) => o.send(HEADERS, END_HEADERS, id, head([[':status', '200']])),
    'http_protocol_error',
  ],
  [
    'a field name in upper case',
    (o, id) => o.send(HEADERS, END_HEADERS, id, head([['A', 'b']])),
    'http_protocol_error',
  ],
  [
    'CRLF in a value',
    (o, id) => o.send(HEADERS, END_HEADERS, id, head([['a', 'b\r\nc: d']])),
    'http_protocol_error',
  ],
  [
    'Transfer-Encoding',
    (o, id) => o.send(HEADERS, END_HEADERS, id, head([['transfer-encoding', 'chunked']])),
    'http_protocol_error',
  ],
  [
    'Connection',
    (o, id) => o.send(HEADERS, END_HEADERS, id, head([['connection', 'close']])),
    'http_protocol_error',
  ],
  [
    'contradicting lengths',
    (o, id) =>
      o.send(
        HEADERS,
        END_HEADERS,
        id,
        head([
          ['content-length', '1'],
          ['content-length', '2'],
        ]),
      ),
    'http_protocol_error',
  ],
  [
    'a length that is no number',
    (o, id) => o.send(HEADERS, END_HEADERS, id, head([['content-length', '+5']])),
    'http_protocol_error',
  ],
  [
    '101',
    (o, id) => o.send(HEADERS, END_HEADERS, id, fieldBlock([[':status', '101']])),
    'http_protocol_error',
  ],
  [
    'an interim response that ends the stream',
    (o, id) => o.send(HEADERS, END_HEADERS | END_STREAM, id, fieldBlock([[':status', '103']])),
    'http_protocol_error',
  ],
  ['content before the head', (o, id) => o.data(id, 'early'), 'http_protocol_error'],
  [
    'interim responses without end',
    (o, id) => {
      for (let i = 0; i < 100; i += 1) o.send(HEADERS, END_HEADERS, id, fieldBlock([[':status', '103']]));
    },
    'http_protocol_error',
  ],
  [
    'a block that no decoder takes',
    (o, id) => o.send(HEADERS, END_HEADERS, id, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
    'connection_terminated',
  ],
  [
    'more fields than are taken',
    (o, id) =>
      o.send(HEADERS, END_HEADERS, id, head(Array.from({ length: 300 }, (_, i) => [`a${i}`, 'b'] as const))),
    'connection_terminated',
  ],
  [
    'CONTINUATION without end',
    (o, id) => {
      o.send(HEADERS, 0, id, head());
      for (let i = 0; i < 1_000; i += 1) o.send(CONTINUATION, 0, id, fieldBlock([['a', 'b']]));
    },
    'connection_terminated',
  ],
  [
    'a frame within a block',
    (o, id) => {
      o.send(HEADERS, 0, id, head());
      o.send(PING, 0, 0, Buffer.alloc(8));
    },
    'connection_terminated',
  ],
  [
    'a pushed response',
    (o, id) => o.send(PUSH_PROMISE, END_HEADERS, id, Buffer.concat([uint32(2), head()])),
    'connection_terminated',
  ],
  ['a stream that nobody opened', (o) => o.send(HEADERS, END_HEADERS, 99, head()), 'connection_terminated'],
  [
    'a frame that is too large',
    (o, id) => o.send(DATA, 0, id, Buffer.alloc(16_385)),
    'connection_terminated',
  ],
  [
    'a window that overflows',
    (o) => o.send(WINDOW_UPDATE, 0, 0, uint32(0x7fff_ffff)),
    'connection_terminated',
  ],
  [
    'a setting that is none',
    (o) => o.send(SETTINGS, 0, 0, settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, 0x8000_0000]])),
    'connection_terminated',
  ],
  [
    'SETTINGS without end',
    (o) => {
      for (let i = 0; i < 1_000; i += 1) o.send(SETTINGS, 0, 0);
    },
    'connection_terminated',
  ],
  [
    'PINGs without end',
    (o) => {
      for (let i = 0; i < 10_000; i += 1) o.send(PING, 0, 0, Buffer.alloc(8));
    },
    'connection_terminated',
  ],
  ['the end of the connection', (o) => o.destroy(), 'connection_terminated'],
  ['a reset', (o, id) => o.send(RST_STREAM, 0, id, uint32(2)), 'connection_terminated'],
];

describe('before a response', () => {
  test.each(HEADLESS)('%s', async (_, play, expected) => {
    const origin = await startOrigin(answering(play));
    const failure = await failureOf(ask(client(), origin.url, 'POST'));
    expect(failure.type).toBe(expected);
  });

  test('HTTP/1.1 where HTTP/2 was to be spoken', async () => {
    const origin = await startOrigin(async (peer) =>
      peer.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    expect((await failureOf(ask(client(), origin.url, 'POST'))).type).toBe('connection_terminated');
  });
});

const BODIES: Case[] = [
  [
    'more content than announced',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head([['content-length', '3']]));
      o.data(id, 'four', true);
    },
    'http_protocol_error',
  ],
  [
    'less content than announced',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head([['content-length', '9']]));
      o.data(id, 'four', true);
    },
    'http_response_incomplete',
  ],
  [
    'no content where some was announced',
    (o, id) => o.send(HEADERS, END_HEADERS | END_STREAM, id, head([['content-length', '9']])),
    'http_response_incomplete',
  ],
  [
    'a reset in the middle',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head());
      o.data(id, 'begun');
      o.send(RST_STREAM, 0, id, uint32(2));
    },
    'http_response_incomplete',
  ],
  [
    'the end of the connection in the middle',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head());
      o.data(id, 'begun');
      o.socket.end();
    },
    'http_response_incomplete',
  ],
  [
    'trailers with a pseudo-field',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head());
      o.send(HEADERS, END_HEADERS | END_STREAM, id, head());
    },
    'http_protocol_error',
  ],
  [
    'trailers that end nothing',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head());
      o.send(HEADERS, END_HEADERS, id, fieldBlock([['a', 'b']]));
    },
    'http_protocol_error',
  ],
  [
    'padding longer than its frame',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head());
      o.send(DATA, 0x8, id, Buffer.of(200, 1, 2));
    },
    'http_response_incomplete',
  ],
  [
    'empty DATA frames without end',
    (o, id) => {
      o.send(HEADERS, END_HEADERS, id, head());
      for (let i = 0; i < 1_000; i += 1) o.data(id, '');
    },
    'http_response_incomplete',
  ],
];

describe('within a response', () => {
  test.each(BODIES)('%s', async (_, play, expected) => {
    const origin = await startOrigin(answering(play));
    const { body } = await ask(client(), origin.url);
    expect((await failureOf(readAll(body))).type).toBe(expected);
  });

  test('content to HEAD and with 304 is none', async () => {
    for (const [method, status] of [
      ['HEAD', '200'],
      ['GET', '304'],
    ] as const) {
      const origin = await startOrigin(
        answering((o, id) => {
          o.send(HEADERS, END_HEADERS, id, fieldBlock([[':status', status]]));
          o.data(id, 'content', true);
        }),
      );
      const { body } = await ask(client(), origin.url, method);
      expect((await failureOf(readAll(body))).type).toBe('http_protocol_error');
    }
  });

  test('more than the window allows ends the connection: what nobody reads is bounded', async () => {
    const origin = await startOrigin(
      answering((o, id) => {
        o.send(HEADERS, END_HEADERS, id, head());
        const frames = ORIGIN_HTTP2_LIMITS.streamWindowBytes / 16_384 + 64;
        for (let i = 0; i < frames; i += 1) o.data(id, Buffer.alloc(16_384));
      }),
    );
    const { body } = await ask(client(), origin.url);
    const frame = await (origin.last as Http2TestClient).take(({ type }) => type === GOAWAY);
    expect(readUint32(frame.payload, 4)).toBe(FLOW_CONTROL_ERROR);
    expect((await failureOf(readAll(body))).type).toBe('http_response_incomplete');
  });
});

test('one broken stream leaves the others of its connection alone', async () => {
  const origin = await startOrigin(async (peer) => {
    peer.send(SETTINGS, 0, 0);
    const first = await peer.take(({ type }) => type === HEADERS);
    const second = await peer.take(({ type }) => type === HEADERS);
    peer.send(HEADERS, END_HEADERS, first.streamId, fieldBlock([['a', 'b']]));
    peer.send(HEADERS, END_HEADERS, second.streamId, head());
    peer.data(second.streamId, 'fine', true);
  });
  const made = client();
  const broken = ask(made, origin.url, 'POST');
  const fine = ask(made, origin.url, 'POST');
  expect((await failureOf(broken)).type).toBe('http_protocol_error');
  expect((await readAll((await fine).body)).toString()).toBe('fine');
  const reset = await (origin.last as Http2TestClient).take(({ type }) => type === RST_STREAM);
  expect(readUint32(reset.payload, 0)).toBe(PROTOCOL_ERROR);
  expect(origin.connections).toBe(1);
});
