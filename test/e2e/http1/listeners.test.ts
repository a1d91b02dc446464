import { describe, expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import { listen } from '#edge/listen.ts';
import { CertificateStore } from '#edge/tls/certificate-store.ts';
import { systemClock } from '#platform/clock.ts';
import { createSilentLogger } from '#platform/log.ts';
import { openRawClient, type RawClient } from '../../support/raw-client.ts';
import { testOnBun } from '../../support/runtime.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

function answer(exchange: Exchange, text: string): void {
  exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from(text, 'latin1'));
}

describe('deadlines', () => {
  test('a head that trickles is answered with 408', async () => {
    await using listener = await startTestListener((x) => answer(x, 'hi'), { headMs: 200, tickMs: 50 });
    const client = await openRawClient(listener.http);
    client.write('GET / HTTP/1.1\r\nHost: example.com\r\nX: ');
    const trickle = setInterval(() => client.write('x'), 20);
    const response = await client.readResponse();
    clearInterval(trickle);
    expect([response.status, response.field('connection')]).toEqual([408, 'close']);
    client.destroy();
    expect(listener.listeners.statistics().refusals).toEqual({ 'head-too-slow': 1 });
  });

  test('the second head on a connection has its deadline too', async () => {
    await using listener = await startTestListener((x) => answer(x, 'hi'), { headMs: 200, tickMs: 50 });
    const client = await openRawClient(listener.http);
    client.write(`${GET}GET / HT`);
    expect((await client.readResponse()).text).toBe('hi');
    expect((await client.readResponse()).status).toBe(408);
    client.destroy();
  });

  test('idle connections are closed without a word, new ones and used ones', async () => {
    await using listener = await startTestListener((x) => answer(x, 'hi'), {
      headMs: 100,
      idleMs: 100,
      tickMs: 20,
    });
    const fresh = await openRawClient(listener.http);
    const used = await openRawClient(listener.http);
    used.write(GET);
    expect((await used.readResponse()).text).toBe('hi');
    expect((await fresh.readToEnd()).length).toBe(0);
    expect((await used.readToEnd()).length).toBe(0);
  });

  test('a road that takes its time is not the fault of the client', async () => {
    const exchanges: Exchange[] = [];
    const limits = { headMs: 40, idleMs: 40, bodyProgressMs: 40, writeProgressMs: 40, tickMs: 20 };
    await using listener = await startTestListener((x) => void exchanges.push(x), limits);
    const client = await openRawClient(listener.http);
    client.write(GET);
    await until('the request arrives', () => exchanges.length === 1);
    await sleep(400);
    answer(exchanges[0] as Exchange, 'late');
    expect((await client.readResponse()).text).toBe('late');
    client.destroy();
  });

  test('a client that never closes its side is cut in the end', async () => {
    await using listener = await startTestListener((x) => answer(x, 'hi'), { lingerMs: 100, tickMs: 20 });
    const stubborn = await openRawClient(listener.http);
    stubborn.stopReading();
    stubborn.write(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await until('the connection is let go', () => {
      const http = listener.listeners.statistics().http;
      return http !== null && http.accepted === 1 && http.open === 0;
    });
    stubborn.destroy();
  });
});

describe('bounds', () => {
  test('connections in all, and of one address; a closed one makes room', async () => {
    for (const limits of [{ connectionsMax: 2 }, { connectionsPerAddressMax: 2 }]) {
      await using listener = await startTestListener((x) => answer(x, 'hi'), limits);
      const first = await openRawClient(listener.http);
      const second = await openRawClient(listener.http);
      for (const client of [first, second]) {
        client.write(GET);
        expect((await client.readResponse()).text).toBe('hi');
      }
      const third = await openRawClient(listener.http).catch(() => null);
      third?.write(GET);
      expect(await third?.readResponse().catch(() => 'refused')).toBe(third === null ? undefined : 'refused');
      first.destroy();
      await until('there is room', () => listener.listeners.statistics().http?.open === 1);
      const fourth = await openRawClient(listener.http);
      fourth.write(GET);
      expect((await fourth.readResponse()).text).toBe('hi');
      expect(Object.values(listener.listeners.statistics().refusals)).toEqual([1]);
      for (const client of [second, fourth]) client.destroy();
    }
  });

  test('requests of one connection', async () => {
    await using listener = await startTestListener((x) => answer(x, 'hi'), { requestsPerConnectionMax: 2 });
    const client = await openRawClient(listener.http);
    client.write(GET + GET + GET);
    expect((await client.readResponse()).field('connection')).toBeNull();
    expect((await client.readResponse()).field('connection')).toBe('close');
    expect((await client.readToEnd()).length).toBe(0);
  });

  test('handshakes at one time, and their time', async () => {
    const limits = { handshakesMax: 2, handshakeMs: 300 };
    await using listener = await startTestListener((x) => answer(x, 'hi'), limits);
    const silent: RawClient[] = [];
    for (let i = 0; i < 3; i += 1) silent.push(await openRawClient({ ...listener.https }));
    await until('one is too many', () => listener.listeners.statistics().refusals['handshakes-max'] === 1);
    for (const client of silent) expect((await client.readToEnd()).length).toBe(0);
    await until(
      'the others ran out of time',
      () => listener.listeners.statistics().refusals['handshake-too-slow'] === 2,
    );
    await until('all are let go', () => listener.listeners.statistics().https?.open === 0);
  });
});

describe('closing', () => {
  test('responses under way finish and say close; idle connections end; nothing new is accepted', async () => {
    const exchanges: Exchange[] = [];
    await using listener = await startTestListener((x) => void exchanges.push(x));
    const busy = await openRawClient(listener.http);
    const idle = await openRawClient(listener.http);
    busy.write(GET + GET);
    await until('the request arrives', () => exchanges.length === 1);
    let isClosed = false;
    const closing = listener.listeners.close(20_000).then(() => {
      isClosed = true;
    });
    expect((await idle.readToEnd()).length).toBe(0);
    expect(isClosed).toBe(false);
    await expect(openRawClient(listener.http)).rejects.toThrow();
    answer(exchanges[0] as Exchange, 'done');
    const response = await busy.readResponse();
    expect([response.text, response.field('connection')]).toEqual(['done', 'close']);
    await closing;
    expect(exchanges.length).toBe(1);
  });

  test('what does not finish in time is cut, and the road is told', async () => {
    let isGone = false;
    let exchanges = 0;
    await using listener = await startTestListener((x) => {
      exchanges += 1;
      x.onGone(() => {
        isGone = true;
      });
    });
    const client = await openRawClient(listener.http);
    client.write(GET);
    await until('the request arrives', () => exchanges === 1);
    await listener.listeners.close(50);
    expect(isGone).toBe(true);
    await client.closed;
  });
});

describe('addresses', () => {
  const handler = (exchange: Exchange) => answer(exchange, 'hi');
  const log = createSilentLogger();

  function start(port: number) {
    return listen({
      http: { address: '127.0.0.1', port: 0 },
      https: { address: '127.0.0.1', port },
      handler,
      certificates: new CertificateStore(log),
      clock: systemClock,
      log,
      reusePort: true,
    });
  }

  test('a port in use is a conflict, named in one line, and nothing stays open', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const failure = await start(port).catch((error: unknown) => error as Error & { code: string });
    expect(failure).toMatchObject({ name: 'AppError', code: 'conflict' });
    expect((failure as Error).message).toContain(`127.0.0.1:${port} is in use`);
    other.close();
  });

  test('workers share a port', async () => {
    const first = await start(0);
    const port = first.https?.port ?? 0;
    const second = await start(port);
    expect(second.https?.port).toBe(port);
    await Promise.all([first.close(0), second.close(0)]);
  });

  const needsLibc = 'the supervisor opens such sockets by bun:ffi';
  testOnBun(needsLibc, 'an inherited listening socket is served, with what waited in its queue', async () => {
    const { openListeningSocket } = await import('#platform/listening-socket.ts');
    const probe = await start(0);
    const port = probe.http?.port ?? 0;
    await probe.close(0);
    const descriptor = openListeningSocket('127.0.0.1', port);
    if (descriptor === null) throw new Error('this platform cannot hand listening sockets on');
    const waiting = await openRawClient({ address: '127.0.0.1', port });
    waiting.write(GET);
    const listeners = await listen({
      http: { address: '127.0.0.1', port, descriptor },
      https: null,
      handler,
      certificates: new CertificateStore(log),
      clock: systemClock,
      log,
      reusePort: true,
    });
    expect([listeners.http, listeners.https]).toEqual([{ address: '127.0.0.1', port }, null]);
    expect((await waiting.readResponse()).text).toBe('hi');
    waiting.destroy();
    await listeners.close(0);
  });

  test('the facts of a connection', async () => {
    let seen: Exchange | undefined;
    await using listener = await startTestListener((x) => {
      seen = x;
      answer(x, 'hi');
    });
    const client = await openRawClient(listener.http);
    client.write(GET);
    await client.readResponse();
    expect(seen?.connection).toEqual({
      clientAddress: '127.0.0.1',
      clientPort: client.socket.localPort as number,
      localAddress: '127.0.0.1',
      localPort: listener.http.port,
      scheme: 'http',
      tls: null,
      alternative: null,
    });
    expect(Math.abs((seen?.receivedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    client.destroy();
  });
});

describe('TLS', () => {
  async function setUp() {
    const authority = await createTestAuthority();
    const certificate = async (...hosts: string[]) => {
      const { key, cert } = await authority.issue(hosts);
      return { hosts, certificatePem: cert, privateKeyPem: key };
    };
    return { authority, certificate, ca: authority.certificate };
  }

  /** Subject alternative names the server shows for a server name; null when the handshake fails. */
  async function namesShown(port: number, serverName: string | null): Promise<string | null> {
    const client = await openRawClient({ address: '127.0.0.1', port, tls: { serverName } }).catch(() => null);
    if (client === null) return null;
    const socket = client.socket as import('node:tls').TLSSocket;
    const names = socket.getPeerCertificate().subjectaltname ?? '';
    client.destroy();
    return names;
  }

  test('the certificate goes by the name asked for: exact, wildcard of one label, else the default', async () => {
    const { certificate } = await setUp();
    const certificates = [
      await certificate('default.example'),
      await certificate('*.example.com'),
      await certificate('www.example.com', 'example.com'),
    ];
    await using listener = await startTestListener((x) => answer(x, 'hi'), {}, certificates);
    const shown = (name: string | null) => namesShown(listener.https.port, name);
    expect(await shown('example.com')).toBe('DNS:www.example.com, DNS:example.com');
    expect(await shown('www.example.com')).toBe('DNS:www.example.com, DNS:example.com');
    expect(await shown('WWW.Example.COM')).toBe('DNS:www.example.com, DNS:example.com');
    expect(await shown('shop.example.com')).toBe('DNS:*.example.com');
    expect(await shown('a.shop.example.com')).toBe('DNS:default.example');
    expect(await shown('unknown.example')).toBe('DNS:default.example');
    expect(await shown(null)).toBe('DNS:default.example');
  });

  test('handshakes of one address, so that it cannot take the room of all', async () => {
    // A deadline that no wait of this test lives to see: who leaves makes room by leaving.
    const limits = { handshakesMax: 10, handshakesPerAddressMax: 2, handshakeMs: 120_000 };
    const { certificate } = await setUp();
    const certificates = [await certificate('example.com')];
    await using listener = await startTestListener((x) => answer(x, 'hi'), limits, certificates);
    const refused = () => listener.listeners.statistics().refusals['handshakes-per-address-max'] ?? 0;
    const silent: RawClient[] = [];
    for (let i = 0; i < 3; i += 1) silent.push(await openRawClient({ ...listener.https }));
    await until('one is too many', () => refused() === 1);
    for (const client of silent) client.destroy();
    await until('their room is free', () => listener.listeners.statistics().https?.open === 0);
    for (let i = 0; i < 3; i += 1) {
      const client = await openRawClient({ ...listener.https, tls: { serverName: null } });
      client.write(GET);
      expect((await client.readResponse()).text).toBe('hi');
      client.destroy();
    }
    expect(refused()).toBe(1);
  });

  test('requests over TLS, with the facts of the connection, verified against the authority', async () => {
    const { certificate, ca } = await setUp();
    const seen: Exchange[] = [];
    const certificates = [await certificate('example.com')];
    await using listener = await startTestListener(
      (x) => {
        seen.push(x);
        answer(x, 'x'.repeat(100_000));
      },
      {},
      certificates,
    );
    const client = await openRawClient({ ...listener.https, tls: { serverName: 'example.com', ca } });
    for (let i = 0; i < 3; i += 1) {
      client.write(GET);
      expect((await client.readResponse()).body.length).toBe(100_000);
    }
    expect(seen[0]?.connection).toMatchObject({
      scheme: 'https',
      clientAddress: '127.0.0.1',
      tls: { serverName: 'example.com', protocol: 'TLSv1.3' },
    });
    client.write('GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n');
    expect((await client.readResponse()).status).toBe(421);
    await client.closed;
  });

  test('certificates are swapped while connections live on', async () => {
    const { certificate } = await setUp();
    const kept = await certificate('kept.example');
    await using listener = await startTestListener((x) => answer(x, 'hi'), {}, [
      await certificate('old.example'),
      kept,
    ]);
    const old = await openRawClient({ ...listener.https, tls: { serverName: 'old.example' } });
    const { port } = listener.https;
    expect(await namesShown(port, 'new.example')).toBe('DNS:old.example');
    listener.certificates.replace([await certificate('new.example'), kept], new Map());
    expect(await namesShown(port, 'new.example')).toBe('DNS:new.example');
    expect(await namesShown(port, 'old.example')).toBe('DNS:new.example');
    expect(await namesShown(port, null)).toBe('DNS:new.example');
    expect(await namesShown(port, 'kept.example')).toBe('DNS:kept.example');
    old.write(GET);
    expect((await old.readResponse()).text).toBe('hi');
    old.destroy();
  });

  test('without any certificate handshakes are refused, until there is one', async () => {
    const { certificate } = await setUp();
    await using listener = await startTestListener((x) => answer(x, 'hi'));
    const { port } = listener.https;
    expect(await namesShown(port, 'example.com')).toBeNull();
    expect(await namesShown(port, null)).toBeNull();
    listener.certificates.replace([await certificate('example.com')], new Map());
    expect(await namesShown(port, 'example.com')).toBe('DNS:example.com');
    expect(await namesShown(port, null)).toBe('DNS:example.com');
    listener.certificates.replace([], new Map());
    expect(await namesShown(port, 'example.com')).toBeNull();
    expect(await namesShown(port, null)).toBeNull();
  });

  test('a certificate that cannot be read costs its own hosts alone', async () => {
    const { certificate } = await setUp();
    const broken = { hosts: ['broken.example'], certificatePem: 'nothing', privateKeyPem: 'nothing' };
    await using listener = await startTestListener((x) => answer(x, 'hi'), {}, [
      broken,
      await certificate('good.example'),
    ]);
    const { port } = listener.https;
    expect(await namesShown(port, 'broken.example')).toBeNull();
    expect(await namesShown(port, 'good.example')).toBe('DNS:good.example');
    expect(await namesShown(port, null)).toBe('DNS:good.example');
  });

  test('plain HTTP and junk on the TLS port hurt nobody', async () => {
    const { certificate } = await setUp();
    await using listener = await startTestListener((x) => answer(x, 'hi'), {}, [
      await certificate('example.com'),
    ]);
    for (const junk of [GET, '\x16\x03\x01\xff\xff junk', '\0'.repeat(1000)]) {
      const client = await openRawClient({ ...listener.https });
      client.write(junk);
      client.end();
      await client.closed;
    }
    expect(await namesShown(listener.https.port, 'example.com')).toBe('DNS:example.com');
    await until('all are let go', () => listener.listeners.statistics().https?.open === 0);
  });

  test('a slow reader over TLS gets everything, and aborted bodies show', async () => {
    const { certificate } = await setUp();
    const part = Buffer.alloc(50_000, 'abcdefgh');
    await using listener = await startTestListener(
      (x) => {
        const sink = x.respondStream({ status: 200, reason: '', fields: new Fields() }, null);
        const produce = async () => {
          for (let i = 0; i < 300; i += 1) await sink.write(part);
          if (x.request.target === '/cut') sink.abort('the origin went');
          else await sink.end();
        };
        void produce();
      },
      {},
      [await certificate('example.com')],
    );
    const client = await openRawClient({ ...listener.https, tls: { serverName: 'example.com' } });
    client.write(GET);
    await until('it has begun', () => client.receivedBytes > 0);
    client.stopReading();
    await sleep(50);
    client.startReading();
    const whole = await client.readResponse();
    expect([whole.isComplete, whole.body.length]).toEqual([true, part.length * 300]);
    expect(whole.body.subarray(0, 8).toString()).toBe('abcdefgh');
    client.write(GET.replace('/ ', '/cut '));
    expect((await client.readResponse()).isComplete).toBe(false);
  });
});
