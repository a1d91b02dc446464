import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fields } from '#core/http/fields.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import type { Exchange } from '#edge/exchange.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const NEXT = 'GET /next HTTP/1.1\r\nHost: example.com\r\n\r\n';

function post(lines: string, version = '1.1'): string {
  return `POST / HTTP/${version}\r\nHost: example.com\r\n${lines}\r\n`;
}

function answer(exchange: Exchange, status: number, text: string): void {
  exchange.respondWhole({ status, reason: '', fields: new Fields() }, Buffer.from(text, 'latin1'));
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = exchange.body === null ? null : await exchange.body.read();
    if (part === null) return Buffer.concat(parts);
    parts.push(part);
  }
}

/** Answers with the body, or with the fault that reading it met. */
async function echo(exchange: Exchange): Promise<void> {
  try {
    answer(exchange, 200, (await readBody(exchange)).toString('latin1'));
  } catch (error) {
    if (!(error instanceof RequestBodyFault)) throw error;
    answer(exchange, error.status, error.fault);
  }
}

describe('reading', () => {
  test('the announced length, the parts, the end, the trailers', async () => {
    const seen: unknown[] = [];
    await using listener = await startTestListener((x) => {
      void readBody(x).then((body) => {
        seen.push([x.body?.length ?? null, body.toString(), [...(x.body?.trailers() ?? [])]]);
        answer(x, 200, '');
      });
    });
    const client = await openRawClient(listener.http);
    client.write(`${post('Content-Length: 5\r\n')}hello${post('Transfer-Encoding: chunked\r\n')}`);
    client.write('5\r\nhello\r\n6\r\n world\r\n0\r\nDigest: x\r\n\r\n');
    client.write(NEXT);
    for (let i = 0; i < 3; i += 1) await client.readResponse();
    expect(seen).toEqual([
      [5, 'hello', []],
      [null, 'hello world', [['Digest', 'x']]],
      [null, '', []],
    ]);
    client.destroy();
  });

  test('a body of many one-byte chunks arrives whole', async () => {
    await using listener = await startTestListener((x) => void echo(x));
    const client = await openRawClient(listener.http);
    const count = 50_000;
    client.write(`${post('Transfer-Encoding: chunked\r\n')}${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`);
    expect((await client.readResponse()).body.length).toBe(count);
    client.destroy();
  });

  test('the response may come before the body is whole, and both go on', async () => {
    await using listener = await startTestListener((x) => {
      const sink = x.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
      const copy = async () => {
        for (;;) {
          const part = await x.body?.read();
          if (!part) return sink.end();
          await sink.write(part);
        }
      };
      void copy();
    });
    const client = await openRawClient(listener.http);
    client.write(post('Content-Length: 10\r\n'));
    await client.readHead();
    client.write('hello');
    expect((await client.readBytes(10)).toString()).toBe('5\r\nhello\r\n');
    client.write(`world${NEXT}`);
    expect((await client.readBytes(15)).toString()).toBe('5\r\nworld\r\n0\r\n\r\n');
    await client.readHead();
    client.destroy();
  });

  test('a road that does not read makes the client wait; what it sent arrives later', async () => {
    let exchange: Exchange | undefined;
    await using listener = await startTestListener((x) => {
      exchange = x;
    });
    const client = await openRawClient(listener.http);
    const part = Buffer.alloc(1_000_000, 'x');
    const parts = 60;
    client.write(post(`Content-Length: ${part.length * parts}\r\n`));
    const sent = createHash('sha256');
    let sentParts = 0;
    const send = async () => {
      for (; sentParts < parts; sentParts += 1) {
        sent.update(part);
        await new Promise<void>((resolve) => client.socket.write(part, () => resolve()));
      }
    };
    const sending = send();
    let seen = -1;
    let still = 0;
    await until('the client waits', () => {
      still = exchange !== undefined && sentParts === seen ? still + 1 : 0;
      seen = sentParts;
      return still > 20;
    });
    expect(sentParts).toBeLessThan(40);
    const received = createHash('sha256');
    let bytes = 0;
    for (;;) {
      const read = await exchange?.body?.read();
      if (!read) break;
      bytes += read.length;
      received.update(read);
    }
    await sending;
    expect(bytes).toBe(part.length * parts);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    answer(exchange as Exchange, 200, '');
    expect((await client.readResponse()).status).toBe(200);
    client.destroy();
  }, 60_000);
});

