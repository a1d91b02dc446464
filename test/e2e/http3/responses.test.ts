/** What the road answers, as clients over HTTP/3 get it; the traps of Bun's own HTTP/3 among it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { BodySink, Exchange } from '#edge/exchange.ts';
import { HTTP3_LIMITS } from '#edge/http3/limits.ts';
import type { Http3Request, Http3TestClient } from '../../support/http3-client.ts';
import { startTestHttp3Listener, type TestHttp3Listener } from '../../support/http3-listener.ts';
import { until } from '../../support/until.ts';

const TEXT: readonly [string, string] = ['Content-Type', 'text/plain'];
const MIB = 1024 * 1024;
const PREPARED = {
  status: 200,
  reason: 'OK',
  lines:
    'Content-Type: text/plain\r\nETag: "a"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVia: 1.1 perigee\r\n',
};
const DYNAMIC = 'Age: 7\r\nCache-Status: Perigee; hit; ttl=53\r\n';
/** Longer than what is copied into a response. */
const LARGE = pattern(3 * MIB);

let listener: TestHttp3Listener;
let client: Http3TestClient;
/** What is done with the next request. */
let answer: (exchange: Exchange) => void;

beforeAll(async () => {
  listener = await startTestHttp3Listener((exchange) => answer(exchange), {
    limits: { gatherMs: 20 },
  });
  client = await listener.connect();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await listener[Symbol.asyncDispose]();
});

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

const headOf = (status: number, fields: readonly (readonly [string, string])[] = [TEXT]) => ({
  status,
  reason: 'A reason',
  fields: Fields.of(fields),
});

function ask(handler: (exchange: Exchange) => void, request: Http3Request = {}) {
  answer = handler;
  return client.request('/', request);
}

describe('a whole response', () => {
  test('has its fields, a length and a date', async () => {
    const response = await ask((exchange) => exchange.respondWhole(headOf(200), Buffer.from('hello')));
    expect(response.body.toString()).toBe('hello');
    const { date, ...fields } = response.fields;
    expect(fields).toEqual({ ':status': '200', 'content-type': 'text/plain', 'content-length': '5' });
    expect(Math.abs(Date.parse(String(date)) - Date.now())).toBeLessThan(60_000);
  });

  test('of a prepared head: its lines, those of the hit, and Set-Cookie apart', async () => {
    for (let use = 0; use < 2; use++) {
      const { fields, body } = await ask((exchange) => {
        exchange.respondPrepared(PREPARED, DYNAMIC, Buffer.from('stored'), 6);
      });
      expect(fields).toMatchObject({
        etag: '"a"',
        age: '7',
        'cache-status': 'Perigee; hit; ttl=53',
        'set-cookie': ['a=1', 'b=2'],
        'content-length': '6',
      });
      expect(body.toString()).toBe('stored');
    }
  });

  test('keeps the date it has, and nothing that belongs to a connection', async () => {
    const date = 'Tue, 01 Sep 2026 10:00:00 GMT';
    const fields: [string, string][] = [
      ['Date', date],
      ['Connection', 'close'],
      ['Keep-Alive', 'timeout=5'],
      ['Transfer-Encoding', 'chunked'],
      ['Upgrade', 'h2c'],
      ['Content-Length', '77'],
      ['Bad name', 'x'],
      ['X-Bad', 'a\nb'],
    ];
    const response = await ask((exchange) =>
      exchange.respondWhole(headOf(200, [TEXT, ...fields]), Buffer.from('x')),
    );
    expect(response.fields).toEqual({
      ':status': '200',
      'content-type': 'text/plain',
      'content-length': '1',
      date,
    });
  });

  test.each([0, 5, 70_000, MIB])('without a Content-Type gets none: %p bytes', async (length) => {
    const body = pattern(length);
    const response = await ask((exchange) => exchange.respondWhole(headOf(200, []), body));
    expect(response.fields['content-type']).toBeUndefined();
    expect(response.body.equals(body)).toBe(true);
  });

  test.each([200, 404, 451, 599])('of status %p', async (status) => {
    const response = await ask((exchange) => exchange.respondWhole(headOf(status), Buffer.from('x')));
    expect(response.status).toBe(status);
  });

  test.each([99, 600, 999])('of a status that HTTP/3 here cannot send, %p, is a 502', async (status) => {
    const response = await ask((exchange) => exchange.respondWhole(headOf(status), Buffer.from('x')));
    expect(response.status).toBe(502);
    expect(response.fields['cache-control']).toBe('no-store');
  });

  test.each([204, 205, 304])('of status %p has no body', async (status) => {
    const body = Buffer.from('left out');
    const response = await ask((exchange) => exchange.respondWhole(headOf(status, [['ETag', '"a"']]), body));
    expect(response).toMatchObject({ status, isWhole: true });
    expect(response.body.length).toBe(0);
    expect(response.fields.etag).toBe('"a"');
  });

  test('to HEAD has the length of GET and no body', async () => {
    const head = { method: 'HEAD' };
    const whole = await ask((exchange) => exchange.respondWhole(headOf(200), Buffer.from('hello')), head);
    expect(whole.fields['content-length']).toBe('5');
    const stored = await ask((exchange) => exchange.respondPrepared(PREPARED, '', null, 99), head);
    expect(stored.fields['content-length']).toBe('99');
    const streamed = await ask((exchange) => {
      const sink = exchange.respondStream(headOf(200), 1234);
      void sink.write(Buffer.from('dropped')).then(() => sink.end());
    }, head);
    expect(streamed.fields['content-length']).toBe('1234');
    expect([whole, stored, streamed].map(({ body }) => body.length)).toEqual([0, 0, 0]);
  });

  test('that is large and stored keeps its length, however often it is asked for', async () => {
    for (let use = 0; use < 2; use++) {
      const { fields, body } = await ask((exchange) => {
        exchange.respondPrepared(PREPARED, DYNAMIC, LARGE, LARGE.length);
      });
      expect(fields['content-length']).toBe(String(LARGE.length));
      expect(body.equals(LARGE)).toBe(true);
    }
  });

  test('to a range is the part asked for, also where Bun would choose one itself', async () => {
    const partial = { ...PREPARED, status: 206 };
    const range = `Content-Range: bytes 1000-299999/${LARGE.length}\r\n`;
    const request = { fields: { range: 'bytes=1000-299999' } };
    const part = await ask(
      (exchange) => exchange.respondPrepared(partial, range, LARGE.subarray(1000, 300_000), 299_000),
      request,
    );
    expect(part.status).toBe(206);
    expect(part.fields['content-range']).toBe(`bytes 1000-299999/${LARGE.length}`);
    expect(part.body.equals(LARGE.subarray(1000, 300_000))).toBe(true);
    // An If-Range that does not hold: the whole is the answer, whatever the request's Range says.
    const whole = await ask(
      (exchange) => exchange.respondPrepared(PREPARED, '', LARGE, LARGE.length),
      request,
    );
    expect(whole.status).toBe(200);
    expect(whole.body.length).toBe(LARGE.length);
  });
});

