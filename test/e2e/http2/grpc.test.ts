/** What gRPC needs of a CDN: HTTP/2 at both ends, streams both ways at once, trailers that arrive. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { createTestAuthority } from '../../support/test-authority.ts';

let origin: Http2Server;
let edge: TestEdge;
let client: ClientHttp2Session;

/** Echoes each message at once, and says at the end how many there were. */
function echo(stream: ServerHttp2Stream): void {
  let messages = 0;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-messages': `${messages}` }));
  stream.on('data', (part: Buffer) => {
    messages += 1;
    stream.write(part);
  });
  stream.on('end', () => stream.end());
}

beforeAll(async () => {
  origin = createServer();
  origin.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    if (headers[':path'] === '/echo') echo(stream);
    // An error without any message: the head is all there is ("Trailers-Only").
    else stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['www.example.com']);
  edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt('', { origins: [{ url: `http://127.0.0.1:${port}`, http2: true }] })],
    certificates: [{ hosts: ['www.example.com'], certificatePem: cert, privateKeyPem: key }],
  });
  client = connect(`https://127.0.0.1:${edge.running.https?.port}`, {
    servername: 'www.example.com',
    ca: authority.certificate,
  });
});

afterAll(async () => {
  client.destroy();
  await edge[Symbol.asyncDispose]();
  origin.close();
});

function call(path: string): ClientHttp2Stream {
  return client.request({
    ':method': 'POST',
    ':path': path,
    ':authority': 'www.example.com',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
}

describe('a gRPC call', () => {
  test('streams both ways at once: each answer comes before the next question', async () => {
    const stream = call('/echo');
    const trailers = once(stream, 'trailers') as Promise<[IncomingHttpHeaders]>;
    for (const question of ['one', 'two', 'three']) {
      const answer = once(stream, 'data') as Promise<[Buffer]>;
      stream.write(question);
      expect((await answer)[0].toString()).toBe(question);
    }
    stream.end();
    stream.resume();
    const [received] = await trailers;
    expect(received['grpc-status']).toBe('0');
    expect(received['x-messages']).toBe('3');
  });

  test('that fails without a message has its status', async () => {
    const stream = call('/unknown');
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(headers['grpc-status']).toBe('12');
    stream.end();
    stream.resume();
    await once(stream, 'close');
  });
});