describe('Expect: 100-continue', () => {
  const HEAD = post('Expect: 100-continue\r\nContent-Length: 5\r\n');

  test('is answered at the first read', async () => {
    const exchanges: Exchange[] = [];
    await using listener = await startTestListener((x) => void exchanges.push(x));
    const client = await openRawClient(listener.http);
    client.write(HEAD);
    await until('the head arrives', () => exchanges.length === 1);
    expect(client.receivedBytes).toBe(0);
    void echo(exchanges[0] as Exchange);
    expect((await client.readResponse()).status).toBe(100);
    client.write('hello');
    expect((await client.readResponse()).text).toBe('hello');
    client.write(NEXT);
    await until('the connection is used again', () => exchanges.length === 2);
    client.destroy();
  });

  test('unread: the final answer comes at once and the connection closes, for nobody knows what follows', async () => {
    await using listener = await startTestListener((x) => answer(x, 403, 'no'));
    const client = await openRawClient(listener.http);
    client.write(HEAD);
    const response = await client.readResponse();
    expect([response.status, response.field('connection')]).toEqual([403, 'close']);
    client.write(`hello${NEXT}`);
    expect((await client.readToEnd()).length).toBe(0);
    expect(listener.listeners.statistics().exchanges).toBe(1);
  });

  test('a client that does not wait is not told to go on once its body is there', async () => {
    await using listener = await startTestListener((x) => void echo(x));
    const client = await openRawClient(listener.http);
    client.write(`${HEAD}hello`);
    expect((await client.readResponse()).text).toBe('hello');
    client.destroy();
  });
});

describe('Expect in every combination', () => {
  const chunks = 'Transfer-Encoding: chunked\r\n';
  /** Request, whether a 100 comes at the first read, and the body sent after it. */
  const combinations: [string, string, boolean, string][] = [
    ['known length', post('Expect: 100-continue\r\nContent-Length: 2\r\n'), true, 'hi'],
    ['chunked', post(`Expect: 100-continue\r\n${chunks}`), true, '2\r\nhi\r\n0\r\n\r\n'],
    ['any case', post('eXPECT: 100-Continue\r\nContent-Length: 2\r\n'), true, 'hi'],
    ['said twice', post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n'), true, 'hi'],
    ['no body', post('Expect: 100-continue\r\n'), false, ''],
    ['an empty body', post('Expect: 100-continue\r\nContent-Length: 0\r\n'), false, ''],
    ['HTTP/1.0', post('Expect: 100-continue\r\nContent-Length: 2\r\n', '1.0'), false, 'hi'],
    ['not said', post('Content-Length: 2\r\n'), false, 'hi'],
  ];
  test.each(combinations)('%s', async (_, head, continues, body) => {
    await using listener = await startTestListener((x) => void echo(x));
    const client = await openRawClient(listener.http);
    client.write(head);
    if (continues) expect((await client.readResponse()).status).toBe(100);
    client.write(body);
    expect((await client.readResponse()).text).toBe(body === '' ? '' : 'hi');
    client.destroy();
  });

  test('a 100 comes once, however often the body is read', async () => {
    await using listener = await startTestListener((x) => void echo(x));
    const client = await openRawClient(listener.http);
    client.write(post('Expect: 100-continue\r\nContent-Length: 6\r\n'));
    expect((await client.readResponse()).status).toBe(100);
    for (const part of ['he', 'll', 'o!']) {
      client.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.readResponse()).text).toBe('hello!');
    client.destroy();
  });

  test('none comes once the final response has begun, and none to whom it was refused', async () => {
    await using listener = await startTestListener((x) => {
      if (x.request.target === '/') {
        const sink = x.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
        void readBody(x).then(async (body) => {
          await sink.write(body);
          await sink.end();
        });
      } else answer(x, 401, 'no');
    });
    const begun = await openRawClient(listener.http);
    begun.write(post('Expect: 100-continue\r\nContent-Length: 2\r\n'));
    expect((await begun.readHead()).status).toBe(200);
    begun.write('hi');
    expect((await begun.readBytes(12)).toString()).toBe('2\r\nhi\r\n0\r\n\r\n');
    begun.destroy();
    const refused = await openRawClient(listener.http);
    refused.write(post('Expect: 100-continue\r\nContent-Length: 2\r\n').replace('/ ', '/no '));
    expect((await refused.readResponse()).status).toBe(401);
    expect((await refused.readToEnd()).length).toBe(0);
  });
});

