/**
 * Clients that are slow on purpose, many at a time: in heads, in bodies, in reading, or silent altogether. Each wait has
 * an end, what is held meanwhile has a bound, and whoever behaves is served all along.
 */
import { afterEach, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import type { Exchange } from '#edge/exchange.ts';
import { openRawClient, type RawClient } from '../../support/raw-client.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const GET = 'GET /good HTTP/1.1\r\nHost: example.com\r\n\r\n';
const POST = 'POST /slow HTTP/1.1\r\nHost: example.com\r\n';
const BEGUN = 'GET /slow HTTP/1.1\r\nHost: example.com\r\n';
const LARGE = new Uint8Array(64 * 1024 * 1024);
const MIB = 1024 * 1024;

/** Deadlines of a few ticks; a trickle comes more often than they pass. */
const LIMITS = {
  tickMs: 20,
  headMs: 400,
  idleMs: 60_000,
  bodyProgressMs: 400,
  bodyProgressBytesMin: 200,
  writeProgressMs: 400,
  lingerMs: 200,
};

async function answer(x: Exchange): Promise<void> {
  const respond = (status: number, text: string) =>
    x.respondWhole({ status, reason: '', fields: new Fields() }, Buffer.from(text));
  if (x.request.target === '/large' || x.request.target === '/medium') {
    const body = x.request.target === '/large' ? LARGE : LARGE.subarray(0, 100_000);
    x.respondPrepared({ status: 200, reason: '', lines: 'Date: x\r\n' }, '', body, body.length);
    return;
  }
  try {
    for (;;) {
      const part = x.body === null ? null : await x.body.read();
      if (part === null) break;
    }
    respond(200, 'good');
  } catch (error) {
    if (!(error instanceof RequestBodyFault)) throw error;
    respond(error.status, error.fault);
  }
}

const opened: RawClient[] = [];
afterEach(() => {
  for (const client of opened.splice(0)) client.destroy();
});

async function connect(listener: TestListener): Promise<RawClient> {
  const client = await openRawClient(listener.http);
  opened.push(client);
  return client;
}

function connectMany(listener: TestListener, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => connect(listener)));
}

