/** What goes out: heads, bodies, trailers; and what never does. */
import { afterEach, describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fields } from '#core/http/fields.ts';
import {
  bodyOf,
  createTestClient,
  failureOf,
  readAll,
  readText,
  requestTo,
} from '../../../test/support/origin-requests.ts';
import { createBarrier, type Script, startScriptedOrigin } from '../../../test/support/scripted-origin.ts';
import { until } from '../../../test/support/until.ts';
import type { Http1Client } from './http1-client.ts';
import type { OriginLimits } from './limits.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const answering: Script = async (connection) => {
  for (;;) {
    await connection.readRequest();
    connection.write(OK);
  }
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function setUp(script: Script, limits: Partial<OriginLimits> = {}) {
  const origin = await startScriptedOrigin(script);
  const client: Http1Client = createTestClient({ limits });
  cleanups.push(async () => {
    await client.close();
    await origin.close();
    expect(origin.scriptErrors).toEqual([]);
  });
  return { origin, client };
}

describe('the request head', () => {
  test('is the method, the raw target, Host first, then the fields as given', async () => {
    const { origin, client } = await setUp(answering);
    const fields: [string, string][] = [
      ['Via', '1.1 perigee'],
      ['X-High', 'caf\xe9'],
      ['accept', 'a'],
      ['accept', 'b'],
    ];
    const target = '/a/../b//%2F\xff?q="<>';
    await client.fetch(requestTo(origin.url, { method: 'M-SEARCH', target, fields }));
    expect(origin.requests[0]?.head).toBe(
      `M-SEARCH ${target} HTTP/1.1\r\nHost: www.example.com\r\nVia: 1.1 perigee\r\nX-High: caf\xe9\r\naccept: a\r\naccept: b`,
    );
  });

  test("has the origin's Host when it is set, and its address when nobody names one", async () => {
    const { origin, client } = await setUp(answering);
    await client.fetch(requestTo(origin.url, { origin: { hostHeader: 'origin.example.com' } }));
    await client.fetch({ ...requestTo(origin.url), fields: new Fields() });
    expect(origin.requests.map((request) => request.field('host'))).toEqual([
      'origin.example.com',
      origin.url.slice('http://'.length),
    ]);
  });

  test('has no fields about another connection', async () => {
    const { origin, client } = await setUp(answering);
    const hopByHop = [
      'Connection',
      'Keep-Alive',
      'Proxy-Connection',
      'TE',
      'Upgrade',
      'Expect',
      'HTTP2-Settings',
      'Trailer',
      'Transfer-Encoding',
      'Content-Length',
    ];
    const fields = hopByHop.map((name): [string, string] => [name, '7']);
    await client.fetch(requestTo(origin.url, { fields }));
    expect(origin.requests[0]?.fields).toEqual([['host', 'www.example.com']]);
  });

  test.each(['POST', 'PUT', 'PATCH'])('%s without a body says so', async (method) => {
    const { origin, client } = await setUp(answering);
    await client.fetch(requestTo(origin.url, { method }));
    expect(origin.requests[0]?.field('content-length')).toBe('0');
  });

  const unsendable: [string, Parameters<typeof requestTo>[1]][] = [
    ['CR LF in a value', { fields: [['A', 'b\r\nC: d']] }],
    ['LF in a value', { fields: [['A', 'b\nC: d']] }],
    ['NUL in a value', { fields: [['A', '\0']] }],
    ['a character beyond one byte in a value', { fields: [['A', '\u560d\u560a']] }],
    ['CR LF in a name', { fields: [['A\r\nB', 'c']] }],
    ['a space in a name', { fields: [['A B', 'c']] }],
    ['an empty name', { fields: [['', 'c']] }],
    ['CR LF in the target', { target: '/ HTTP/1.1\r\nA: b' }],
    ['a space in the target', { target: '/a b' }],
    ['NUL in the target', { target: '/\0' }],
    ['a character beyond one byte in the target', { target: '/\u010d\u010a' }],
    ['an empty target', { target: '' }],
    ['CR LF in the method', { method: 'GET / HTTP/1.1\r\nA: b' }],
    ['an empty method', { method: '' }],
    ['CONNECT', { method: 'CONNECT' }],
  ];
  test.each(unsendable)('is never sent with %s', async (_, parts) => {
    const { origin, client } = await setUp(answering);
    const failure = await failureOf(client.fetch(requestTo(origin.url, parts)));
    expect(failure.type).toBe('http_request_error');
    expect(failure.mayHaveBeenProcessed).toBe(false);
    expect(origin.connections).toBe(0);
  });

  test('is never sent with CR LF in the Host', async () => {
    const { origin, client } = await setUp(answering);
    const request = { ...requestTo(origin.url), fields: Fields.of([['Host', 'a\r\nB: c']]) };
    expect((await failureOf(client.fetch(request))).type).toBe('http_request_error');
    expect(origin.connections).toBe(0);
  });
});

