/** The road over HTTP/3: stored, passed, refused, given up, as over the other versions. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { connectHttp3, type Http3TestClient } from '../../support/http3-client.ts';
import type { RecordedRequest, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { makeCertificate } from '../../support/test-authority.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';
const SECURE_HOST = 'secure.example.com';
const CACHEABLE = ['Cache-Control', 'max-age=60'] as const;
const clock = createTestClock();

let origin: ScriptedOrigin;
let edge: TestEdge;
let client: Http3TestClient;
let answer: Answer = () => ({ body: 'unset' });
let requests: RecordedRequest[] = [];
/** A path of its own for each test. */
let path = '/';
let number = 0;

beforeAll(async () => {
  origin = await startHandlerOrigin(clock, (request, connection) => {
    requests.push(request);
    return answer(request, connection);
  });
  const secured = {
    ...siteAt(origin.url),
    id: 'secured',
    hosts: [SECURE_HOST],
    minTlsVersion: '1.3' as const,
  };
  edge = await startTestEdge({
    clock,
    sites: [siteAt(origin.url), secured],
    certificates: [await makeCertificate([HOST, SECURE_HOST])],
    hasHttp3: true,
  });
  client = await connectHttp3(edge.running.http3 as ListenAddress);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

beforeEach(() => {
  requests = [];
  number += 1;
  path = `/${number}`;
});

const get = (target: string, fields: Record<string, string> = {}) =>
  client.request(target, { authority: HOST, fields });

test('a miss is asked for and stored, a hit is answered from there', async () => {
  answer = () => ({ fields: [CACHEABLE, ['ETag', '"a"'], ['Content-Type', 'text/css']], body: 'a { }' });
  const miss = await get(path);
  expect(miss.body.toString()).toBe('a { }');
  expect(miss.fields).toMatchObject({
    'content-type': 'text/css',
    'cache-status': expect.stringContaining('fwd=uri-miss'),
  });
  const hit = await get(path);
  expect(hit.fields).toMatchObject({
    'cache-status': 'Perigee; hit; ttl=60',
    age: '0',
    etag: '"a"',
    'content-length': '5',
  });
  expect(hit.body.toString()).toBe('a { }');
  expect(requests).toHaveLength(1);
  expect(requests[0]?.field('via')).toBe('3 perigee');
  expect(requests[0]?.field('x-forwarded-proto')).toBe('https');
});

test('conditions and ranges', async () => {
  answer = () => ({ fields: [CACHEABLE, ['ETag', '"a"']], body: '0123456789' });
  await get(path);
  expect((await get(path, { 'if-none-match': '"a"' })).status).toBe(304);
  const part = await get(path, { range: 'bytes=2-4' });
  expect(part).toMatchObject({ status: 206, body: Buffer.from('234') });
  expect(part.fields['content-range']).toBe('bytes 2-4/10');
  expect((await get(path, { range: 'bytes=99-' })).status).toBe(416);
  expect(requests).toHaveLength(1);
});

test('a spelling that Bun has made another of is asked for in that form, and stored under it', async () => {
  answer = (request) => ({ fields: [CACHEABLE], body: request.target });
  // Over HTTP/1.1 the origin would see it as it is, and the answer would not be stored for the usual spelling.
  const odd = await get(`/x/..${path}`);
  expect(odd.body.toString()).toBe(path);
  expect((await get(path)).fields['cache-status']).toBe('Perigee; hit; ttl=60');
  expect(requests.map(({ target }) => target)).toEqual([path]);
});

test('a method is passed on with its body', async () => {
  answer = (request) => ({ body: `${request.method} ${request.body.length}` });
  const body = new Uint8Array(200_000);
  const put = await client.request(path, { method: 'PUT', authority: HOST, body });
  expect(put.body.toString()).toBe('PUT 200000');
  const options = await client.request(path, { method: 'OPTIONS', authority: HOST });
  expect(options.body.toString()).toBe('OPTIONS 0');
  expect(requests[1]?.field('transfer-encoding')).toBeNull();
});

test('a purge reaches it', async () => {
  answer = () => ({ fields: [CACHEABLE], body: 'stored' });
  await get(path);
  await edge.purge({ kind: 'url', url: `https://${HOST}${path}` });
  expect((await get(path)).fields['cache-status']).toContain('fwd=uri-miss');
});

describe('a site with a TLS policy', () => {
  test('is misdirected here, where nobody can tell which name was asked for', async () => {
    const refused = await client.request('/', { authority: SECURE_HOST });
    expect(refused.status).toBe(421);
    expect(refused.fields['cache-status']).toContain('misdirected');
    expect(requests).toHaveLength(0);
  });
});

describe('an origin that breaks off', () => {
  test('within the bound: no short 200', async () => {
    answer = (_, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1000\r\n\r\nshort');
      connection.end();
      return undefined;
    };
    expect((await get(path)).status).toBe(502);
    answer = () => ({ fields: [CACHEABLE], body: 'whole' });
    // Nothing of it was stored.
    expect((await get(path)).fields['cache-status']).toContain('fwd=uri-miss');
  });
});

test('a client that leaves is told of to the origin', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  answer = (_, connection) => {
    connection.readBytes(1).catch(() => resolve());
    connection.write(
      'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Type: text/plain\r\n\r\nbeginning',
    );
    return undefined;
  };
  const stream = await client.open(client.fieldsOf(path, { authority: HOST }));
  expect((await stream.read())?.toString()).toBe('beginning');
  stream.cancel();
  await closed;
});

test('requests and refusals are counted', async () => {
  answer = () => ({ body: 'counted' });
  const before = (await edge.status()).counters;
  await get(path);
  await client.request('/', { authority: 'a,b' });
  const after = await until('it is counted', async () => {
    const { counters } = await edge.status();
    return (counters.perigee_edge_refused_host_invalid_total ?? 0) > 0 && counters;
  });
  expect(after.perigee_edge_requests_http3_total).toBe((before.perigee_edge_requests_http3_total ?? 0) + 1);
  expect(after).toMatchObject({
    perigee_edge_http3_renewals_total: 0,
    perigee_edge_http3_responses_unfinished: 0,
  });
});
