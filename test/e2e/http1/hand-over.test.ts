/** Listeners that leave to a successor: nothing that they have begun, and nothing that is on its way to them, is lost. */
import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import { connectHttp2 } from '../../support/http2-client.ts';
import { proxyHeader } from '../../support/proxy-header.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
const DRAIN_MS = 60_000;

function answer(exchange: Exchange, text: string): void {
  exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from(text, 'latin1'));
}

test('an idle connection brings one more request, and is told that it is the last', async () => {
  await using listener = await startTestListener((x) => answer(x, x.request.target));
  const used = await openRawClient(listener.http);
  used.write(GET);
  expect((await used.readResponse()).field('connection')).toBeNull();
  const fresh = await openRawClient(listener.http);
  await until('both are open', () => listener.listeners.statistics().http?.open === 2);
  const handedOver = listener.listeners.handOver(DRAIN_MS);
  await expect(openRawClient(listener.http)).rejects.toThrow();
  for (const client of [used, fresh]) {
    // A second request behind the last one is not answered: the client was told, and asks elsewhere.
    client.write(GET + GET);
    const last = await client.readResponse();
    expect([last.text, last.field('connection')]).toEqual(['/', 'close']);
    expect((await client.readToEnd()).length).toBe(0);
  }
  await handedOver;
});

test('a request that has arrived in part is awaited and answered', async () => {
  await using listener = await startTestListener((x) => answer(x, 'whole'));
  const client = await openRawClient(listener.http);
  client.write(GET.slice(0, 20));
  await until('it has arrived', () => listener.listeners.statistics().http?.open === 1);
  const handedOver = listener.listeners.handOver(DRAIN_MS);
  client.write(GET.slice(20));
  const response = await client.readResponse();
  expect([response.text, response.field('connection')]).toEqual(['whole', 'close']);
  await handedOver;
});

test('a response that did not say that it is the last is followed by one that does', async () => {
  const exchanges: Exchange[] = [];
  await using listener = await startTestListener((x) => void exchanges.push(x));
  const client = await openRawClient(listener.http);
  client.write(GET);
  await until('the request has arrived', () => exchanges.length === 1);
  const head = { status: 200, reason: '', fields: new Fields() };
  const sink = exchanges[0]?.respondStream(head, 4);
  await sink?.write(Buffer.from('ab'));
  expect((await client.readHead()).field('connection')).toBeNull();
  const handedOver = listener.listeners.handOver(DRAIN_MS);
  await sink?.write(Buffer.from('cd'));
  await sink?.end();
  expect((await client.readBytes(4)).toString()).toBe('abcd');
  client.write(GET);
  await until('the next request has arrived', () => exchanges.length === 2);
  answer(exchanges[1] as Exchange, 'last');
  expect((await client.readResponse()).field('connection')).toBe('close');
  await handedOver;
});

test('an idle connection ends when it has been idle for as long as any may be', async () => {
  const limits = { idleMs: 100, headMs: 100, tickMs: 20 };
  await using listener = await startTestListener((x) => answer(x, 'hi'), limits);
  const client = await openRawClient(listener.http);
  client.write(GET);
  await client.readResponse();
  await listener.listeners.handOver(DRAIN_MS);
  expect((await client.readToEnd()).length).toBe(0);
});

test.each([
  ['TLS handshake', null],
  ['PROXY protocol header before a TLS handshake', ['127.0.0.0/8']],
])('a %s under way finishes, and its connection is served', async (_, proxySources) => {
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['example.com']);
  const certificate = { hosts: ['example.com'], certificatePem: cert, privateKeyPem: key };
  const handler = (exchange: Exchange) => answer(exchange, 'secure');
  await using listener = await startTestListener(handler, {}, [certificate], { proxySources });
  const { address, port } = listener.https;
  const socket = connect(port, address);
  await until('it is accepted', () => listener.listeners.statistics().https?.open === 1);
  let isOver = false;
  const handedOver = listener.listeners.handOver(DRAIN_MS).then(() => {
    isOver = true;
  });
  if (proxySources !== null) socket.write(proxyHeader());
  const secure = connectTls({ socket, servername: 'example.com', ca: authority.certificate });
  const text = await new Promise<string>((resolve, reject) => {
    let received = '';
    secure.once('secureConnect', () => {
      expect(isOver).toBe(false);
      secure.write(GET);
    });
    secure.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1');
    });
    secure.once('end', () => resolve(received));
    secure.once('error', reject);
  });
  expect(text).toContain('Connection: close\r\n');
  expect(text).toEndWith('secure');
  secure.destroy();
  await handedOver;
});