/** Writes to each client again and again until all are done with; a client who behaves is served meanwhile. */
async function whileServed<T>(
  listener: TestListener,
  all: Promise<T>,
  trickle: (i: number) => void,
): Promise<{ result: T; served: number }> {
  const good = await connect(listener);
  let isOver = false;
  let sent = 0;
  let served = 0;
  const timer = setInterval(() => trickle(sent++), 20);
  const serving = (async () => {
    while (!isOver || served === 0) {
      good.write(GET);
      expect((await good.readResponse()).text).toBe('good');
      served += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const result = await all.finally(() => {
    isOver = true;
    clearInterval(timer);
  });
  await serving;
  good.destroy();
  return { result, served };
}

async function untilLetGo(listener: TestListener): Promise<void> {
  await until('all are let go', () => listener.listeners.statistics().http?.open === 0);
}

/** What is answered to each. */
function statusesOf(clients: readonly RawClient[]): Promise<number[]> {
  return Promise.all(clients.map(async (client) => (await client.readResponse()).status));
}

describe('two hundred clients at a time', () => {
  const COUNT = 200;

  test('trickle heads: each gets 408, in its time', async () => {
    await using listener = await startTestListener((x) => void answer(x), LIMITS);
    const clients = await connectMany(listener, COUNT);
    for (const client of clients) client.write(`${BEGUN}X: `);
    const { result, served } = await whileServed(listener, statusesOf(clients), () => {
      for (const client of clients) client.write('x');
    });
    expect(result).toEqual(Array<number>(COUNT).fill(408));
    expect(served).toBeGreaterThan(0);
    expect(listener.listeners.statistics().refusals['head-too-slow']).toBe(COUNT);
    await untilLetGo(listener);
  }, 60_000);

  const bodies: [string, string, (i: number) => string][] = [
    ['a body', `${POST}Content-Length: 100000\r\n\r\n`, () => 'x'],
    ['one-byte chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n`, () => '1\r\nx\r\n'],
    ['the size of a chunk', `${POST}Transfer-Encoding: chunked\r\n\r\n`, (i) => (i < 14 ? '0' : '')],
    ['a chunk extension', `${POST}Transfer-Encoding: chunked\r\n\r\n1;`, () => 'x'],
    ['trailers', `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: `, () => 'x'],
  ];
  test.each(bodies)(
    'trickle %s: each gets 408, in its time',
    async (_, head, piece) => {
      await using listener = await startTestListener((x) => void answer(x), LIMITS);
      const clients = await connectMany(listener, COUNT);
      for (const client of clients) client.write(head);
      const { result } = await whileServed(listener, statusesOf(clients), (i) => {
        for (const client of clients) client.write(piece(i));
      });
      expect(result).toEqual(Array<number>(COUNT).fill(408));
      expect(listener.listeners.statistics().refusals['body-too-slow']).toBe(COUNT);
      await untilLetGo(listener);
    },
    60_000,
  );

  test('say nothing at all, or end at once: each is let go', async () => {
    await using listener = await startTestListener((x) => void answer(x), LIMITS);
    const silent = await connectMany(listener, COUNT);
    const ended = await connectMany(listener, COUNT);
    for (const client of ended) client.end();
    const { result } = await whileServed(
      listener,
      Promise.all([...silent, ...ended].map((client) => client.readToEnd())),
      () => {},
    );
    expect(result.every((bytes) => bytes.length === 0)).toBe(true);
    await untilLetGo(listener);
  }, 60_000);

  test('send most of a large head: no more than that is held for each, and each is let go', async () => {
    await using listener = await startTestListener((x) => void answer(x), LIMITS);
    const before = process.memoryUsage.rss();
    let most = 0;
    const clients = await connectMany(listener, COUNT);
    const line = `X: ${'x'.repeat(992)}\r\n`;
    for (const client of clients) client.write(BEGUN);
    const { result } = await whileServed(listener, statusesOf(clients), (i) => {
      most = Math.max(most, process.memoryUsage.rss() - before);
      if (i < 30) for (const client of clients) client.write(line);
    });
    expect(result).toEqual(Array<number>(COUNT).fill(408));
    // Twice 32 KiB each, and as much again for what the garbage collector has not seen yet.
    expect(most).toBeLessThan(COUNT * 1 * MIB);
    await untilLetGo(listener);
  }, 60_000);

  test('ask for a large response and do not read it: little of it is held for each, and each is cut', async () => {
    await using listener = await startTestListener((x) => void answer(x), LIMITS);
    const clients = await connectMany(listener, COUNT);
    const before = process.memoryUsage.rss();
    let most = 0;
    for (const client of clients) {
      client.stopReading();
      client.write('GET /large HTTP/1.1\r\nHost: example.com\r\n\r\n');
    }
    const cut = until(
      'all are cut',
      () => listener.listeners.statistics().refusals['response-too-slow'] === COUNT,
    );
    await whileServed(listener, cut, () => {
      most = Math.max(most, process.memoryUsage.rss() - before);
    });
    // 12.8 GB were asked for. What kernels hold is not ours.
    expect(most).toBeLessThan(COUNT * 1 * MIB);
    await untilLetGo(listener);
  }, 60_000);
});

describe('one client', () => {
  test('that asks without end and never reads is stalled, then cut', async () => {
    await using listener = await startTestListener((x) => void answer(x), LIMITS);
    const client = await connect(listener);
    client.stopReading();
    const many = Buffer.from('GET /medium HTTP/1.1\r\nHost: example.com\r\n\r\n'.repeat(10_000));
    let written = 0;
    let isClosed = false;
    void client.closed.then(() => {
      isClosed = true;
    });
    while (!isClosed) {
      written += many.length;
      await new Promise<void>((resolve) => {
        void client.closed.then(resolve);
        client.socket.write(many, () => resolve());
      });
      // Writes to a connection that was cut end at once: only the next turn tells of its end.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(listener.listeners.statistics().refusals['response-too-slow']).toBe(1);
    // What it sent waits in kernels; of requests, only those were taken that could be answered.
    expect(written).toBeLessThan(100 * MIB);
    await untilLetGo(listener);
  }, 60_000);

  test('that keeps sending behind a refusal is dropped after a bound', async () => {
    const limits = { ...LIMITS, lingerMs: 60_000, lingerBytesMax: 1 * MIB };
    await using listener = await startTestListener((x) => void answer(x), limits);
    const client = await connect(listener);
    client.write('NOT HTTP\r\n\r\n');
    expect((await client.readResponse()).status).toBe(400);
    let isClosed = false;
    void client.closed.then(() => {
      isClosed = true;
    });
    await until('it is dropped', () => {
      if (!isClosed) client.write(Buffer.alloc(65_536, 'x'));
      return isClosed;
    });
    await untilLetGo(listener);
  });
});
