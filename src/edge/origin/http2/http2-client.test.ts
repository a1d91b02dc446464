import { afterEach, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { Fields } from '#core/http/fields.ts';
import type { BodySource } from '#edge/exchange.ts';
import { systemClock } from '#platform/clock.ts';
import { fieldBlock, Http2TestClient, uint32 } from '../../../../test/support/http2-client.ts';
import { failureOf, readAll, requestTo } from '../../../../test/support/origin-requests.ts';
import { createTestAuthority } from '../../../../test/support/test-authority.ts';
import {
  END_HEADERS,
  END_STREAM,
  HEADERS,
  INTERNAL_ERROR,
  PREFACE,
  REFUSED_STREAM,
  RST_STREAM,
  SETTINGS,
} from '../../http2/frame.ts';
import { createOriginClient } from '../create-origin-client.ts';
import type { Http1Client, Http1ClientOptions } from '../http1-client.ts';

const HTTP2 = { http2: true } as const;
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

function clientWith(options: Partial<Http1ClientOptions> = {}): Http1Client {
  const client = createOriginClient({ egressAddress: null, clock: systemClock, ...options });
  open.push(client);
  return client;
}

async function listen(server: Server | Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return (server.address() as AddressInfo).port;
}

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A plain HTTP/2 origin of the runtime's own; counts the connections made to it. */
async function startOrigin(handler: Handler) {
  const server = createServer();
  let sessions = 0;
  server.on('session', (session) => {
    sessions += 1;
    open.push({ close: () => session.destroy() });
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    handler(stream, headers);
  });
  const port = await listen(server);
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    get sessions() {
      return sessions;
    },
  };
}

function bodyOf(...parts: (string | Uint8Array)[]): BodySource {
  const queue = parts.map((part) => Buffer.from(part));
  return {
    length: null,
    read: async () => queue.shift() ?? null,
    trailers: () => null,
    cancel: () => {},
  };
}

describe('a response', () => {
  test('comes with status, fields, body and trailers', async () => {
    const origin = await startOrigin((stream, headers) => {
      stream.respond(
        {
          ':status': 404,
          'x-path': headers[':path'] ?? '',
          'x-host': headers[':authority'] ?? '',
          'set-cookie': ['a=1', 'b=2'],
        },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }));
      stream.end('not here');
    });
    const response = await clientWith().fetch(requestTo(origin.url, { target: '/a?b', origin: HTTP2 }));
    expect(response.status).toBe(404);
    expect(response.fields.get('x-path')).toBe('/a?b');
    expect(response.fields.get('x-host')).toBe('www.example.com');
    expect(response.fields.getAll('set-cookie')).toEqual(['a=1', 'b=2']);
    expect((await readAll(response.body)).toString()).toBe('not here');
    expect(response.body.trailers()?.get('grpc-status')).toBe('5');
  });

  test('interim ones are told of as they come', async () => {
    const origin = await startOrigin((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 });
      stream.end('page');
    });
    const informed: [number, string | null][] = [];
    const onInform = (status: number, fields: Fields) => informed.push([status, fields.get('link')]);
    const response = await clientWith().fetch(requestTo(origin.url, { origin: HTTP2, onInform }));
    expect(await readAll(response.body)).toHaveLength(4);
    expect(informed).toEqual([[103, '</a.css>']]);
  });

  test('to HEAD and with 304 has no content, and the length it would have', async () => {
    const origin = await startOrigin((stream, headers) => {
      const status = headers[':path'] === '/304' ? 304 : 200;
      stream.respond({ ':status': status, 'content-length': '12', etag: '"a"' }, { endStream: true });
    });
    const client = clientWith();
    for (const [method, target] of [
      ['HEAD', '/'],
      ['GET', '/304'],
    ] as const) {
      const response = await client.fetch(requestTo(origin.url, { method, target, origin: HTTP2 }));
      expect(response.fields.get('content-length')).toBe('12');
      expect(await readAll(response.body)).toHaveLength(0);
    }
  });

  test('a large one arrives whole, and waits for its reader', async () => {
    const size = 8 * 1024 * 1024;
    let sent = 0;
    const origin = await startOrigin((stream) => {
      stream.respond({ ':status': 200 });
      const part = Buffer.alloc(65_536, 'x');
      const push = (): void => {
        while (sent < size) {
          sent += part.length;
          if (!stream.write(part)) {
            stream.once('drain', push);
            return;
          }
        }
        stream.end();
      };
      push();
    });
    const client = clientWith();
    const response = await client.fetch(requestTo(origin.url, { origin: HTTP2 }));
    // A second request on the same connection passes the one that nobody reads.
    const other = await startOrigin((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('quick');
    });
    expect(await readAll((await client.fetch(requestTo(other.url, { origin: HTTP2 }))).body)).toHaveLength(5);
    expect(sent).toBeLessThan(size);
    expect(await readAll(response.body)).toHaveLength(size);
  });

  test('one that ends short of its announced length is incomplete', async () => {
    const origin = await startOrigin((stream) => {
      stream.respond({ ':status': 200, 'content-length': '100' });
      stream.write('short');
      stream.close(8);
    });
    const response = await clientWith().fetch(requestTo(origin.url, { origin: HTTP2 }));
    expect((await failureOf(readAll(response.body))).type).toBe('http_response_incomplete');
  });
});