test.each([
  ['PROXY protocol header has not come', { proxySources: ['127.0.0.0/8'] }, proxyHeader()],
  ['HTTP version is not known', { acceptsH2c: true }, Buffer.alloc(0)],
])('a plain connection whose %s yet is served', async (_, options, beginning) => {
  await using listener = await startTestListener((x) => answer(x, 'hi'), {}, [], options);
  const client = await openRawClient(listener.http);
  await until('it is accepted', () => listener.listeners.statistics().http?.open === 1);
  const handedOver = listener.listeners.handOver(DRAIN_MS);
  client.write(Buffer.concat([beginning, Buffer.from(GET)]));
  const response = await client.readResponse();
  expect([response.text, response.field('connection')]).toEqual(['hi', 'close']);
  await handedOver;
});

test('an HTTP/2 connection is told to go, and streams that were on their way are served', async () => {
  await using listener = await startTestListener((x) => answer(x, 'hi'), {}, [], { acceptsH2c: true });
  const client = await connectHttp2({ ...listener.http, tls: null });
  client.request(1, '/');
  expect((await client.response(1)).body.toString()).toBe('hi');
  const handedOver = listener.listeners.handOver(DRAIN_MS);
  expect(await client.goAway()).toMatchObject({ code: 0, lastId: 2 ** 31 - 1 });
  client.request(3, '/');
  expect((await client.response(3)).body.toString()).toBe('hi');
  expect(await client.goAway()).toMatchObject({ code: 0, lastId: 3 });
  await client.closed;
  await handedOver;
});

test('a handshake that never ends is ended by its own deadline', async () => {
  await using listener = await startTestListener((x) => answer(x, 'hi'), { handshakeMs: 100 });
  const silent = await openRawClient({ ...listener.https });
  await until('it is accepted', () => listener.listeners.statistics().https?.open === 1);
  await listener.listeners.handOver(DRAIN_MS);
  await silent.closed;
});

test('what does not finish in time is cut', async () => {
  let exchanges = 0;
  await using listener = await startTestListener(() => {
    exchanges += 1;
  });
  const client = await openRawClient(listener.http);
  client.write(GET);
  await until('the request has arrived', () => exchanges === 1);
  await listener.listeners.handOver(50);
  await client.closed;
});

test('a close cuts a hand-over short: idle connections end, responses have its time', async () => {
  const exchanges: Exchange[] = [];
  await using listener = await startTestListener((x) => void exchanges.push(x));
  const idle = await openRawClient(listener.http);
  const busy = await openRawClient(listener.http);
  const stuck = await openRawClient(listener.http);
  for (const client of [busy, stuck]) client.write(GET);
  await until('the requests have arrived', () => exchanges.length === 2);
  await until('all are accepted', () => listener.listeners.statistics().http?.open === 3);
  const handedOver = listener.listeners.handOver(DRAIN_MS);
  const closed = listener.listeners.close(300);
  expect((await idle.readToEnd()).length).toBe(0);
  const [first] = exchanges;
  if (first !== undefined) answer(first, 'in time');
  const inTime = first?.connection.clientPort === busy.socket.localPort ? busy : stuck;
  expect((await inTime.readResponse()).text).toBe('in time');
  await Promise.all([handedOver, closed, busy.closed, stuck.closed]);
});

test('with nothing open it is over at once', async () => {
  await using listener = await startTestListener((x) => answer(x, 'hi'));
  await listener.listeners.handOver(DRAIN_MS);
});
