import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { BodySink, Exchange, ResponseHead } from '#edge/exchange.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { createBarrier } from '../../support/scripted-origin.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';
import { pattern } from './pattern.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
const GET_CLOSE = 'GET /last HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n';
const GET_10 = 'GET / HTTP/1.0\r\nHost: example.com\r\n\r\n';

function head(status: number, ...lines: [string, string][]): ResponseHead {
  return { status, reason: '', fields: Fields.of(lines) };
}

async function writeAll(sink: BodySink, ...parts: string[]): Promise<void> {
  for (const part of parts) await sink.write(Buffer.from(part));
  await sink.end();
}

describe('framing', () => {
  test('a whole body carries its length, a Date, and leaves the connection open', async () => {
    await using listener = await startTestListener((x) =>
      x.respondWhole(head(200, ['A', 'b']), Buffer.from('hi')),
    );
    const client = await openRawClient(listener.http);
    for (let i = 0; i < 3; i += 1) {
      client.write(GET);
      const response = await client.readResponse();
      expect([response.status, response.reason, response.text]).toEqual([200, 'OK', 'hi']);
      expect(response.field('content-length')).toBe('2');
      expect(response.field('a')).toBe('b');
      expect(Math.abs(Date.parse(response.field('date') ?? '') - Date.now())).toBeLessThan(60_000);
      expect(response.field('connection')).toBeNull();
    }
    client.destroy();
  });

  test('a Date of the response is kept, in whole and in prepared heads', async () => {
    const date = 'Tue, 15 Nov 1994 08:12:31 GMT';
    await using listener = await startTestListener((x) => {
      if (x.id === 1) x.respondWhole(head(200, ['date', date]), null);
      else if (x.id === 2)
        x.respondPrepared({ status: 200, reason: '', lines: `date: ${date}\r\n` }, '', null, 0);
      else x.respondPrepared({ status: 200, reason: '', lines: 'X-Date: no\r\n' }, 'Age: 7\r\n', null, 0);
    });
    const client = await openRawClient(listener.http);
    client.write(GET + GET + GET);
    expect((await client.readResponse()).field('date')).toBe(date);
    expect((await client.readResponse()).field('date')).toBe(date);
    const third = await client.readResponse();
    expect(third.field('date')).toMatch(/ GMT$/);
    expect(third.field('age')).toBe('7');
    client.destroy();
  });

  test('HEAD keeps the length and has no body, in all forms', async () => {
    const prepared = { status: 200, reason: '', lines: 'Date: x\r\n' };
    const answers: ((x: Exchange) => void)[] = [
      (x) => x.respondWhole(head(200), Buffer.from('hello')),
      (x) => x.respondWhole(head(200), null, 5),
      (x) => x.respondWhole(head(200, ['Content-Length', '5']), null),
      (x) => x.respondPrepared(prepared, '', Buffer.from('hello'), 5),
      (x) => x.respondPrepared(prepared, '', null, 5),
      (x) => void writeAll(x.respondStream(head(200), 5), 'hello'),
      (x) => void writeAll(x.respondStream(head(200, ['Content-Length', '5']), null), 'hel', 'lo'),
    ];
    await using listener = await startTestListener((x) => (answers[x.id - 1] as (x: Exchange) => void)(x));
    const client = await openRawClient(listener.http);
    for (const _ of answers) {
      client.write(HEAD);
      const response = await client.readResponse('HEAD');
      expect([response.status, response.field('content-length')]).toEqual([200, '5']);
    }
    client.destroy();
  });

  test('205 has no body and says so', async () => {
    const answers: ((x: Exchange) => void)[] = [
      (x) => x.respondWhole(head(205), Buffer.from('never')),
      (x) => x.respondPrepared({ status: 205, reason: '', lines: '' }, '', Buffer.from('never'), 5),
      (x) => void writeAll(x.respondStream(head(205), null), 'never'),
      (x) => void writeAll(x.respondStream(head(205), 5), 'never'),
    ];
    await using listener = await startTestListener((x) => (answers[x.id - 1] as (x: Exchange) => void)(x));
    const client = await openRawClient(listener.http);
    client.write(GET.repeat(answers.length));
    for (const _ of answers) {
      const response = await client.readResponse();
      expect([
        response.status,
        response.field('content-length'),
        response.field('transfer-encoding'),
      ]).toEqual([205, '0', null]);
    }
    client.destroy();
  });

  test('204 and 304 have neither body nor length', async () => {
    await using listener = await startTestListener((x) => {
      const status = x.id % 2 === 0 ? 204 : 304;
      if (x.id <= 2) x.respondWhole(head(status, ['ETag', '"a"']), Buffer.from('never'));
      else if (x.id <= 4)
        x.respondPrepared({ status, reason: '', lines: 'ETag: "a"\r\n' }, '', Buffer.from('never'), 5);
      else void writeAll(x.respondStream(head(status, ['ETag', '"a"']), null), 'never');
    });
    const client = await openRawClient(listener.http);
    client.write(GET.repeat(6));
    for (let i = 1; i <= 6; i += 1) {
      const response = await client.readResponse();
      expect(response.status).toBe(i % 2 === 0 ? 204 : 304);
      expect(response.field('content-length')).toBeNull();
      expect(response.field('transfer-encoding')).toBeNull();
      expect(response.field('etag')).toBe('"a"');
    }
    client.destroy();
  });

  test('a stream of known length, of unknown length with trailers, and an empty one', async () => {
    await using listener = await startTestListener((x) => {
      if (x.id === 1) void writeAll(x.respondStream(head(200), 5), 'he', '', 'llo');
      else if (x.id === 2) {
        const sink = x.respondStream(head(200), null);
        void sink.write(Buffer.from('hello')).then(() => sink.end(Fields.of([['Digest', 'x']])));
      } else void x.respondStream(head(200), x.id === 3 ? null : 0).end();
    });
    const client = await openRawClient(listener.http);
    client.write(GET.repeat(4));
    const known = await client.readResponse();
    expect([known.field('content-length'), known.text]).toEqual(['5', 'hello']);
    const unknown = await client.readResponse();
    expect([unknown.field('transfer-encoding'), unknown.field('content-length'), unknown.text]).toEqual([
      'chunked',
      null,
      'hello',
    ]);
    expect(unknown.trailers).toEqual([['digest', 'x']]);
    expect((await client.readResponse()).text).toBe('');
    expect((await client.readResponse()).field('content-length')).toBe('0');
    client.destroy();
  });

  test('HTTP/1.0 gets a body of unknown length until the connection ends', async () => {
    await using listener = await startTestListener(
      (x) => void writeAll(x.respondStream(head(200), null), 'he', 'llo'),
    );
    const client = await openRawClient(listener.http);
    client.write(GET_10.replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n'));
    const response = await client.readResponse();
    expect([response.field('transfer-encoding'), response.field('connection'), response.text]).toEqual([
      null,
      'close',
      'hello',
    ]);
    await client.closed;
  });

  test('HTTP/1.0 closes unless the client asks to persist', async () => {
    await using listener = await startTestListener((x) => x.respondWhole(head(200), Buffer.from('hi')));
    const closing = await openRawClient(listener.http);
    closing.write(GET_10);
    expect((await closing.readResponse()).field('connection')).toBe('close');
    await closing.closed;
    const persisting = await openRawClient(listener.http);
    for (let i = 0; i < 2; i += 1) {
      persisting.write(GET_10.replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n'));
      expect((await persisting.readResponse()).field('connection')).toBe('keep-alive');
    }
    persisting.destroy();
  });

  test('the framing fields of a head never reach the wire, nor does what would split the response', async () => {
    const hostile = head(
      200,
      ['Content-Length', '99'],
      ['Transfer-Encoding', 'chunked'],
      ['Connection', 'close'],
      ['Keep-Alive', 'timeout=5'],
      ['X-Split', 'a\r\nSet-Cookie: evil=1'],
      ['X-Line-Feed', 'a\nb'],
      ['X-Nul', 'a\0b'],
      ['X-Wide', 'a\u010ab'],
      ['X Space', 'a'],
      ['X-Colon:', 'a'],
      ['', 'a'],
      ['X-Good', 'g\xe9'],
    );
    await using listener = await startTestListener((x) =>
      x.respondWhole({ ...hostile, reason: 'OK\r\nX: y' }, Buffer.from('hi')),
    );
    const client = await openRawClient(listener.http);
    client.write(GET);
    const response = await client.readResponse();
    expect(response.reason).toBe('OK');
    expect(response.fields.map(([name]) => name)).toEqual(['x-good', 'date', 'content-length']);
    expect([response.field('x-good'), response.text]).toEqual(['g\xe9', 'hi']);
    client.destroy();
  });
});

describe('order', () => {
  test('pipelined requests are handed over one by one and answered in order', async () => {
    const waiting: Exchange[] = [];
    await using listener = await startTestListener((x) => void waiting.push(x));
    const client = await openRawClient(listener.http);
    client.write(Array.from({ length: 20 }, (_, i) => GET.replace('/ ', `/${i} `)).join(''));
    for (let i = 0; i < 20; i += 1) {
      await until('the next request arrives', () => waiting.length > i);
      expect(waiting.length).toBe(i + 1);
      const exchange = waiting[i] as Exchange;
      if (i % 3 === 0) void writeAll(exchange.respondStream(head(200), null), exchange.request.target);
      else exchange.respondWhole(head(200), Buffer.from(exchange.request.target));
      expect((await client.readResponse()).text).toBe(`/${i}`);
    }
    client.destroy();
  });

  test('a client that sends thousands of requests at once gets as many answers, also when it reads late', async () => {
    const bodies = Array.from({ length: 16 }, (_, i) => pattern(3000, i + 1));
    await using listener = await startTestListener((x) => {
      const body = bodies[Number(x.request.target.slice(1)) % 16] as Uint8Array;
      x.respondPrepared({ status: 200, reason: '', lines: 'Date: x\r\n' }, '', body, body.length);
    });
    const client = await openRawClient(listener.http);
    client.stopReading();
    const count = 4000;
    client.write(Array.from({ length: count }, (_, i) => GET.replace('/ ', `/${i} `)).join(''));
    client.write(GET_CLOSE.replace('/last', '/0'));
    await until('the listener has begun', () => listener.listeners.statistics().exchanges > 100);
    client.startReading();
    for (let i = 0; i <= count; i += 1) {
      const response = await client.readResponse();
      if (!response.body.equals(bodies[i === count ? 0 : i % 16] as Uint8Array))
        throw new Error(`response ${i} is mixed up`);
    }
    await client.closed;
    expect(listener.listeners.statistics().exchanges).toBe(count + 1);
  }, 30_000);

  test('requests before a half-close are answered', async () => {
    const barrier = createBarrier();
    await using listener = await startTestListener(
      (x) => void barrier.opened.then(() => x.respondWhole(head(200), Buffer.from(x.request.target))),
    );
    const client = await openRawClient(listener.http);
    client.write(GET + GET.replace('/ ', '/2 '));
    client.end();
    await until('the first is being answered', () => listener.listeners.statistics().exchanges === 1);
    barrier.open();
    expect((await client.readResponse()).text).toBe('/');
    // Whether the last answer says `Connection: close` depends on whether the end was seen before it.
    expect((await client.readResponse()).text).toBe('/2');
    await client.closed;
  });
});

describe('interim responses', () => {
  test('go out before the final one, and not to HTTP/1.0', async () => {
    await using listener = await startTestListener((x) => {
      x.inform(
        103,
        Fields.of([
          ['Link', '</a>'],
          ['Bad', 'x\ny'],
        ]),
      );
      x.inform(102, new Fields());
      x.inform(101, new Fields());
      x.inform(200, new Fields());
      x.respondWhole(head(200), Buffer.from('hi'));
      x.inform(103, new Fields());
    });
    const client = await openRawClient(listener.http);
    client.write(GET);
    const hints = await client.readResponse();
    expect([hints.status, hints.reason, hints.fields]).toEqual([103, 'Early Hints', [['link', '</a>']]]);
    expect((await client.readResponse()).status).toBe(102);
    expect((await client.readResponse()).text).toBe('hi');
    client.write(GET_10);
    expect((await client.readResponse()).text).toBe('hi');
    expect((await client.readToEnd()).length).toBe(0);
  });
});

describe('a body that is not what was announced cuts the connection', () => {
  const faults: [string, number | null, (sink: BodySink) => Promise<void>][] = [
    ['too long', 3, (sink) => sink.write(Buffer.from('hello'))],
    [
      'too short',
      9,
      async (sink) => {
        await sink.write(Buffer.from('hello'));
        await sink.end();
      },
    ],
    [
      'aborted with a length',
      9,
      async (sink) => {
        await sink.write(Buffer.from('hello'));
        sink.abort('origin gone');
      },
    ],
    [
      'aborted in chunks',
      null,
      async (sink) => {
        await sink.write(Buffer.from('hello'));
        sink.abort('origin gone');
      },
    ],
    ['aborted at once', null, async (sink) => sink.abort('origin gone')],
  ];
  for (const [name, length, act] of faults) {
    test(name, async () => {
      let rejected = 0;
      await using listener = await startTestListener((x) => {
        const sink = x.respondStream(head(200), length);
        act(sink)
          .catch(() => {})
          .then(() => sink.write(Buffer.from('more')))
          .catch(() => {
            rejected += 1;
          });
      });
      const client = await openRawClient(listener.http);
      client.write(GET + GET);
      // The head itself may be lost with the connection.
      const response = await client.readResponse().catch(() => null);
      expect(response?.isComplete ?? false).toBe(false);
      await client.closed;
      expect(rejected).toBe(1);
      expect(listener.listeners.statistics().exchanges).toBe(1);
    });
  }

  test('HTTP/1.0 sees a reset, not an end', async () => {
    await using listener = await startTestListener((x) => {
      const sink = x.respondStream(head(200), null);
      void sink.write(Buffer.from('hello')).then(() => sink.abort('origin gone'));
    });
    const client = await openRawClient(listener.http);
    let code: string | undefined;
    client.socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    client.write(GET_10);
    await client.closed;
    expect(code).toBe('ECONNRESET');
  });

  test('abort answers nothing', async () => {
    let goneCalls = 0;
    await using listener = await startTestListener((x) => {
      x.onGone(() => {
        goneCalls += 1;
      });
      x.abort('refused');
    });
    const client = await openRawClient(listener.http);
    client.write(GET);
    expect((await client.readToEnd()).length).toBe(0);
    expect(goneCalls).toBe(0);
  });

  test('a handler that throws costs its own connection alone', async () => {
    await using listener = await startTestListener((x) => {
      if (x.request.target === '/bad') throw new Error('a mistake');
      x.respondWhole(head(200), null);
    });
    const good = await openRawClient(listener.http);
    const bad = await openRawClient(listener.http);
    bad.write(GET.replace('/ ', '/bad '));
    expect((await bad.readToEnd()).length).toBe(0);
    good.write(GET);
    expect((await good.readResponse()).status).toBe(200);
    good.destroy();
  });
});
