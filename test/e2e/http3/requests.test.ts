/** What requests over HTTP/3 become: the head the road sees, or the reason for refusing it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import type { Http3Request } from '../../support/http3-client.ts';
import { startTestHttp3Listener, type TestHttp3Listener } from '../../support/http3-listener.ts';

let listener: TestHttp3Listener;
let seen: Exchange | null = null;

beforeAll(async () => {
  listener = await startTestHttp3Listener((exchange) => {
    seen = exchange;
    const fields = Fields.of([['Content-Type', 'text/plain']]);
    exchange.respondWhole({ status: 200, reason: '', fields }, new TextEncoder().encode('seen'));
  });
});

afterAll(() => listener[Symbol.asyncDispose]());

async function ask(path: string, request: Http3Request = {}) {
  seen = null;
  await using client = await listener.connect();
  return await client.request(path, request);
}

describe('a request', () => {
  test('comes with its head and the facts of the connection', async () => {
    const { status } = await ask('/a/b?c=d', { fields: { accept: 'text/css', cookie: ['a=1', 'b=2'] } });
    expect(status).toBe(200);
    const { request, connection, body } = seen as unknown as Exchange;
    const { port } = listener.address;
    expect({ ...request, fields: [...request.fields] }).toEqual({
      method: 'GET',
      target: '/a/b?c=d',
      authority: `www.example.com:${port}`,
      httpVersion: '3',
      upgrade: null,
      // Cookies that were split for compression are one line again (RFC 9114 §4.2.1).
      fields: [
        ['accept', 'text/css'],
        ['cookie', 'a=1; b=2'],
        ['host', `www.example.com:${port}`],
      ],
    });
    expect(connection).toEqual({
      clientAddress: '127.0.0.1',
      clientPort: expect.any(Number),
      localAddress: '127.0.0.1',
      localPort: port,
      scheme: 'https',
      tls: { serverName: null, protocol: 'TLSv1.3', policy: null, clientCertificate: null },
      alternative: null,
    });
    expect(body).toBeNull();
  });

  test.each(['OPTIONS', 'DELETE', 'POST'])('%s without a body has none', async (method) => {
    expect((await ask('/', { method })).status).toBe(200);
    expect(seen?.request.method).toBe(method);
    expect(seen?.body).toBeNull();
  });
});

/**
 * Targets as Bun's URL parser leaves them. Origin and cache key see the right column alike, which is why no
 * spelling can fill the cache for another.
 */
test.each([
  ['/a/../b/./c', '/b/c'],
  ['/a/%2e%2E/b%2Fc', '/b%2Fc'],
  ['/a\\b', '/a/b'],
  ['/"<>{}^`|[]', '/%22%3C%3E%7B%7D%5E%60|[]'],
  ['/a b', '/a%20b'],
  ['/a\tb', '/ab'],
  ['//other.example/x', '//other.example/x'],
  ['/?', '/?'],
  ["/a?%zz'|", '/a?%zz%27|'],
  ['/%C3%A9', '/%C3%A9'],
])('the target %p arrives as %p', async (sent, arrives) => {
  expect((await ask(sent)).status).toBe(200);
  expect(seen?.request.target).toBe(arrives);
});

test('OPTIONS * is about the server', async () => {
  expect((await ask('*', { method: 'OPTIONS' })).status).toBe(200);
  expect(seen?.request.target).toBe('*');
});

test.each([
  ['WWW.Example.COM', 'www.example.com'],
  ['www.example.com:443', 'www.example.com:443'],
  ['www.example.com.', 'www.example.com.'],
  ['[::1]:44', '[::1]:44'],
])('the authority %p is %p', async (sent, arrives) => {
  expect((await ask('/', { authority: sent })).status).toBe(200);
  expect(seen?.request.authority).toBe(arrives);
});

