/** The HTTP/3 listener itself: its port, its certificates, its renewals, its end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { connect, type QuicSession } from 'node:quic';
import { Fields } from '#core/http/fields.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { BodySink, Exchange } from '#edge/exchange.ts';
import { HTTP3_LIMITS } from '#edge/http3/limits.ts';
import { connectHttp3, type Http3TestClient } from '../../support/http3-client.ts';
import {
  startTestHttp3Listener,
  type TestHttp3Listener,
  testCertificate,
} from '../../support/http3-listener.ts';
import { makeCertificate } from '../../support/test-authority.ts';
import { until } from '../../support/until.ts';

const HEAD = { status: 200, reason: '', fields: Fields.of([['Content-Type', 'text/plain']]) };
const QUICK = { tickMs: 10, renewalIntervalMs: 20, forcedRenewalIntervalMs: 20 };

const hello = (exchange: Exchange) => exchange.respondWhole(HEAD, Buffer.from('hello'));

/** The names in the certificate that the server showed. */
function namesOf(client: Http3TestClient): string {
  const certificate = client.session.peerCertificate as unknown;
  const shown =
    certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate as Buffer);
  return shown.subjectAltName ?? '';
}

async function servedFor(listener: TestHttp3Listener, serverName: string): Promise<string> {
  await using client = await listener.connect(serverName);
  return namesOf(client);
}

describe('the port', () => {
  test('is one listener’s alone: a second is refused, and the first keeps its connections', async () => {
    await using first = await startTestHttp3Listener(hello);
    await using client = await first.connect();
    expect((await client.request('/')).status).toBe(200);
    const { address } = first;
    const { promise: refused, resolve } = Promise.withResolvers<unknown>();
    startTestHttp3Listener(hello, { address }).then(() => resolve(null), resolve);
    expect(await refused).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`127.0.0.1:${address.port} over UDP cannot be had for HTTP/3`),
    });
    expect((await client.request('/')).status).toBe(200);
  });

  test('is one of IPv6, too', async () => {
    const address = { address: '::1', port: 0 };
    let clientAddress = '';
    const handler = (exchange: Exchange) => {
      ({ clientAddress } = exchange.connection);
      hello(exchange);
    };
    await using listener = await startTestHttp3Listener(handler, { address });
    await using client = await listener.connect();
    expect((await client.request('/')).status).toBe(200);
    expect(clientAddress).toBe('::1');
  });

  test('is bound once there is a certificate', async () => {
    await using listener = await startTestHttp3Listener(hello, { limits: QUICK }, []);
    expect(listener.listener.address).toBeNull();
    listener.listener.follow([await testCertificate()]);
    const address = await until('it listens', () => listener.listener.address);
    await using client = await connectHttp3(address);
    expect((await client.request('/')).status).toBe(200);
  });
});

describe('certificates', () => {
  let certificates: Certificate[];

  beforeAll(async () => {
    certificates = [
      await testCertificate(),
      await makeCertificate(['other.example', '*.wild.example']),
      { hosts: ['broken.example'], certificatePem: 'no certificate', privateKeyPem: 'no key' },
    ];
  });

  test('are chosen by the name asked for; one that cannot be read keeps nobody from being served', async () => {
    await using listener = await startTestHttp3Listener(hello, {}, certificates);
    expect(await servedFor(listener, 'OTHER.example')).toContain('DNS:other.example');
    expect(await servedFor(listener, 'a.wild.example')).toContain('DNS:*.wild.example');
    expect(await servedFor(listener, 'broken.example')).toContain('DNS:www.example.com');
    expect(await servedFor(listener, 'unknown.example')).toContain('DNS:www.example.com');
  });

  test('that are the same as before renew nothing', async () => {
    await using listener = await startTestHttp3Listener(hello, { limits: QUICK }, certificates);
    const { sweep } = listener.listener;
    listener.listener.follow(certificates.map((certificate) => ({ ...certificate })));
    const { tick } = sweep;
    await until('some time has passed', () => sweep.tick > tick + 10);
    expect(listener.listener.statistics().renewals).toBe(0);
  });

  test('that are new come into force when no response is under way; idle connections are closed', async () => {
    let sink: BodySink | null = null;
    const handler = (exchange: Exchange) => {
      if (exchange.request.target === '/') hello(exchange);
      else sink = exchange.respondStream(HEAD, 2 * HTTP3_LIMITS.gatheredBytesMax);
    };
    await using listener = await startTestHttp3Listener(handler, { limits: QUICK });
    await using client = await listener.connect();
    expect((await client.request('/')).status).toBe(200);
    const download = await client.open(client.fieldsOf('/download'));
    const writing = await until('the download has begun', () => sink);
    const body = Buffer.alloc(2 * HTTP3_LIMITS.gatheredBytesMax, 'x');
    listener.listener.follow([await makeCertificate(['new.example'])]);
    const { sweep } = listener.listener;
    const { tick } = sweep;
    await until('some time has passed', () => sweep.tick > tick + 10);
    expect(listener.listener.statistics().renewals).toBe(0);
    await writing.write(body);
    await writing.end();
    expect((await download.response()).body.equals(body)).toBe(true);
    await until('the listener is renewed', () => listener.listener.statistics().renewals === 1);
    await client.session.closed.catch(() => {});
    expect(await servedFor(listener, 'new.example')).toContain('DNS:new.example');
  });

  test('that are new do not wait for ever: what is under way breaks off', async () => {
    let sink: BodySink | null = null;
    const handler = (exchange: Exchange) => {
      sink = exchange.respondStream(HEAD, null);
    };
    const limits = { ...QUICK, renewalWaitMs: 50, gatherMs: 0 };
    await using listener = await startTestHttp3Listener(handler, { limits });
    await using client = await listener.connect();
    const download = await client.open(client.fieldsOf('/'));
    await (await until('it has begun', () => sink)).write(Buffer.from('beginning'));
    await download.read();
    listener.listener.follow([await makeCertificate(['new.example'])]);
    await until('the listener is renewed', () => listener.listener.statistics().renewals === 1);
    await client.session.closed.catch(() => {});
    expect(await servedFor(listener, 'new.example')).toContain('DNS:new.example');
  });

  test('that are taken away altogether end the service, and new ones begin it again', async () => {
    await using listener = await startTestHttp3Listener(hello, { limits: QUICK });
    await using client = await listener.connect();
    listener.listener.follow([]);
    await client.session.closed.catch(() => {});
    listener.listener.follow(certificates);
    await until('it is renewed again', () => listener.listener.statistics().renewals === 2);
    expect(await servedFor(listener, 'other.example')).toContain('DNS:other.example');
  });
});