describe('a streamed response', () => {
  async function writeAll(sink: BodySink, parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) await sink.write(part);
    await sink.end();
  }

  test('that is complete within the bound goes out with its length', async () => {
    const response = await ask((exchange) => {
      void writeAll(exchange.respondStream(headOf(200), null), [Buffer.from('hel'), Buffer.from('lo')]);
    });
    expect(response.body.toString()).toBe('hello');
    expect(response.fields['content-length']).toBe('5');
  });

  test.each([null, 4 * MIB])('that is longer goes out as it comes; announced length: %p', async (length) => {
    const part = pattern(MIB / 4);
    const response = await ask((exchange) => {
      void writeAll(exchange.respondStream(headOf(200), length), Array<Uint8Array>(16).fill(part));
    });
    expect(response.isWhole).toBe(true);
    expect(response.body.equals(Buffer.concat(Array<Uint8Array>(16).fill(part)))).toBe(true);
  });

  test('does not stall when all its parts come in one turn', async () => {
    const part = pattern(50_000);
    const response = await ask((exchange) => {
      const sink = exchange.respondStream(headOf(200), null);
      for (let i = 0; i < 200; i++) void sink.write(part);
      void sink.end();
    });
    expect(response.isWhole).toBe(true);
    expect(response.body.length).toBe(200 * 50_000);
  });

  test('shows what has come of it while the rest is awaited', async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    answer = async (exchange) => {
      const sink = exchange.respondStream(headOf(200), null);
      await sink.write(Buffer.from('data: 1\n\n'));
      await goOn;
      await sink.write(Buffer.from('data: 2\n\n'));
      await sink.end();
    };
    const stream = await client.open(client.fieldsOf('/'));
    expect((await stream.read())?.toString()).toBe('data: 1\n\n');
    resolve();
    expect((await stream.response()).body.toString()).toBe('data: 2\n\n');
  });

  test('that breaks within the bound is a 502, not a short 200', async () => {
    const response = await ask((exchange) => {
      const sink = exchange.respondStream(headOf(200), 1000);
      void sink.write(pattern(999)).then(() => sink.abort('the origin broke off'));
    });
    expect(response.status).toBe(502);
    expect(response.fields['cache-control']).toBe('no-store');
  });

  test('that is not as long as announced is a 502', async () => {
    for (const [length, parts] of [
      [1000, [pattern(999)]],
      [1000, [pattern(500), pattern(501)]],
    ] as const) {
      const response = await ask((exchange) => {
        writeAll(exchange.respondStream(headOf(200), length), parts).catch(() => {});
      });
      expect(response.status).toBe(502);
    }
  });

  test('that breaks beyond the bound never ends, until the connection does', async () => {
    const isRead = Promise.withResolvers<void>();
    await using own = await startTestHttp3Listener(
      (exchange) => {
        const sink = exchange.respondStream(headOf(200), null);
        // What was written may be on its way still: the renewal that follows would cut it off.
        Promise.all([sink.write(LARGE), isRead.promise]).then(
          () => sink.abort('the origin broke off'),
          () => {},
        );
      },
      { limits: { tickMs: 500, forcedRenewalIntervalMs: 100 } },
    );
    const reader = await own.connect();
    const { session } = reader;
    const stream = await reader.open(reader.fieldsOf('/'));
    let bytes = 0;
    while (bytes < LARGE.length) {
      const part = await stream.read();
      if (part === null) throw new Error(`it ended after ${bytes} bytes`);
      bytes += part.length;
    }
    isRead.resolve();
    let isEnded = false;
    const last = stream.read().finally(() => {
      isEnded = true;
    });
    await until(
      'it is known to be broken',
      () => own.listener.statistics().refusals['response-unfinished'] === 1,
    );
    // On a busy machine the renewal may have come before we looked.
    if (own.listener.statistics().renewals === 0) expect(isEnded).toBe(false);
    // With nothing else under way its client gets an error: every connection is closed.
    await until('the listener is renewed', () => own.listener.statistics().renewals > 0);
    await session.closed.catch(() => {});
    await last.catch(() => {});
    expect(own.listener.statistics()).toMatchObject({ unfinished: 0, pending: 0 });
    await using next = await own.connect();
    expect((await (await next.open(next.fieldsOf('/'))).head())[':status']).toBe('200');
  });
});

