/** Bodies that clients send over HTTP/3: whole, in parts, too slow, too large, broken off, given up. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { BodySource, Exchange } from '#edge/exchange.ts';
import type { Http3TestClient } from '../../support/http3-client.ts';
import { startTestHttp3Listener, type TestHttp3Listener } from '../../support/http3-listener.ts';
import { until } from '../../support/until.ts';

const MIB = 1024 * 1024;
const OK = { status: 200, reason: '', fields: Fields.of([['Content-Type', 'text/plain']]) };

let listener: TestHttp3Listener;
let client: Http3TestClient;
let answer: (exchange: Exchange) => void;

beforeAll(async () => {
  listener = await startTestHttp3Listener((exchange) => answer(exchange), {
    limits: { tickMs: 20, bodyProgressMs: 100, bodyProgressBytesMin: 100, requestBodyBytesMax: 4 * MIB },
  });
  client = await listener.connect();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await listener[Symbol.asyncDispose]();
});

async function readAll(body: BodySource | null): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = (await body?.read()) ?? null;
    if (part === null) return Buffer.concat(parts);
    parts.push(part);
  }
}

/** Reads the body and says how that went. */
function takeAll(): Promise<{ length: number | null; bytes: Buffer | null; fault: string | null }> {
  return new Promise((resolve) => {
    answer = async (exchange) => {
      const length = exchange.body?.length ?? null;
      try {
        const bytes = await readAll(exchange.body);
        exchange.respondWhole(OK, Buffer.from(String(bytes.length)));
        resolve({ length, bytes, fault: null });
      } catch (error) {
        const { fault, status } = error as { fault: string; status: number };
        exchange.respondWhole({ ...OK, status }, null);
        resolve({ length, bytes: null, fault });
      }
    };
  });
}

const post = (fields: Record<string, string> = {}) => client.fieldsOf('/', { method: 'POST', fields });

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
}

describe('a body', () => {
  test.each([true, false])('arrives whole; with its length announced: %p', async (isAnnounced) => {
    const body = pattern(MIB);
    const taken = takeAll();
    const fields = isAnnounced ? { 'content-length': String(MIB) } : {};
    const response = await client.request('/', { method: 'POST', fields, body });
    expect(response.body.toString()).toBe(String(MIB));
    const { length, bytes } = await taken;
    expect(length).toBe(isAnnounced ? MIB : null);
    expect(bytes?.equals(body)).toBe(true);
  });

  test('that is announced as empty is none', async () => {
    let body: BodySource | null | undefined;
    answer = (exchange) => {
      ({ body } = exchange);
      exchange.respondWhole(OK, null);
    };
    await client.request('/', { method: 'POST', fields: { 'content-length': '0' } });
    expect(body).toBeNull();
  });

  test('of unknown length over the bound is refused while it comes', async () => {
    const taken = takeAll();
    const stream = await client.open(post(), true);
    let isRefused = false;
    void taken.then(() => {
      isRefused = true;
    });
    const part = pattern(65_536);
    await until('it is refused', () => {
      while (!isRefused && stream.write(part));
      return isRefused;
    });
    expect((await taken).fault).toBe('body-too-large');
    expect(Number((await stream.head())[':status'])).toBe(413);
  });

  test('that goes on, however slowly, is waited for', async () => {
    const taken = takeAll();
    const stream = await client.open(post(), true);
    // Twelve ticks: as long as two intervals may be, with enough bytes in each.
    const { sweep } = listener.listener;
    for (let i = 0; i < 12; i++) {
      const { tick } = sweep;
      stream.write(pattern(250));
      await until('time has passed', () => sweep.tick > tick);
    }
    stream.endBody();
    expect((await taken).bytes?.length).toBe(3000);
  });

  test('that trickles is given up', async () => {
    const taken = takeAll();
    const stream = await client.open(post({ 'content-length': '1000' }), true);
    const trickle = setInterval(() => stream.write(new Uint8Array(1)), 10);
    expect((await taken).fault).toBe('body-too-slow');
    clearInterval(trickle);
    expect(Number((await stream.head())[':status'])).toBe(408);
  });

  test('that never begins is given up before the road sees the request', async () => {
    let isSeen = false;
    answer = () => {
      isSeen = true;
    };
    const stream = await client.open(post(), true);
    expect(Number((await stream.head())[':status'])).toBe(408);
    expect(isSeen).toBe(false);
  });

  test.each(['resets the stream', 'closes the connection'])(
    'whose client %s is known not to have arrived whole',
    async (how) => {
      const own = await listener.connect();
      const taken = takeAll();
      const stream = await own.open(post(), true);
      stream.write(pattern(5000));
      await until('it is being read', () => listener.listener.statistics().pending > 0);
      if (how === 'resets the stream') stream.cancel();
      else await own[Symbol.asyncDispose]();
      expect(await taken).toMatchObject({ bytes: null, fault: 'body-incomplete' });
      await own[Symbol.asyncDispose]();
    },
  );

  test('shorter than announced never passes for whole', async () => {
    const own = await listener.connect();
    const taken = takeAll();
    const stream = await own.open(post({ 'content-length': '6000' }), true);
    stream.write(pattern(5000));
    stream.endBody();
    expect(await taken).toMatchObject({ bytes: null, fault: 'body-incomplete' });
    await own[Symbol.asyncDispose]();
  });

  test('that nobody reads stops within the window', async () => {
    const { promise: held, resolve } = Promise.withResolvers<Exchange>();
    answer = resolve;
    const own = await listener.connect();
    const stream = await own.open(post({ 'content-length': String(4 * MIB) }), true);
    const part = pattern(65_536);
    let sent = 0;
    while (sent < 64) {
      if (stream.write(part)) sent++;
      else break;
    }
    const exchange = await held;
    expect(sent).toBeLessThan(64);
    exchange.body?.cancel('not wanted');
    exchange.respondWhole(OK, Buffer.from('enough'));
    expect(Number((await stream.head())[':status'])).toBe(200);
    await own[Symbol.asyncDispose]();
  });

  test('that was given up says so to whoever reads on', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    answer = async (exchange) => {
      exchange.body?.cancel('not wanted');
      resolve(await exchange.body?.read().catch((error: unknown) => error));
      exchange.respondWhole(OK, null);
    };
    await client.request('/', { method: 'POST', body: pattern(1000) });
    expect(await promise).toMatchObject({ fault: 'body-cancelled' });
  });
});
