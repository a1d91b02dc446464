/** HTTP/2 with prior knowledge on plain connections: off unless asked for, and beside HTTP/1.1 when it is. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import { PREFACE } from '#edge/http2/frame.ts';
import { connectHttp2 } from '../../support/http2-client.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';

let with2: TestListener;
let without: TestListener;

function tellVersion(exchange: Exchange): void {
  const text = `version ${exchange.request.httpVersion}`;
  exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from(text));
}

beforeAll(async () => {
  with2 = await startTestListener(tellVersion, { tickMs: 20, headMs: 60 }, [], { acceptsH2c: true });
  without = await startTestListener(tellVersion);
});
afterAll(async () => {
  await with2[Symbol.asyncDispose]();
  await without[Symbol.asyncDispose]();
});

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n';

test('the preface begins HTTP/2, also when it comes in pieces', async () => {
  const client = await connectHttp2({ ...with2.http, tls: null });
  client.request(1, '/', { scheme: 'http' });
  expect((await client.response(1)).body.toString()).toBe('version 2');
  client.destroy();
  for (const cut of [1, 3, 16, 23]) {
    const pieces = await connectHttp2({ ...with2.http, tls: null, isSilent: true });
    pieces.write(PREFACE.subarray(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    pieces.write(PREFACE.subarray(cut));
    pieces.send(4, 0, 0);
    pieces.request(1, '/', { scheme: 'http' });
    expect((await pieces.response(1)).status).toBe(200);
    pieces.destroy();
  }
});

test('everything else is HTTP/1.1, also what begins alike', async () => {
  for (const text of [GET, GET.replace('GET', 'PROPFIND'), GET.replace('GET', 'P')]) {
    const client = await openRawClient(with2.http);
    for (const character of text) client.write(character);
    expect((await client.readResponse()).text).toBe('version 1.1');
    await client.closed;
  }
});

test('a connection that says nothing is closed in time', async () => {
  const client = await openRawClient(with2.http);
  client.write('PRI');
  await client.closed;
  expect(with2.listeners.statistics().refusals['head-too-slow']).toBeGreaterThan(0);
});

test('one that ends within the preface is answered as HTTP/1.1 would', async () => {
  const client = await openRawClient(with2.http);
  client.write('PRI * HT');
  client.end();
  await client.closed;
});

test('where it is not asked for, the preface is a request of an unknown version', async () => {
  const client = await openRawClient(without.http);
  client.write(PREFACE);
  expect((await client.readResponse()).status).toBe(505);
  client.destroy();
});
