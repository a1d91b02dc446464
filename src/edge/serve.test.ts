import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { makeTestRoad } from '../../test/support/test-road.ts';
import { until } from '../../test/support/until.ts';
import type { BodySink, BodySource, Exchange, PreparedHead, ResponseHead, Tunnel } from './exchange.ts';
import type { Road } from './road.ts';
import { serve } from './serve.ts';
import { MemoryStorage } from './storage/memory/memory-storage.ts';
import { makeStoredHead } from './storage/storage.cases.ts';
import type { Storage, StoredResponse } from './storage/storage.ts';

const NOW = 1_800_000_000_000;
const clock = { now: () => NOW };

const makeRoad = (storage: Storage): Road => makeTestRoad(storage, clock);

/** An exchange that keeps what it was answered. */
class KeptExchange implements Exchange {
  readonly id = 1;
  readonly connection = {
    clientAddress: '192.0.2.1',
    clientPort: 1,
    localAddress: '192.0.2.2',
    localPort: 80,
    scheme: 'http' as const,
    tls: null,
    alternative: null,
  };
  readonly request;
  readonly receivedAt = NOW;
  readonly body = null;
  isGone = false;
  answer: { status: number; lines: string; body: Uint8Array | null } | null = null;
  readonly streamed: Uint8Array[] = [];
  aborted: string | null = null;
  readonly ended = Promise.withResolvers<void>();

  constructor(fields: readonly (readonly [string, string])[] = []) {
    this.request = {
      method: 'GET',
      target: '/a',
      authority: 'www.example.com',
      httpVersion: '1.1' as const,
      fields: Fields.of([['Host', 'www.example.com'], ...fields]),
      upgrade: null,
    };
  }

  onGone(): void {}
  inform(): void {}

  respondWhole(head: ResponseHead, body: Uint8Array | null): void {
    this.answer = { status: head.status, lines: linesOf(head.fields), body };
  }

  respondPrepared(head: PreparedHead, dynamicLines: string, body: Uint8Array | null): void {
    this.answer = { status: head.status, lines: head.lines + dynamicLines, body };
  }

  respondStream(head: ResponseHead): BodySink {
    this.answer = { status: head.status, lines: linesOf(head.fields), body: null };
    return {
      write: async (bytes) => {
        this.streamed.push(bytes);
      },
      end: async () => this.ended.resolve(),
      abort: () => this.ended.resolve(),
    };
  }

  acceptTunnel(): Tunnel {
    throw new Error('no switch was asked for');
  }

  abort(reason: string): void {
    this.aborted = reason;
  }
}

function linesOf(fields: Fields): string {
  return [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

function stored(storage: Storage): void {
  const head = makeStoredHead({ path: '/a', requestedAt: NOW - 5_000, respondedAt: NOW - 5_000 });
  const writer = storage.admit('http://www.example.com/a', head, 4);
  writer?.write(new Uint8Array([1, 2, 3, 4]));
  expect(writer?.finish()).not.toBeNull();
}

describe('the road', () => {
  test('a memory hit is answered before it returns', () => {
    const storage = new MemoryStorage({ budgetBytes: 1024 * 1024 });
    stored(storage);
    const exchange = new KeptExchange();
    serve(makeRoad(storage), exchange);
    expect(exchange.answer?.status).toBe(200);
    expect(exchange.answer?.lines).toBe(
      'Content-Type: text/plain\r\nETag: "one"\r\nVia: 1.1 perigee\r\n' +
        'Age: 5\r\nCache-Status: Perigee; hit; ttl=55\r\n',
    );
    expect(exchange.answer?.body).toEqual(new Uint8Array([1, 2, 3, 4]));
    storage.close();
  });

  test('a body outside memory is streamed, whole and in ranges', async () => {
    const storage = new OutsideMemory({ budgetBytes: 1024 * 1024 });
    stored(storage);
    const road = makeRoad(storage);
    const [whole, part] = [new KeptExchange(), new KeptExchange([['Range', 'bytes=1-2']])];
    serve(road, whole);
    serve(road, part);
    await Promise.all([whole.ended.promise, part.ended.promise]);
    expect([whole.answer?.status, Buffer.concat(whole.streamed)]).toEqual([200, Buffer.from([1, 2, 3, 4])]);
    expect(whole.answer?.lines).toContain('Age: 5\r\nCache-Status: Perigee; hit; ttl=55\r\n');
    expect([part.answer?.status, Buffer.concat(part.streamed)]).toEqual([206, Buffer.from([2, 3])]);
    expect(part.answer?.lines).toContain('Content-Range: bytes 1-2/4\r\n');
    storage.close();
  });

  test('what a disk has to be waited for is answered afterwards, and to nobody who has gone', async () => {
    const storage = new Waiting({ budgetBytes: 1024 * 1024 });
    stored(storage);
    const road = makeRoad(storage);
    const [waiting, gone] = [new KeptExchange(), new KeptExchange()];
    for (const exchange of [waiting, gone]) serve(road, exchange);
    expect([waiting.answer, gone.answer]).toEqual([null, null]);
    gone.isGone = true;
    storage.hasRead.resolve();
    await until('it is answered', () => waiting.answer !== null);
    expect(waiting.answer?.lines).toContain('Cache-Status: Perigee; hit; ttl=55\r\n');
    expect(waiting.answer?.body).toEqual(new Uint8Array([1, 2, 3, 4]));
    expect([gone.answer, gone.aborted]).toEqual([null, null]);
    storage.close();
  });

  test('a range waits for the disk as well: what is stored whole, and slices that are not there', async () => {
    const storage = new Waiting({ budgetBytes: 1024 * 1024 });
    stored(storage);
    storage.hasRead.resolve();
    const exchange = new KeptExchange([['Range', 'bytes=1-2']]);
    serve(makeRoad(storage), exchange);
    await until('it is answered', () => exchange.answer !== null);
    expect([exchange.answer?.status, exchange.answer?.body]).toEqual([206, new Uint8Array([2, 3])]);
    const missing = new KeptExchange([['Range', 'bytes=1-2']]);
    storage.remove('http://www.example.com/a');
    serve(makeRoad(storage), missing);
    await until('the origin was asked in vain', () => missing.answer !== null);
    expect(missing.answer?.status).toBe(502);
    storage.close();
  });

  test('a fault ends its own exchange and is counted', () => {
    const storage = new MemoryStorage({ budgetBytes: 1024 * 1024 });
    const broken = (): never => {
      throw new Error('broken on purpose');
    };
    const road = makeRoad({ lookup: broken, lookupAtOnce: broken } as unknown as Storage);
    const exchange = new KeptExchange();
    serve(road, exchange);
    expect([exchange.answer, exchange.aborted]).toEqual([null, 'internal fault']);
    expect(road.recorder.totals()).toMatchObject({ perigee_edge_faults_total: 1 });
    storage.close();
  });
});

/** Memory storage that has to read before it finds. */
class Waiting extends MemoryStorage {
  readonly hasRead = Promise.withResolvers<void>();

  override lookupAtOnce(): Promise<void> {
    return this.hasRead.promise;
  }
}

/** Memory storage that shows its bodies only through `open`, as tiers outside memory do. */
class OutsideMemory extends MemoryStorage {
  override lookup(cacheKey: string): readonly StoredResponse[] {
    return super.lookup(cacheKey).map((response) => ({
      head: response.head,
      prepared: response.prepared,
      bodyLength: response.bodyLength,
      body: null,
      open: (start: number, end: number): BodySource => response.open(start, end),
    }));
  }
}