describe('a client that', () => {
  test.each(['cancels', 'closes the connection'])(
    '%s is known to be gone, and what writes to it fails',
    async (how) => {
      const { promise: gone, resolve } = Promise.withResolvers<void>();
      const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
      let seen: Exchange | null = null;
      answer = async (exchange) => {
        seen = exchange;
        exchange.onGone(resolve);
        const sink = exchange.respondStream(headOf(200), null);
        try {
          for (;;) await sink.write(LARGE.subarray(0, 65_536));
        } catch (error) {
          fail(error);
        }
      };
      const leaving = await listener.connect();
      const stream = await leaving.open(leaving.fieldsOf('/'));
      await stream.read();
      if (how === 'cancels') stream.cancel();
      else await leaving[Symbol.asyncDispose]();
      await gone;
      expect(String(await failed)).toContain('the client is gone');
      expect((seen as Exchange | null)?.isGone).toBe(true);
      await leaving[Symbol.asyncDispose]();
    },
  );

  test('leaves before the answer is known to be gone', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    answer = (exchange) => {
      exchange.onGone(resolve);
      begin();
    };
    const stream = await client.open(client.fieldsOf('/'));
    await begun;
    stream.cancel();
    await gone;
  });
});

test('what the handler throws is a 500, and the next request is served', async () => {
  const failed = await ask(() => {
    throw new Error('a mistake');
  });
  expect(failed.status).toBe(500);
  const aborted = await ask((exchange) => exchange.abort('a mistake'));
  expect(aborted.status).toBe(500);
  expect((await ask((exchange) => exchange.respondWhole(headOf(200), Buffer.from('x')))).status).toBe(200);
});

test('interim responses are left out', async () => {
  const response = await ask((exchange) => {
    exchange.inform(103, Fields.of([['Link', '</a.css>; rel=preload']]));
    exchange.respondWhole(headOf(200), Buffer.from('x'));
  });
  expect(response.status).toBe(200);
});

test('a request over the bound of requests at a time is told so', async () => {
  await using busy = await startTestHttp3Listener(() => {}, { limits: { exchangesMax: 2 } });
  await using own = await busy.connect();
  for (let i = 0; i < 2; i++) await own.open(own.fieldsOf('/'));
  await until('two are under way', () => busy.listener.statistics().pending === 2);
  const { status } = await own.request('/');
  expect(status).toBe(503);
  expect(busy.listener.statistics().refusals).toEqual({ 'exchanges-max': 1 });
});

test('the defaults: 1 MiB is gathered, for 100 ms where the length is not known', () => {
  expect(HTTP3_LIMITS).toMatchObject({ gatheredBytesMax: MIB, gatherMs: 100 });
});
