/** What goes through: interim responses, trailers, any method, large bodies, configuration that changes under way. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rollup } from '#core/model/messages.ts';
import {
  createTestClock,
  makeSnapshot,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { openRawClient, type RawResponse } from '../../support/raw-client.ts';
import { createBarrier, type ScriptedOrigin, startScriptedOrigin } from '../../support/scripted-origin.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { until } from '../../support/until.ts';

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });

beforeEach(async () => {
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

describe('passed on', () => {
  test('103 before the answer', async () => {
    const mayAnswer = createBarrier();
    answer = async (_request, connection) => {
      connection.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
      await mayAnswer.opened;
      return { fields: [['Cache-Control', 'max-age=60']], body: 'page' };
    };
    const client = await edge.begin('/hinted');
    const hint = await client.readResponse();
    expect([hint.status, hint.field('link')]).toEqual([103, '</a.css>; rel=preload']);
    mayAnswer.open();
    const page = await client.readResponse();
    expect([page.status, page.text]).toEqual([200, 'page']);
    client.destroy();
  });

  test('trailers, with a body that is not stored', async () => {
    answer = (_request, connection) => {
      connection.write(
        'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '4\r\nbody\r\n0\r\nX-Checksum: 17\r\n\r\n',
      );
      return undefined;
    };
    const response = await edge.request('/trailed');
    expect([response.text, response.trailers]).toEqual(['body', [['x-checksum', '17']]]);
    expect(response.field('cache-status')).toBe('Perigee; fwd=uri-miss; detail=no-store');
  });

  test('methods nobody has heard of, with their bodies and statuses', async () => {
    answer = (request) => ({ status: 299, body: `${request.method} ${request.body}` });
    const response = await edge.request('/', { method: 'FROBNICATE', body: 'it' });
    expect([response.status, response.text]).toEqual([299, 'FROBNICATE it']);
    expect(response.field('cache-status')).toBe('Perigee; fwd=method');
    const options = await edge.request('*', { method: 'OPTIONS' });
    expect(options.text).toBe('OPTIONS ');
    expect(origin.requests.at(-1)?.target).toBe('*');
  });

  test.each([
    ['/a//b/../c?x=%2f&y', '/a//c?x=%2F&y'],
    ['/%e4?', '/%E4?'],
    ['/caf\xe9', '/caf%E9'],
    ['/a%2fb//?100%', '/a%2Fb//?100%'],
  ])('the target "%s" as "%s", to store and to change', async (target, expected) => {
    answer = (request) => ({ fields: [['Cache-Control', 'max-age=60']], body: request.target });
    expect((await edge.request(target)).text).toBe(expected);
    expect((await edge.request(target, { method: 'PUT', body: 'x' })).text).toBe(expected);
  });

  test('no port of a stranger, which would be stored for everybody', async () => {
    answer = ({ field }) => ({
      status: 301,
      fields: [
        ['Cache-Control', 'max-age=60'],
        ['Location', `http://${field('host')}/ ${field('x-forwarded-host')}`],
      ],
    });
    await edge.request('/moved', { host: 'www.example.com.:6666' });
    const later = await edge.request('/moved');
    expect(later.field('location')).toBe('http://www.example.com/ www.example.com');
    expect(later.field('cache-status')).toContain('hit');
  });

  test('cookies that are set, each in its line', async () => {
    answer = () => ({
      fields: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2; Path=/'],
      ],
      body: 'hello',
    });
    for (let i = 0; i < 2; i++) {
      const response = await edge.request('/cookies');
      const cookies = response.fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
      expect(cookies).toEqual(['a=1', 'b=2; Path=/']);
    }
    expect(origin.requests.length).toBe(2);
  });

  test('an upload is slowed to the origin’s pace', async () => {
    const mayRead = createBarrier();
    const length = 64 * 1024 * 1024;
    let received = 0;
    await origin.close();
    const slow = await startScriptedOrigin(async (connection) => {
      await connection.readHead();
      connection.stopReading();
      await mayRead.opened;
      received = -1;
      connection.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    edge.publish([siteAt(slow.url)]);
    const client = await edge.begin('/upload', {
      method: 'POST',
      fields: [['Content-Length', String(length)]],
    });
    const part = Buffer.alloc(64 * 1024);
    let sent = 0;
    const pump = (): void => {
      while (sent < length) {
        sent += part.length;
        if (!client.socket.write(part)) {
          client.socket.once('drain', pump);
          return;
        }
      }
    };
    pump();
    let before = -1;
    await until('the client is held back', async () => {
      const isAtRest = sent === before;
      before = sent;
      await sleep(100);
      return isAtRest;
    });
    expect(sent).toBeLessThan(length / 2);
    mayRead.open();
    expect((await client.readResponse()).status).toBe(413);
    expect(received).toBe(-1);
    client.destroy();
    await slow.close();
  });
});

describe('a client that leaves', () => {
  test('while nothing is stored lets the origin go', async () => {
    const isGone = createBarrier();
    answer = (_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 1000000\r\n\r\nsome');
      connection.readBytes(1).catch(isGone.open);
      return undefined;
    };
    const client = await edge.begin('/abandoned');
    await client.readHead();
    client.reset();
    await isGone.opened;
    expect(isGone.isOpen).toBe(true);
  });

  test('before the head of what is only for it lets the origin go', async () => {
    const [hasAsked, isGone] = [createBarrier(), createBarrier()];
    answer = (_request, connection) => {
      hasAsked.open();
      connection.readBytes(1).catch(isGone.open);
      return undefined;
    };
    const client = await edge.begin('/abandoned', { method: 'POST', body: 'x' });
    await hasAsked.opened;
    client.reset();
    await isGone.opened;
    expect((await edge.status()).counters.perigee_edge_faults_total ?? 0).toBe(0);
  });
});

describe('the configuration', () => {
  test('is swapped whole under traffic: no request fails, and each sees one or the other', async () => {
    answer = (request) => ({ body: `${request.field('host')}` });
    edge.publish([siteAt(origin.url, { origins: [{ url: origin.url, hostHeader: 'first.example' }] })]);
    const seen = new Set<string>();
    let swaps = 0;
    const traffic = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (swaps < 20) {
          const response = await edge.request('/swapped', { method: 'POST', body: 'x' });
          expect(response.status).toBe(200);
          seen.add(response.text);
        }
      }),
    );
    while (swaps < 20) {
      const hostHeader = swaps % 2 === 0 ? 'second.example' : 'first.example';
      edge.publish([siteAt(origin.url, { origins: [{ url: origin.url, hostHeader }] })]);
      await edge.request('/between', { method: 'POST', body: 'x' });
      swaps++;
    }
    await traffic;
    expect([...seen].sort()).toEqual(['first.example', 'second.example']);
  });

  test('that is refused leaves the former one in force', async () => {
    answer = () => ({ body: 'served' });
    const bad = { ...makeSnapshot(9, [siteAt('http://192.0.2.1')]), digest: '0'.repeat(64) };
    edge.control.publish('snapshot', bad);
    expect((await edge.request('/')).text).toBe('served');
    expect((await edge.status()).generation).toBe(1);
  });
});

describe('the record', () => {
  test('adds up what happened, by site, and tells it on the bus', async () => {
    const rollups: Rollup[] = [];
    edge.control.subscribe('rollups', (some) => rollups.push(...some));
    answer = () => ({ fields: [['Cache-Control', 'max-age=10']], body: '12345' });
    await edge.request('/a');
    await edge.request('/a');
    await edge.request('/a', { method: 'HEAD' });
    await edge.request('/', { host: 'nobody.example.net' });
    await until('the rollup has come', () => rollups.length > 0);
    expect(rollups).toEqual([
      expect.objectContaining({
        siteId: 'shop',
        popId: 'here',
        requests: 3,
        hits: 2,
        misses: 1,
        errors: 0,
        bytesToClients: 10,
        bytesFromOrigin: 5,
        statusClasses: [0, 3, 0, 0, 0],
      }),
    ]);
    const { counters, storage } = await edge.status();
    expect(counters).toMatchObject({
      perigee_edge_requests_hit_total: 2,
      perigee_edge_requests_uri_miss_total: 1,
      perigee_edge_requests_error_total: 1,
      perigee_edge_refusals_unknown_host_total: 1,
    });
    expect(storage?.tiers[0]).toMatchObject({ storedResponses: 1, bodyBytes: 5 });
  });

  test('heartbeats come', async () => {
    let beats = 0;
    edge.control.subscribe('heartbeat', ({ edgeId, popId, load }) => {
      if (edgeId === 'a' && popId === 'here' && load >= 0 && load <= 1) beats++;
    });
    await until('two have come', () => beats >= 2);
    expect(beats).toBeGreaterThanOrEqual(2);
  });
});

describe('over TLS', () => {
  test('the same road, with keys of its own; the origin learns the scheme', async () => {
    const authority = await createTestAuthority();
    const { key, cert } = await authority.issue(['www.example.com']);
    const certificates = [{ hosts: ['www.example.com'], certificatePem: cert, privateKeyPem: key }];
    await using secure = await startTestEdge({ clock, sites: [siteAt(origin.url)], certificates });
    answer = (request) => ({
      fields: [['Cache-Control', 'max-age=60']],
      body: `${request.field('x-forwarded-proto')}`,
    });
    const ask = async (): Promise<RawResponse> => {
      const address = secure.running.https;
      if (address === null) throw new Error('there is no listener for https');
      const tls = { serverName: 'www.example.com', ca: authority.certificate };
      const client = await openRawClient({ ...address, tls });
      client.write('GET /secure HTTP/1.1\r\nHost: www.example.com\r\n\r\n');
      const response = await client.readResponse();
      client.destroy();
      return response;
    };
    expect((await ask()).text).toBe('https');
    expect((await ask()).field('cache-status')).toBe('Perigee; hit; ttl=60');
    expect((await secure.request('/secure')).text).toBe('http');
    await secure.purge({ kind: 'url', url: 'http://www.example.com/secure' });
    expect((await ask()).field('cache-status')).toContain('fwd=uri-miss');
  });
});
