/** From an HTTP/2 client through the whole edge to an HTTP/1.1 origin and back. */
import { afterEach, describe, expect, test } from 'bun:test';
import { END_HEADERS, END_STREAM, HEADERS, RST_STREAM, WINDOW_UPDATE } from '#edge/http2/frame.ts';
import { HTTP2_LIMITS } from '#edge/http2/limits.ts';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import {
  connectHttp2,
  fieldBlock,
  frameBytes,
  type Http2TestClient,
  uint32,
} from '../../support/http2-client.ts';
import { type Script, type ScriptedOrigin, startScriptedOrigin } from '../../support/scripted-origin.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';

let edge: TestEdge | null = null;
let origin: ScriptedOrigin | null = null;
afterEach(async () => {
  await edge?.[Symbol.asyncDispose]();
  await origin?.close();
});

/** An edge before an origin that plays the script, and a client of it over TLS. */
async function start(script: Script): Promise<{ client: Http2TestClient; origin: ScriptedOrigin }> {
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue([HOST]);
  origin = await startScriptedOrigin(script);
  edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt(origin.url)],
    certificates: [{ hosts: [HOST], certificatePem: cert, privateKeyPem: key }],
  });
  const { https } = edge.running;
  if (https === null) throw new Error('the edge has no TLS listener');
  const client = await connectHttp2({ ...https, tls: { serverName: HOST, ca: authority.certificate } });
  return { client, origin };
}

function lines(path: string, method = 'GET'): [string, string][] {
  return [
    [':method', method],
    [':scheme', 'https'],
    [':authority', HOST],
    [':path', path],
  ];
}

describe('messages', () => {
  test('trailers of a chunked response reach the client, and those of a request the origin', async () => {
    const { client, origin } = await start(async (connection) => {
      await connection.readRequest();
      connection.write(
        'HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nTrailer: Grpc-Status\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '5\r\nhello\r\n0\r\nGrpc-Status: 0\r\nGrpc-Message: fine\r\n\r\n',
      );
    });
    client.headers(1, lines('/call', 'POST'), false);
    client.data(1, 'ask');
    client.headers(1, [['checksum', 'abc']]);
    const { status, body, trailers } = await client.response(1);
    expect({ status, body: body.toString() }).toEqual({ status: 200, body: 'hello' });
    expect([...(trailers ?? [])]).toEqual([
      ['grpc-status', '0'],
      ['grpc-message', 'fine'],
    ]);
    expect(origin.requests[0]?.trailers).toEqual([['checksum', 'abc']]);
    client.destroy();
  });

  test('a response is fetched once, and answered again from the cache', async () => {
    const { client, origin } = await start(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nstored');
    });
    const statuses: (string | undefined)[] = [];
    for (const streamId of [1, 3, 5]) {
      client.headers(streamId, lines('/stored', streamId === 5 ? 'HEAD' : 'GET'));
      const { fields, body } = await client.response(streamId);
      expect(body.toString()).toBe(streamId === 5 ? '' : 'stored');
      expect(fields.get('content-length')).toBe('6');
      statuses.push(fields.get('cache-status')?.split(';')[1]?.trim());
    }
    expect(statuses).toEqual(['fwd=uri-miss', 'hit', 'hit']);
    expect(origin.requests).toHaveLength(1);
    client.destroy();
  });

  test('a response that breaks off at the origin resets the stream, and nothing else', async () => {
    const { client } = await start(async (connection) => {
      const { target } = await connection.readRequest();
      if (target === '/broken') {
        connection.write('HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 100\r\n\r\npart');
        connection.end();
      } else {
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole');
      }
    });
    client.headers(1, lines('/broken'));
    expect(await client.resetOf(1)).toBe(2);
    client.headers(3, lines('/whole'));
    expect((await client.response(3)).body.toString()).toBe('whole');
    client.destroy();
  });
});

describe('work for the origin', () => {
  /** An origin that never answers, and how many of its connections are open. */
  async function startSilent(): Promise<{
    client: Http2TestClient;
    open: () => number;
    origin: ScriptedOrigin;
  }> {
    let open = 0;
    const { client, origin } = await start(async (connection) => {
      open += 1;
      await connection.readToEnd();
      connection.end();
      open -= 1;
    });
    return { client, open: () => open, origin };
  }

  /** Many requests, each a miss of its own, with what follows its head. */
  function flood(count: number, endsStream: boolean, follow: (streamId: number) => Buffer): Buffer {
    const flags = END_HEADERS | (endsStream ? END_STREAM : 0);
    const parts: Buffer[] = [];
    for (let i = 0; i < count; i += 1) {
      const streamId = 2 * i + 1;
      const block = fieldBlock([...lines(`/miss-${i}`), ['cache-control', 'no-store']]);
      parts.push(frameBytes(HEADERS, flags, streamId, block), follow(streamId));
    }
    return Buffer.concat(parts);
  }

  test('of a rapid reset is bounded, and given up', async () => {
    const { client, open, origin } = await startSilent();
    client.write(flood(3_000, true, (streamId) => frameBytes(RST_STREAM, 0, streamId, uint32(8))));
    expect((await client.goAway()).reason).toBe('streams-reset-too-often');
    await client.closed;
    await until('the origin is left alone', () => open() === 0);
    expect(origin.connections).toBeLessThan(2 * HTTP2_LIMITS.resetsBurst);
  });

  test('of resets that the client provokes is bounded, and given up', async () => {
    const { client, open, origin } = await startSilent();
    client.write(flood(3_000, true, (streamId) => frameBytes(WINDOW_UPDATE, 0, streamId, uint32(0))));
    expect((await client.goAway()).reason).toBe('streams-reset-too-often');
    await client.closed;
    await until('the origin is left alone', () => open() === 0);
    expect(origin.connections).toBeLessThan(2 * HTTP2_LIMITS.resetsBurst);
  });

  test('of a client that leaves is given up', async () => {
    const { client, open, origin } = await startSilent();
    client.write(flood(20, true, () => Buffer.alloc(0)));
    await until('the origin has been asked', () => origin.connections === 20);
    client.destroy();
    await until('the origin is left alone', () => open() === 0);
  });
});
