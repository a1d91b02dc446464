/** Methods and statuses that HTTP has rules of its own for, on their way through. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';

const clock = createTestClock();
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'hi' });
beforeAll(async () => {
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

const seen = (target: string) => origin.requests.filter((request) => request.target === target);

describe('TRACE', () => {
  test('is refused, and never reaches the origin', async () => {
    for (const fields of [[], [['Max-Forwards', '0']], [['Max-Forwards', '5']]] as [string, string][][]) {
      const response = await edge.request('/traced', {
        method: 'TRACE',
        fields: [['Cookie', 'secret=1'], ...fields],
      });
      expect([response.status, response.field('cache-status')]).toEqual([405, 'Perigee; detail=trace']);
      expect(response.field('allow')).toContain('GET');
      expect(response.text).not.toContain('secret');
    }
    expect(seen('/traced')).toEqual([]);
  });
});

describe('OPTIONS', () => {
  const hops: [string, string | null, string | null][] = [
    ['without a count', null, null],
    ['with hops left', '7', '6'],
    ['with one left', '1', '0'],
    ['with a count that is none', 'many', 'many'],
  ];
  test.each(hops)('%s goes to the origin', async (name, sent, received) => {
    answer = () => ({ fields: [['Allow', 'GET']], body: '' });
    const target = `/options/${encodeURIComponent(name)}`;
    const fields: [string, string][] = sent === null ? [] : [['Max-Forwards', sent]];
    const response = await edge.request(target, { method: 'OPTIONS', fields });
    expect([response.status, response.field('allow')]).toEqual([200, 'GET']);
    expect(seen(target).map((request) => request.field('max-forwards'))).toEqual([received]);
  });

  test('that may go no further is answered here', async () => {
    for (const target of ['/last-hop', '*']) {
      const response = await edge.request(target, { method: 'OPTIONS', fields: [['Max-Forwards', '0']] });
      expect([response.status, response.field('content-length')]).toEqual([200, '0']);
      expect(response.field('allow')).toContain('OPTIONS');
      expect(response.field('cache-status')).toBe('Perigee; detail=max_forwards');
      expect(seen(target)).toEqual([]);
    }
  });

  test('of the server goes on as it is', async () => {
    answer = () => ({ fields: [['Allow', 'GET']], body: '' });
    expect((await edge.request('*', { method: 'OPTIONS' })).field('allow')).toBe('GET');
  });

  test('Max-Forwards means nothing to other methods', async () => {
    answer = () => ({ body: 'hi' });
    const response = await edge.request('/got', { fields: [['Max-Forwards', '0']] });
    expect([response.text, seen('/got')[0]?.field('max-forwards')]).toEqual(['hi', '0']);
  });
});

describe('trailers', () => {
  test('that belong into a head stay behind, both ways, and none is merged into one', async () => {
    answer = (_, connection) => {
      connection.write(
        'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n' +
          'X-Sum: 1\r\nSet-Cookie: evil=1\r\nContent-Length: 9\r\nLocation: /evil\r\n\r\n',
      );
      return undefined;
    };
    const client = await edge.connect();
    client.write(
      'POST /trailed HTTP/1.1\r\nHost: www.example.com\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n' +
        'X-Up: 1\r\nAuthorization: Basic x\r\nX-Forwarded-For: 192.0.2.9\r\n\r\n',
    );
    const response = await client.readResponse();
    expect([response.text, response.trailers]).toEqual(['hi', [['x-sum', '1']]]);
    for (const name of ['x-sum', 'set-cookie', 'location']) expect(response.field(name)).toBeNull();
    const [request] = seen('/trailed');
    expect([request?.body.toString(), request?.trailers]).toEqual(['hi', [['x-up', '1']]]);
    for (const name of ['x-up', 'authorization']) expect(request?.field(name)).toBeNull();
    expect(request?.field('x-forwarded-for')).toBe('127.0.0.1');
    client.destroy();
  });
});

describe('statuses without content', () => {
  test.each([
    ['204', 'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n', null],
    ['205', 'HTTP/1.1 205 Reset\r\nX-A: b\r\nContent-Length: 0\r\n\r\n', '0'],
    ['205 with content all the same', 'HTTP/1.1 205 Reset\r\nX-A: b\r\nContent-Length: 2\r\n\r\nno', '0'],
    [
      '205 in chunks',
      'HTTP/1.1 205 Reset\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
      '0',
    ],
  ])('%s leaves the connection in step', async (name, wire, length) => {
    answer = (request, connection) => {
      if (request.target === '/next') return { body: 'next' };
      connection.write(wire);
      return undefined;
    };
    const client = await edge.connect();
    const head = (method: string, target: string) =>
      `${method} ${target} HTTP/1.1\r\nHost: www.example.com\r\n\r\n`;
    client.write(head('GET', `/empty/${encodeURIComponent(name)}`) + head('DELETE', '/next'));
    const response = await client.readResponse();
    expect([response.status, response.field('content-length'), response.field('x-a')]).toEqual([
      Number(name.slice(0, 3)),
      length,
      'b',
    ]);
    expect(response.text).toBe('');
    expect((await client.readResponse()).text).toBe('next');
    client.destroy();
  });
});