test('memory over the bound closes every connection, once in a while, and service goes on', async () => {
  const limits = { tickMs: 5, forcedRenewalIntervalMs: 3_600_000 };
  await using listener = await startTestHttp3Listener(hello, { limits, residentBytesMax: 1 });
  const client = await listener.connect();
  await client.session.closed.catch(() => {});
  expect(listener.listener.statistics()).toMatchObject({
    renewals: 1,
    refusals: { 'resident-bytes-max': 1 },
  });
  const { sweep } = listener.listener;
  const { tick } = sweep;
  await using next = await listener.connect();
  await until('it has looked again', () => sweep.tick > tick + 20);
  expect((await next.request('/')).status).toBe(200);
  expect(listener.listener.statistics().renewals).toBe(1);
});

test('closing lets a response under way finish', async () => {
  let sink: BodySink | null = null;
  const listener = await startTestHttp3Listener((exchange) => {
    sink = exchange.respondStream(HEAD, null);
  });
  await using client = await listener.connect();
  const stream = await client.open(client.fieldsOf('/'));
  const writing = await until('it has begun', () => sink);
  const closed = listener.listener.close(60_000);
  await writing.write(Buffer.from('the whole'));
  await writing.end();
  expect((await stream.response()).body.toString()).toBe('the whole');
  await closed;
});

test('closing cuts what does not finish in time', async () => {
  const listener = await startTestHttp3Listener((exchange) => void exchange.respondStream(HEAD, null));
  await using client = await listener.connect();
  await client.open(client.fieldsOf('/'));
  await until('it is under way', () => listener.listener.statistics().pending === 1);
  await listener.listener.close(10);
});

describe('early data (0-RTT)', () => {
  let listener: TestHttp3Listener;

  beforeAll(async () => {
    listener = await startTestHttp3Listener(hello);
  });
  afterAll(() => listener[Symbol.asyncDispose]());

  /** Connects and sends a request at once; with a ticket of an earlier connection, as early data. */
  async function connectEarly(sessionTicket?: Uint8Array) {
    const { promise: ticket, resolve } = Promise.withResolvers<Uint8Array>();
    const session: QuicSession = await connect(`127.0.0.1:${listener.address.port}`, {
      servername: 'www.example.com',
      verifyPeer: 'manual',
      enableEarlyData: true,
      onsessionticket: (given: object) => resolve(given as Uint8Array),
      ...(sessionTicket === undefined ? {} : { sessionTicket }),
    });
    session.onerror = () => {};
    session.closed.catch(() => {});
    const headers = { ':method': 'GET', ':scheme': 'https', ':authority': 'www.example.com', ':path': '/' };
    const stream = await session.createBidirectionalStream({ headers });
    stream.closed.catch(() => {});
    const { earlyDataAttempted, earlyDataAccepted } = await session.opened;
    const given = await ticket;
    session.destroy();
    return { earlyDataAttempted, earlyDataAccepted, ticket: given };
  }

  test('is not taken: nothing can be replayed', async () => {
    const { ticket } = await connectEarly();
    expect(await connectEarly(ticket)).toMatchObject({ earlyDataAttempted: true, earlyDataAccepted: false });
  });
});
