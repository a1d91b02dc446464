/** Tunnels of HTTP/2 and 3 on the road: an extended CONNECT becomes the Upgrade of HTTP/1.1 (RFC 8441 §5). */
import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { bodyOf, type TestBody } from '../../test/support/origin-requests.ts';
import { type RecordedRequest, startScriptedOrigin } from '../../test/support/scripted-origin.ts';
import { makeTestRoad } from '../../test/support/test-road.ts';
import type { BodySink, Exchange, ResponseHead, Tunnel } from './exchange.ts';
import { serve } from './serve.ts';
import { MemoryStorage } from './storage/memory/memory-storage.ts';
import { webSocketAccept } from './websocket-handshake.ts';

const clock = { now: () => 1_800_000_000_000 };

/** An extended CONNECT that keeps what it was answered. `sends` is what the client says in the tunnel. */
class ConnectExchange implements Exchange {
  readonly id = 1;
  readonly connection = {
    clientAddress: '192.0.2.1',
    clientPort: 1,
    localAddress: '192.0.2.2',
    localPort: 443,
    scheme: 'https' as const,
    tls: { serverName: 'www.example.com', protocol: 'TLSv1.3', policy: null, clientCertificate: null },
    alternative: null,
  };
  readonly request;
  readonly receivedAt = clock.now();
  readonly body = null;
  readonly isGone = false;
  readonly answered = Promise.withResolvers<{ status: number; fields: Fields }>();
  readonly ended = Promise.withResolvers<void>();
  readonly source: TestBody;
  /** Of a tunnel. */
  received = '';
  /** The answer in place of one. */
  page = '';

  constructor(upgrade: string, sends: string) {
    this.source = bodyOf([sends], null);
    this.request = {
      method: 'CONNECT',
      target: '/chat',
      authority: 'www.example.com',
      httpVersion: '2' as const,
      fields: Fields.of([
        ['sec-websocket-version', '13'],
        ['sec-websocket-protocol', 'chat'],
        ['sec-websocket-key', 'of no meaning here'],
      ]),
      upgrade,
    };
  }

  onGone(): void {}
  inform(): void {}
  respondPrepared(): void {}
  abort(): void {}

  respondWhole({ status, fields }: ResponseHead, body: Uint8Array | null): void {
    this.answered.resolve({ status, fields });
    this.page = Buffer.from(body ?? []).toString('latin1');
  }

  respondStream({ status, fields }: ResponseHead): BodySink {
    this.answered.resolve({ status, fields });
    return this.#sink;
  }

  acceptTunnel(fields: Fields): Tunnel {
    this.answered.resolve({ status: 200, fields });
    return { source: this.source, sink: this.#sink };
  }

  readonly #sink: BodySink = {
    write: async (bytes) => {
      this.received += Buffer.from(bytes).toString('latin1');
    },
    end: async () => this.ended.resolve(),
    abort: (reason) => this.ended.reject(new Error(reason)),
  };
}

async function setUp(answer: (request: RecordedRequest) => string) {
  const requests: RecordedRequest[] = [];
  let heard = '';
  const origin = await startScriptedOrigin(async (connection) => {
    const request = await connection.readRequest();
    requests.push(request);
    connection.write(answer(request));
    heard = (await connection.readToEnd()).toString('latin1');
    connection.end();
  });
  const storage = new MemoryStorage({ budgetBytes: 1024 * 1024 });
  const road = makeTestRoad(storage, clock, origin.url);
  return {
    road,
    requests,
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      await road.originClient.close();
      storage.close();
      await origin.close();
    },
  };
}

function switchFor(request: RecordedRequest): string {
  const accept = webSocketAccept(request.field('sec-websocket-key') ?? '');
  return `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: chat\r\n\r\nhello`;
}

test('the key and its answer are as RFC 6455 has them', () => {
  expect(webSocketAccept('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
});

describe('an extended CONNECT', () => {
  test('asks the origin by GET and Upgrade, with a key of ours, and keeps its proof from the client', async () => {
    await using there = await setUp(switchFor);
    const exchange = new ConnectExchange('websocket', 'goodbye');
    serve(there.road, exchange);
    const { status, fields } = await exchange.answered.promise;
    expect([status, fields.get('sec-websocket-protocol'), fields.get('sec-websocket-accept')]).toEqual([
      200,
      'chat',
      null,
    ]);
    const request = there.requests[0] as RecordedRequest;
    expect([request.method, request.target]).toEqual(['GET', '/chat']);
    const names = ['connection', 'upgrade', 'sec-websocket-version', 'sec-websocket-protocol', 'via'];
    expect(names.map((name) => request.field(name))).toEqual([
      'Upgrade',
      'websocket',
      '13',
      'chat',
      '2 perigee',
    ]);
    expect(Buffer.from(request.field('sec-websocket-key') ?? '', 'base64').length).toBe(16);
    await exchange.ended.promise;
    expect([exchange.received, there.heard()]).toEqual(['hello', 'goodbye']);
  });

  test('has a new key each time', async () => {
    await using there = await setUp(switchFor);
    for (let i = 0; i < 2; i += 1) {
      const exchange = new ConnectExchange('websocket', '');
      serve(there.road, exchange);
      await exchange.ended.promise;
    }
    const [first, second] = there.requests.map((request) => request.field('sec-websocket-key'));
    expect(first).not.toBe(second as string);
  });

  test('is refused when the origin does not answer our key', async () => {
    await using there = await setUp(() =>
      switchFor({ field: () => 'of no meaning here' } as unknown as RecordedRequest),
    );
    const exchange = new ConnectExchange('websocket', 'secret');
    serve(there.road, exchange);
    expect((await exchange.answered.promise).status).toBe(502);
    expect([exchange.received, there.heard()]).toEqual(['', '']);
  });

  test('passes on what else the origin says', async () => {
    await using there = await setUp(() => 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    const exchange = new ConnectExchange('websocket', '');
    serve(there.road, exchange);
    expect((await exchange.answered.promise).status).toBe(403);
    expect(exchange.page).toBe('no');
  });

  test('of a protocol that is not WebSocket is not implemented', async () => {
    await using there = await setUp(switchFor);
    const exchange = new ConnectExchange('connect-udp', '');
    serve(there.road, exchange);
    const { status, fields } = await exchange.answered.promise;
    expect([status, fields.get('cache-status')]).toEqual([501, 'Perigee; detail=unknown_protocol']);
    expect(there.requests).toEqual([]);
  });
});