describe('requests', () => {
  test('carry a body and its trailers', async () => {
    const origin = await startOrigin((stream, headers) => {
      const parts: Buffer[] = [];
      let trailer = '';
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('trailers', (trailers: IncomingHttpHeaders) => {
        trailer = String(trailers.checksum);
      });
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'x-te': String(headers.te), 'x-trailer': trailer });
        stream.end(Buffer.concat(parts));
      });
    });
    const big = Buffer.alloc(1_000_000, 'b');
    const body = { ...bodyOf('start ', big), trailers: () => Fields.of([['Checksum', 'abc']]) };
    const response = await clientWith().fetch(requestTo(origin.url, { method: 'POST', body, origin: HTTP2 }));
    expect(response.fields.get('x-te')).toBe('trailers');
    expect(response.fields.get('x-trailer')).toBe('abc');
    expect(await readAll(response.body)).toHaveLength(big.length + 6);
  });

  test('share one connection', async () => {
    const origin = await startOrigin((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const client = clientWith();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await client.fetch(requestTo(origin.url, { origin: HTTP2 }));
        return (await readAll(response.body)).toString();
      }),
    );
    expect(answers.filter((answer) => answer === 'ok')).toHaveLength(50);
    expect(origin.sessions).toBe(1);
    expect(client.connections()).toEqual({ open: 1, idle: 1 });
  });

  test('keep to the streams an origin allows, on more connections if need be', async () => {
    let most = 0;
    let now = 0;
    const server = createServer({ settings: { maxConcurrentStreams: 5 } });
    server.on('session', (session) => open.push({ close: () => session.destroy() }));
    server.on('stream', (stream: ServerHttp2Stream) => {
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        // Refused: more came before we could say how many.
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end('ok');
      });
    });
    const port = await listen(server);
    const client = clientWith();
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const response = await client.fetch(requestTo(`http://127.0.0.1:${port}`, { origin: HTTP2 }));
        await readAll(response.body);
        return response.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    expect(most).toBeLessThanOrEqual(5 * 8);
  });

  test('given up by their asker let the origin know', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<number>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const origin = await startOrigin((stream) => {
      stream.on('close', () => resolve(stream.rstCode));
      begin();
    });
    const giver = new AbortController();
    const response = clientWith().fetch(requestTo(origin.url, { origin: HTTP2 }), giver.signal);
    await begun;
    giver.abort();
    expect((await failureOf(response)).type).toBe('connection_terminated');
    expect(await closed).toBe(8);
  });

  test('that the origin refuses unseen are sent again, and others are not', async () => {
    const asked: number[] = [];
    let code = REFUSED_STREAM;
    const server = createTcpServer((socket) => {
      open.push({ close: () => socket.destroy() });
      socket.once('data', (first: Buffer) => {
        const origin = new Http2TestClient(socket);
        origin.send(SETTINGS, 0, 0);
        void (async () => {
          for (;;) {
            const { streamId } = await origin.take(({ type }) => type === HEADERS);
            asked.push(streamId);
            if (asked.length === 1) origin.send(RST_STREAM, 0, streamId, uint32(code));
            else origin.send(HEADERS, END_HEADERS | END_STREAM, streamId, fieldBlock([[':status', '204']]));
          }
        })().catch(() => {});
        socket.emit('data', first.subarray(PREFACE.length));
      });
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    const client = clientWith();
    expect((await client.fetch(requestTo(url, { origin: HTTP2 }))).status).toBe(204);
    expect(asked).toEqual([1, 3]);
    // With a body, part of which may be gone; and with another code: it may have been processed.
    asked.length = 0;
    const posted = client.fetch(requestTo(url, { method: 'POST', body: bodyOf('x'), origin: HTTP2 }));
    expect((await failureOf(posted)).type).toBe('connection_terminated');
    asked.length = 0;
    code = INTERNAL_ERROR;
    const broken = client.fetch(requestTo(url, { origin: HTTP2 }));
    expect((await failureOf(broken)).type).toBe('connection_terminated');
    expect(asked).toHaveLength(1);
  });

  test('an origin that is silent is given up after the time to the first byte', async () => {
    const origin = await startOrigin(() => {});
    const client = clientWith({ limits: { firstByteMs: 60 } });
    const failure = await failureOf(client.fetch(requestTo(origin.url, { origin: HTTP2 })));
    expect(failure.type).toBe('http_response_timeout');
  });

  test('a dead origin is reported as over HTTP/1.1', async () => {
    const failure = await failureOf(clientWith().fetch(requestTo('http://127.0.0.1:1', { origin: HTTP2 })));
    expect(failure.type).toBe('connection_refused');
  });

  test('after GOAWAY new ones go over a new connection, and the old one finishes', async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const origin = await startOrigin((stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] !== '/slow') {
        stream.end('new');
        return;
      }
      stream.write('begun ');
      stream.session?.goaway(0);
      void mayEnd.then(() => stream.end('and whole'));
    });
    const client = clientWith();
    const slow = await client.fetch(requestTo(origin.url, { target: '/slow', origin: HTTP2 }));
    const whole = readAll(slow.body);
    while (origin.sessions < 2) {
      const response = await client.fetch(requestTo(origin.url, { origin: HTTP2 }));
      expect((await readAll(response.body)).toString()).toBe('new');
    }
    letEnd();
    expect((await whole).toString()).toBe('begun and whole');
  });
});

