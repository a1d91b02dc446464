/** When the origin fails, and when there is nothing to serve: stale answers, clear pages, nothing hung. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { createBarrier, type ScriptedOrigin, startScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });

beforeEach(async () => {
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({
    clock,
    sites: [siteAt(origin.url, { staleIfErrorSeconds: 1_000 })],
    originLimits: { firstByteMs: 300 },
  });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

/** An address at which nobody listens. */
async function deadUrl(): Promise<string> {
  const gone = await startScriptedOrigin(() => undefined);
  await gone.close();
  return gone.url;
}

describe('stale while it is validated', () => {
  test('answers at once, validates once behind the answer, and is fresh then', async () => {
    let version = 1;
    const mayAnswer = createBarrier();
    answer = async (request) => {
      const fields = [
        ['Cache-Control', 'max-age=10, stale-while-revalidate=30'],
        ['ETag', `"v${version}"`],
      ] as const;
      if (request.field('if-none-match') !== null) await mayAnswer.opened;
      return { fields, body: `version ${version}` };
    };
    await edge.request('/swr');
    version = 2;
    clock.advance(15);
    for (let i = 0; i < 5; i++) {
      const stale = await edge.request('/swr');
      expect([stale.text, stale.field('age')]).toEqual(['version 1', '15']);
      expect(stale.field('cache-status')).toBe('Perigee; hit; ttl=-5');
    }
    await until('the validation has arrived', () => origin.requests.length === 2);
    expect(origin.requests[1]?.field('if-none-match')).toBe('"v1"');
    mayAnswer.open();
    const fresh = await until('the new version is in place', async () => {
      const response = await edge.request('/swr');
      return response.text === 'version 2' && response;
    });
    expect(fresh.field('cache-status')).toContain('hit');
    expect(origin.requests.length).toBe(2);
  });
});

describe('stale if the origin fails', () => {
  test('covers for a dead origin, and says so', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=10']], body: 'kept' });
    await edge.request('/kept');
    clock.advance(20);
    await origin.close();
    const stale = await edge.request('/kept');
    expect([stale.status, stale.text, stale.field('age')]).toEqual([200, 'kept', '20']);
    expect(stale.field('cache-status')).toMatch(
      /^Perigee; fwd=stale; detail=connection_(refused|terminated)$/,
    );
    expect(stale.field('proxy-status')).toMatch(/^Perigee; error=connection_(refused|terminated)$/);
    clock.advance(2_000);
    expect((await edge.request('/kept')).status).toBe(502);
  });

  test('PS2 covers for a server error', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=10']], body: 'kept' });
    await edge.request('/error');
    clock.advance(20);
    answer = () => ({ status: 503, body: 'overload' });
    const stale = await edge.request('/error');
    expect([stale.status, stale.text]).toEqual([200, 'kept']);
    expect(stale.field('cache-status')).toBe('Perigee; fwd=stale; fwd-status=503');
    expect(stale.field('proxy-status')).toBe('Perigee; received-status=503');
  });

  test('never where the origin forbade it', async () => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=10, must-revalidate']], body: 'kept' });
    await edge.request('/strict');
    clock.advance(20);
    answer = () => ({ status: 503, body: 'overload' });
    const error = await edge.request('/strict');
    expect([error.status, error.text]).toEqual([503, 'overload']);
    await origin.close();
    expect((await edge.request('/strict')).status).toBe(502);
  });
});

