/** Responses over TLS say where HTTP/3 is, and no others do (RFC 7838 §3). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { startHandlerOrigin } from '../../support/handler-origin.ts';
import { connectHttp2 } from '../../support/http2-client.ts';
import { openRawClient } from '../../support/raw-client.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { makeCertificate } from '../../support/test-authority.ts';

const HOST = 'www.example.com';
const SAID = 'h3=":4433"; ma=86400';
const clock = createTestClock();
let origin: ScriptedOrigin;
let edge: TestEdge;
let https: ListenAddress;

beforeAll(async () => {
  // An origin that speaks of its own ways in must not lead clients past the edge.
  const foreign = ['Alt-Svc', 'h3="origin.example.com:1"'] as const;
  origin = await startHandlerOrigin(clock, (request) => ({
    fields: [foreign, ['Cache-Control', request.target === '/private' ? 'private' : 'max-age=600']],
    body: 'hello',
  }));
  const certificates = [await makeCertificate([HOST])];
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)], certificates, http3Port: 4433 });
  https = edge.running.https as ListenAddress;
});

afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

async function overTls(path: string, more = '', host = HOST) {
  const client = await openRawClient({ ...https, tls: { serverName: HOST } });
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`);
  const response = await client.readResponse();
  client.destroy();
  return response;
}

test.each([
  ['a miss', 200, '/a', '', HOST],
  ['a hit', 200, '/a', '', HOST],
  ['a range of a hit', 206, '/a', 'Range: bytes=0-1\r\n', HOST],
  ['a private answer', 200, '/private', '', HOST],
  ['a refusal of the edge', 504, '/none', 'Cache-Control: only-if-cached\r\n', HOST],
])('over HTTP/1.1 and TLS: %s', async (_, status, path, more, host) => {
  const response = await overTls(path, more, host);
  expect(response.status).toBe(status);
  expect(response.field('alt-svc')).toBe(SAID);
});

test('not with a 421, which is no answer of the authority', async () => {
  const response = await overTls('/', '', 'unknown.example');
  expect(response.status).toBe(421);
  expect(response.field('alt-svc')).toBeNull();
});

test('over HTTP/2', async () => {
  const client = await connectHttp2({ ...https, tls: { serverName: HOST } });
  for (const [id, path] of [
    [1, '/b'],
    [3, '/b'],
    [5, '/private'],
  ] as const) {
    client.request(id, path, { authority: HOST });
    expect((await client.response(id)).fields.get('alt-svc')).toBe(SAID);
  }
  client.destroy();
});

test('not over plain connections', async () => {
  for (const path of ['/a', '/a', '/private']) {
    expect((await edge.request(path)).field('alt-svc')).toBeNull();
  }
});

test('not where HTTP/3 is switched off', async () => {
  const certificates = [await makeCertificate([HOST])];
  await using plain = await startTestEdge({ clock, sites: [siteAt(origin.url)], certificates });
  const address = plain.running.https as ListenAddress;
  const client = await openRawClient({ ...address, tls: { serverName: HOST } });
  for (let i = 0; i < 2; i++) {
    client.write(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    expect((await client.readResponse()).field('alt-svc')).toBeNull();
  }
  client.destroy();
});