describe('unread bodies', () => {
  test('a small one is dropped and the connection used again', async () => {
    await using listener = await startTestListener((x) => answer(x, 200, x.request.target));
    const client = await openRawClient(listener.http);
    client.write(post('Content-Length: 100000\r\n'));
    const first = await client.readResponse();
    expect([first.text, first.field('connection')]).toEqual(['/', null]);
    client.write('x'.repeat(100_000) + NEXT);
    expect((await client.readResponse()).text).toBe('/next');
    client.write(`${post('Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n`);
    expect((await client.readResponse()).text).toBe('/');
    client.write(`0\r\n\r\n${NEXT}`);
    expect((await client.readResponse()).text).toBe('/next');
    client.destroy();
  });

  test('a large one is not worth it: the response says close, and arrives although the client goes on sending', async () => {
    await using listener = await startTestListener((x) => answer(x, 200, x.request.target));
    const client = await openRawClient(listener.http);
    client.write(post('Content-Length: 8000000\r\n'));
    client.write('x'.repeat(8_000_000) + NEXT);
    const response = await client.readResponse();
    expect([response.text, response.field('connection')]).toEqual(['/', 'close']);
    expect((await client.readToEnd()).length).toBe(0);
    expect(listener.listeners.statistics().exchanges).toBe(1);
  });

  test('an endless chunked one ends the connection', async () => {
    await using listener = await startTestListener((x) => answer(x, 200, ''), { lingerMs: 100, tickMs: 20 });
    const client = await openRawClient(listener.http);
    client.write(post('Transfer-Encoding: chunked\r\n'));
    expect((await client.readResponse()).status).toBe(200);
    const chunk = `2710\r\n${'x'.repeat(10_000)}\r\n`;
    let isClosed = false;
    void client.closed.then(() => {
      isClosed = true;
    });
    await until('the listener has enough', () => {
      if (!isClosed) client.write(chunk);
      return isClosed;
    });
    expect(listener.listeners.statistics().exchanges).toBe(1);
  });

  test('a cancelled one is refused to later reads', async () => {
    let failure: unknown;
    await using listener = await startTestListener((x) => {
      const { body } = x;
      void body?.read().then((part) => {
        expect(Buffer.from(part ?? []).toString()).toBe('hel');
        const pending = body.read();
        body.cancel('not wanted');
        body.cancel('twice');
        pending.catch((error: unknown) => {
          failure = error;
          answer(x, 200, '');
        });
      });
    });
    const client = await openRawClient(listener.http);
    client.write(`${post('Content-Length: 5\r\n')}hel`);
    expect((await client.readResponse()).status).toBe(200);
    expect((failure as RequestBodyFault).fault).toBe('body-cancelled');
    client.destroy();
  });

  test('a malformed one does not stop the answer, but nothing behind it is a request', async () => {
    await using listener = await startTestListener((x) => answer(x, 200, x.request.target));
    const client = await openRawClient(listener.http);
    client.write(`${post('Transfer-Encoding: chunked\r\n')}zz\r\n${NEXT}`);
    const response = await client.readResponse();
    expect([response.text, response.field('connection')]).toEqual(['/', 'close']);
    expect((await client.readToEnd()).length).toBe(0);
    expect(listener.listeners.statistics().refusals).toEqual({ 'chunk-size-invalid': 1 });
  });
});

describe('bodies that do not arrive whole', () => {
  for (const [name, lines] of [
    ['length', 'Content-Length: 10\r\n'],
    ['chunks', 'Transfer-Encoding: chunked\r\n'],
  ] as const) {
    test(`a half-close in a body of known ${name} fails the read, and the answer still goes out`, async () => {
      await using listener = await startTestListener((x) => void echo(x));
      const client = await openRawClient(listener.http);
      client.write(`${post(lines)}5\r\nhe`);
      client.end();
      const response = await client.readResponse();
      expect([response.status, response.text, response.field('connection')]).toEqual([
        400,
        'body-incomplete',
        'close',
      ]);
    });
  }

  test('a reset fails the read', async () => {
    let failure: unknown;
    let hasBegun = false;
    await using listener = await startTestListener((x) => {
      hasBegun = true;
      readBody(x).catch((error: unknown) => {
        failure = error;
      });
    });
    const client = await openRawClient(listener.http);
    client.write(`${post('Content-Length: 10\r\n')}hello`);
    await until('the request arrives', () => hasBegun);
    client.reset();
    await until('the read fails', () => failure !== undefined);
    expect((failure as RequestBodyFault).fault).toBe('body-incomplete');
  });

  test('a trickle below the pace is cut off: 408', async () => {
    await using listener = await startTestListener((x) => void echo(x), { bodyProgressMs: 300, tickMs: 50 });
    const client = await openRawClient(listener.http);
    client.write(post('Content-Length: 1000\r\n'));
    const trickle = setInterval(() => client.write('x'), 20);
    const response = await client.readResponse();
    clearInterval(trickle);
    expect([response.status, response.text, response.field('connection')]).toEqual([
      408,
      'body-too-slow',
      'close',
    ]);
    expect(listener.listeners.statistics().refusals).toEqual({ 'body-too-slow': 1 });
    client.destroy();
  });

  test('a slow upload at a fair pace is not cut off, and neither is one the road keeps waiting', async () => {
    const limits = { bodyProgressMs: 200, bodyProgressBytesMin: 100, headMs: 200, idleMs: 200, tickMs: 20 };
    const waiting: Exchange[] = [];
    await using listener = await startTestListener((x) => {
      if (waiting.length === 0) void echo(x);
      waiting.push(x);
    }, limits);
    const client = await openRawClient(listener.http);
    client.write(post('Content-Length: 10000\r\n'));
    let sent = 0;
    const upload = setInterval(() => {
      client.write('x'.repeat(Math.min(200, 10_000 - sent)));
      sent += 200;
      if (sent >= 10_000) clearInterval(upload);
    }, 10);
    expect((await client.readResponse()).body.length).toBe(10_000);
    client.write(`${post('Content-Length: 5\r\n')}he`);
    await until('the second arrives', () => waiting.length === 2);
    // Several of all intervals go by.
    await until('time passes', async () => {
      await sleep(700);
      return true;
    });
    void echo(waiting[1] as Exchange);
    client.write('llo');
    expect((await client.readResponse()).text).toBe('hello');
    client.destroy();
  });
});