describe('an origin that fails', () => {
  test('that refuses connections: 502 with Proxy-Status and a page that says so', async () => {
    edge.publish([siteAt(await deadUrl())]);
    const response = await edge.request('/');
    expect(response.status).toBe(502);
    expect(response.field('proxy-status')).toBe('Perigee; error=connection_refused');
    expect(response.field('cache-status')).toBe('Perigee; fwd=uri-miss; detail=connection_refused');
    expect(response.field('content-type')).toBe('text/html; charset=utf-8');
    expect(response.text).toContain('refused the connection');
    expect(response.text).not.toContain('127.0.0.1');
  });

  test('that does not answer: 504', async () => {
    answer = () => undefined;
    const response = await edge.request('/');
    expect(response.status).toBe(504);
    expect(response.field('proxy-status')).toBe('Perigee; error=http_response_timeout');
  });

  test('that talks nonsense: 502', async () => {
    answer = (_request, connection) => {
      connection.write('HELLO THERE\r\n\r\n');
      return undefined;
    };
    const response = await edge.request('/');
    expect([response.status, response.field('proxy-status')]).toEqual([
      502,
      'Perigee; error=http_protocol_error',
    ]);
  });

  test('the next of a site’s origins is asked when a connection cannot be made', async () => {
    answer = (request) => ({ body: `second origin, ${request.method} ${request.body}` });
    edge.publish([siteAt(origin.url, { origins: [{ url: await deadUrl() }, { url: origin.url }] })]);
    expect((await edge.request('/')).text).toBe('second origin, GET ');
    expect((await edge.request('/', { method: 'POST', body: 'form' })).text).toBe('second origin, POST form');
    expect((await edge.status()).counters.perigee_edge_origin_failures_connection_refused_total).toBe(2);
  });

  test('is not asked again when it may have begun to work', async () => {
    const second = await startHandlerOrigin(clock, () => ({ body: 'second' }));
    edge.publish([siteAt(origin.url, { origins: [{ url: origin.url }, { url: second.url }] })]);
    answer = (_request, connection) => {
      connection.reset();
      return undefined;
    };
    expect((await edge.request('/', { method: 'POST', body: 'order' })).status).toBe(502);
    expect(second.requests.length).toBe(0);
    await second.close();
  });
});

describe('what is not served', () => {
  test('a host of nobody: 421 and a page, whatever the name is made of', async () => {
    const response = await edge.request('/', { host: 'nobody.example.net' });
    expect([response.status, response.field('content-type')]).toEqual([421, 'text/html; charset=utf-8']);
    expect(response.text).toContain('nobody.example.net');
    expect(response.field('cache-status')).toBe('Perigee; detail=unknown_host');
    expect((await edge.request('/', { host: 'nobody.example.net', method: 'HEAD' })).status).toBe(421);
    expect(origin.requests.length).toBe(0);
  });

  test('a path that is none: 400', async () => {
    const response = await edge.request('/%zz');
    expect([response.status, response.field('cache-status')]).toEqual([400, 'Perigee; detail=bad_target']);
  });

  test('content that is not in the form announced: 400, and the site is not blamed', async () => {
    const client = await edge.connect();
    client.write(
      'POST / HTTP/1.1\r\nHost: www.example.com\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n',
    );
    const response = await client.readResponse();
    expect(response.status).toBe(400);
    expect(response.text).toContain('This request is not well formed');
    expect(response.text).not.toContain('origin');
    client.destroy();
  });

  test('a request that has been here before: 508', async () => {
    const response = await edge.request('/', { fields: [['CDN-Loop', 'other.example; v=1, cdn.test']] });
    expect(response.status).toBe(508);
    expect(response.field('proxy-status')).toBe('Perigee; error=loop_detected');
    expect(origin.requests.length).toBe(0);
  });

  test('an origin that is the edge itself ends with 508', async () => {
    edge.publish([siteAt(`http://127.0.0.1:${edge.address.port}`)]);
    const response = await edge.request('/');
    expect(response.status).toBe(508);
  });

  test('anything before there is a configuration: 503 that asks to come again', async () => {
    await using young = await startTestEdge({ clock, sites: null });
    const response = await young.request('/');
    expect([response.status, response.field('retry-after')]).toEqual([503, '5']);
    expect(response.text).toContain('starting');
    young.publish([siteAt(origin.url)]);
    answer = () => ({ body: 'now' });
    expect((await young.request('/')).text).toBe('now');
  });
});