describe('the request body', () => {
  test('of known length goes with Content-Length', async () => {
    const { origin, client } = await setUp(answering);
    const body = bodyOf(['hel', '', 'lo'], 5);
    await client.fetch(requestTo(origin.url, { method: 'POST', body }));
    const [request] = origin.requests;
    expect(request?.field('content-length')).toBe('5');
    expect(request?.body.toString()).toBe('hello');
    expect(body.cancelled).toEqual([]);
  });

  test('of unknown length goes in chunks, with trailers', async () => {
    const { origin, client } = await setUp(answering);
    const trailers = Fields.of([
      ['X-Checksum', 'abc'],
      ['Content-Length', '9'],
      ['Authorization', 'x'],
    ]);
    const body = bodyOf(['hello ', 'world'], null, trailers);
    await client.fetch(requestTo(origin.url, { method: 'PUT', body, fields: [['Trailer', 'X-Checksum']] }));
    const [request] = origin.requests;
    expect(request?.field('transfer-encoding')).toBe('chunked');
    expect(request?.field('content-length')).toBeNull();
    expect(request?.field('trailer')).toBe('X-Checksum');
    expect(request?.body.toString()).toBe('hello world');
    expect(request?.trailers).toEqual([['x-checksum', 'abc']]);
  });

  test('of a GET is sent too', async () => {
    const { origin, client } = await setUp(answering);
    await client.fetch(requestTo(origin.url, { body: bodyOf(['q'], 1) }));
    expect(origin.requests[0]?.body.toString()).toBe('q');
  });

  test('leaves the connection usable', async () => {
    const { origin, client } = await setUp(answering);
    for (let i = 0; i < 3; i += 1) {
      const response = await client.fetch(
        requestTo(origin.url, { method: 'POST', body: bodyOf(['x'], null) }),
      );
      expect(await readText(response.body)).toBe('ok');
    }
    expect(origin.connections).toBe(1);
  });

  test.each([
    ['longer', ['hello', '!']],
    ['shorter', ['hell']],
  ])('%s than its Content-Length fails, and the connection with it', async (_, parts) => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readHead();
      await connection.closed;
    });
    const body = bodyOf(parts, 5);
    const failure = await failureOf(client.fetch(requestTo(origin.url, { method: 'POST', body })));
    expect(failure.type).toBe('http_request_error');
    expect(failure.mayHaveBeenProcessed).toBe(true);
    expect(client.connections().open).toBe(0);
  });

  test('that breaks off fails, and its end is never sent', async () => {
    const received = createBarrier();
    let rest = '';
    const { origin, client } = await setUp(async (connection) => {
      await connection.readHead();
      rest = (await connection.readBytes(8)).toString('latin1');
      received.open();
      await connection.closed;
    });
    const body = bodyOf(['abc', received.opened, new Error('the user has gone')], null);
    const failure = await failureOf(client.fetch(requestTo(origin.url, { method: 'POST', body })));
    expect(failure.type).toBe('http_request_error');
    expect(failure.message).toContain('the user has gone');
    expect(rest).toBe('3\r\nabc\r\n');
    expect(client.connections().open).toBe(0);
  });

  test('large, arrives whole', async () => {
    const { origin, client } = await setUp(answering);
    const part = Buffer.alloc(65_536, 'abcdefg');
    const body = bodyOf(
      Array.from({ length: 256 }, () => part),
      null,
    );
    await client.fetch(requestTo(origin.url, { method: 'POST', body }));
    const received = origin.requests[0]?.body ?? Buffer.alloc(0);
    expect(received.length).toBe(256 * part.length);
    expect(received.subarray(-part.length).equals(part)).toBe(true);
  });

  test('is not read faster than the origin takes it', async () => {
    const mayRead = createBarrier();
    const { origin, client } = await setUp(async (connection) => {
      connection.stopReading();
      await mayRead.opened;
      connection.reset();
    });
    const part = Buffer.alloc(65_536);
    const body = bodyOf(
      Array.from({ length: 2_000 }, () => part),
      null,
    );
    const fetched = failureOf(client.fetch(requestTo(origin.url, { method: 'POST', body })));
    let reads = -1;
    // Once two looks in a row see the same number of reads, the body has stopped.
    await until('the body stops being read', async () => {
      const before = reads;
      reads = body.reads;
      await sleep(50);
      return reads > 0 && reads === before;
    });
    expect(reads).toBeLessThan(1_000);
    mayRead.open();
    expect((await fetched).mayHaveBeenProcessed).toBe(true);
  });
});

describe('an answer before the request is whole', () => {
  test('that refuses ends the sending; the connection is not used again', async () => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readHead();
      connection.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
      await connection.closed;
    });
    const body = bodyOf(['x', new Promise(() => {})], null);
    const response = await client.fetch(requestTo(origin.url, { method: 'POST', body }));
    expect(response.status).toBe(413);
    expect(await readText(response.body)).toBe('big');
    expect(body.cancelled.length).toBe(1);
    expect(client.connections()).toEqual({ open: 0, idle: 0 });
  });

  test('that accepts lets the rest of the request follow while the body comes', async () => {
    const answered = createBarrier();
    const { origin, client } = await setUp(async (connection) => {
      await connection.readHead();
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const first = await connection.readBytes('3\r\none\r\n'.length);
      connection.write(`${first.length.toString(16)}\r\n${first.toString('latin1')}\r\n`);
      const second = await connection.readBytes('3\r\ntwo\r\n0\r\n\r\n'.length);
      connection.write(`${second.length.toString(16)}\r\n${second.toString('latin1')}\r\n0\r\n\r\n`);
      await connection.closed;
    });
    const body = bodyOf(['one', answered.opened, 'two'], null);
    const response = await client.fetch(requestTo(origin.url, { method: 'POST', body }));
    answered.open();
    const echoed = await readAll(response.body);
    expect(echoed.toString()).toBe('3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n');
    expect(client.connections().open).toBe(0);
  });
});