describe('over TLS', () => {
  test('HTTP/2 is spoken where the origin agrees, and HTTP/1.1 where it does not', async () => {
    const authority = await createTestAuthority();
    const certificate = await authority.issue(['www.example.com']);
    const modern = createSecureServer(certificate);
    modern.on('session', (session) => open.push({ close: () => session.destroy() }));
    modern.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 });
      stream.end('two');
    });
    const old = createHttpsServer({ ...certificate, ALPNProtocols: ['http/1.1'] }, (request, response) => {
      response.end(`one ${request.httpVersion}`);
    });
    const client = clientWith({ extraCertificateAuthorities: [authority.certificate] });
    const ask = async (port: number) => {
      const response = await client.fetch(requestTo(`https://127.0.0.1:${port}`, { origin: HTTP2 }));
      return (await readAll(response.body)).toString();
    };
    expect(await ask(await listen(modern))).toBe('two');
    const port = await listen(old);
    expect(await ask(port)).toBe('one 1.1');
    expect(await ask(port)).toBe('one 1.1');
  });

  test('an origin that was not asked for HTTP/2 gets HTTP/1.1', async () => {
    const server = createHttp1Server((request, response) => response.end(request.httpVersion));
    const port = await listen(server);
    const response = await clientWith().fetch(requestTo(`http://127.0.0.1:${port}`));
    expect((await readAll(response.body)).toString()).toBe('1.1');
  });
});