test(':authority takes the place of a Host that says otherwise', async () => {
  await ask('/', { authority: 'www.example.com', fields: { host: 'other.example' } });
  expect(seen?.request.authority).toBe('www.example.com');
  expect(seen?.request.fields.getAll('host')).toEqual(['www.example.com']);
});

const AUTHORITY = 'www.example.com';

describe('is refused, and the road sees nothing of it:', () => {
  test.each<[string, number, string, string, Http3Request]>([
    ['no authority', 400, 'host-missing', '/', { authority: '' }],
    ['two hosts in one', 400, 'host-invalid', '/', { authority: 'a.example,b.example' }],
    ['user information', 400, 'host-invalid', '/', { authority: 'user@www.example.com' }],
    ['a path in the authority', 400, 'host-invalid', '/', { authority: 'a/../b' }],
    ['a space in the authority', 400, 'host-invalid', '/', { authority: 'a b' }],
    ['an encoded authority', 400, 'host-invalid', '/', { authority: '%77ww.example.com' }],
    ['an authority that is read as an address', 400, 'target-invalid', '/', { authority: '0x7f.1' }],
    ['a path that names another host', 400, 'target-invalid', 'https://other.example/x', {}],
    ['a path that is none', 400, 'target-invalid', 'a', {}],
    ['a fragment', 400, 'target-invalid', '/a#b', {}],
    ['* of another method than OPTIONS', 400, 'target-invalid', '*', {}],
    ['a target over the bound', 414, 'target-too-long', `/${'a'.repeat(1100)}`, {}],
    ['a control character in a value', 400, 'field-value-control', '/', { fields: { 'x-a': 'a\x01b' } }],
    ['too many field lines', 431, 'fields-too-many', '/', { fields: many(41) }],
    ['too large a head', 431, 'fields-too-large', '/', { fields: { 'x-a': 'a'.repeat(3000) } }],
    ['an unknown expectation', 417, 'expectation-unknown', '/', { fields: { expect: 'wonders' } }],
    ['a method Bun takes for GET', 501, 'method-unknown', '/', { method: 'BREW' }],
    ['a method that is no token', 501, 'method-unknown', '/', { method: 'G T' }],
    [
      'too large a body',
      413,
      'content-length-too-large',
      '/',
      { method: 'POST', body: new Uint8Array(2000) },
    ],
  ])('%s', async (_, status, reason, path, request) => {
    const limits = { targetBytesMax: 1024, fieldLinesMax: 40, headBytesMax: 2048, requestBodyBytesMax: 1024 };
    let exchanges = 0;
    await using strict = await startTestHttp3Listener(() => exchanges++, { limits });
    await using client = await strict.connect();
    const { body = null } = request;
    const announced = body === null ? {} : { 'content-length': String(body.length) };
    const fields = { ...announced, ...request.fields };
    const answer = await client.request(path, { authority: AUTHORITY, ...request, fields });
    expect(answer.status).toBe(status);
    expect(answer.body.toString()).toContain(reason);
    expect(answer.fields['cache-control']).toBe('no-store');
    expect(exchanges).toBe(0);
    expect(strict.listener.statistics().refusals).toEqual({ [reason]: 1 });
  });

  test('what Bun refuses by itself: CONNECT, and lengths that are none', async () => {
    await using client = await listener.connect();
    const connect = { ':method': 'CONNECT', ':authority': AUTHORITY };
    expect((await (await client.open(connect)).response()).status).toBe(404);
    const bad = client.fieldsOf('/', { method: 'POST', fields: { 'content-length': '+5' } });
    seen = null;
    await (await client.open(bad, false, new Uint8Array(5))).response();
    expect(seen).toBeNull();
  });

  test('line ends in a value, which end the connection', async () => {
    seen = null;
    const answer = await ask('/', { fields: { 'x-a': 'a\r\nx-b: c' } });
    expect(answer.status).toBe(0);
    expect(seen).toBeNull();
  });
});

function many(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'a']));
}
