/**
 * What an HTTP/1.1 origin receives when a client over HTTP/2 tries to make it read another request than the edge has
 * judged: nothing, or exactly one request.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { END_HEADERS, END_STREAM, HEADERS, PROTOCOL_ERROR, RST_STREAM } from '#edge/http2/frame.ts';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import {
  connectHttp2,
  type FieldLines,
  fieldBlock,
  type Http2TestClient,
} from '../../support/http2-client.ts';
import {
  type RecordedRequest,
  type ScriptedOrigin,
  startScriptedOrigin,
} from '../../support/scripted-origin.ts';
import { createTestAuthority } from '../../support/test-authority.ts';

const HOST = 'www.example.com';
/** What must never reach the origin as a request of its own. */
const SECOND = 'GET /smuggled HTTP/1.1\r\nHost: www.example.com\r\nX-Smuggled: yes\r\n\r\n';

let edge: TestEdge;
let origin: ScriptedOrigin;

beforeAll(async () => {
  origin = await startScriptedOrigin(async (connection) => {
    for (;;) {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok');
    }
  });
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue([HOST]);
  edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt(origin.url)],
    certificates: [{ hosts: [HOST], certificatePem: cert, privateKeyPem: key }],
  });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

function connect(): Promise<Http2TestClient> {
  const { https } = edge.running;
  if (https === null) throw new Error('the edge has no TLS listener');
  return connectHttp2({ ...https, tls: { serverName: HOST } });
}

function pseudoFields(path: string, method = 'GET'): [string, string][] {
  return [
    [':method', method],
    [':scheme', 'https'],
    [':authority', HOST],
    [':path', path],
  ];
}

/** Sends a request as it is told, then an honest one; returns what the origin got in between. */
async function send(attack: (client: Http2TestClient) => void): Promise<{
  received: readonly RecordedRequest[];
  reset: number | null;
}> {
  const before = origin.requests.length;
  const client = await connect();
  attack(client);
  // Whatever became of it, it is over when it has been answered or reset.
  let reset: number | null = null;
  for (;;) {
    const { type, flags, payload } = await client.takeOf(1);
    if (type === RST_STREAM) reset = payload.readUInt32BE(0);
    if (type === RST_STREAM || (flags & END_STREAM) !== 0) break;
  }
  client.headers(3, pseudoFields('/honest'));
  while (((await client.takeOf(3)).flags & END_STREAM) === 0);
  client.destroy();
  const received = origin.requests.slice(before);
  expect(received.at(-1)?.target).toBe('/honest');
  for (const request of received) {
    expect(request.target).not.toBe('/smuggled');
    expect(request.field('x-smuggled')).toBeNull();
    expect(request.fields.filter(([name]) => name === 'host')).toEqual([['host', HOST]]);
  }
  return { received: received.slice(0, -1), reset };
}

function asLines(lines: FieldLines): (client: Http2TestClient) => void {
  return (client) => client.headers(1, lines);
}

/** A POST with a body and no announced length, then `more`. */
function asPost(fields: FieldLines, body: string, trailers: FieldLines | null = null) {
  return (client: Http2TestClient): void => {
    client.headers(1, [...pseudoFields('/upload', 'POST'), ...fields], false);
    client.data(1, body, trailers === null);
    if (trailers !== null) client.send(HEADERS, END_HEADERS | END_STREAM, 1, fieldBlock(trailers));
  };
}

function changed(name: string, value: string): FieldLines {
  return pseudoFields('/').map(([known, old]) => [known, known === name ? value : old] as const);
}

const NEVER_SENT: readonly (readonly [string, (client: Http2TestClient) => void])[] = [
  ['Content-Length below the content', asPost([['content-length', '3']], `abc${SECOND}`)],
  ['Content-Length above the content', asPost([['content-length', '300']], SECOND)],
  [
    'Content-Length twice',
    asPost(
      [
        ['content-length', '3'],
        ['content-length', '99'],
      ],
      'abc',
    ),
  ],
  ['a list of Content-Length', asPost([['content-length', '3, 3']], 'abc')],
  ['Content-Length with a sign', asPost([['content-length', '+3']], 'abc')],
  ['Content-Length without content', asLines([...pseudoFields('/'), ['content-length', '60']])],
  ['Transfer-Encoding', asPost([['transfer-encoding', 'chunked']], `0\r\n\r\n${SECOND}`)],
  ['Transfer-Encoding in capitals', asPost([['Transfer-Encoding', 'chunked']], `0\r\n\r\n${SECOND}`)],
  ['Transfer-Encoding with a space', asPost([['transfer-encoding ', 'chunked']], `0\r\n\r\n${SECOND}`)],
  [
    'Transfer-Encoding behind a line end',
    asPost([['x', 'a\r\nTransfer-Encoding: chunked']], `0\r\n\r\n${SECOND}`),
  ],
  ['Connection', asLines([...pseudoFields('/'), ['connection', 'x-smuggled']])],
  ['Upgrade', asLines([...pseudoFields('/'), ['upgrade', 'h2c']])],
  ['a value with CR LF', asLines([...pseudoFields('/'), ['x', `a\r\n\r\n${SECOND}`]])],
  ['a value with LF', asLines([...pseudoFields('/'), ['x', 'a\nX-Smuggled: yes']])],
  ['a value with CR', asLines([...pseudoFields('/'), ['x', 'a\rX-Smuggled: yes']])],
  ['a value with NUL', asLines([...pseudoFields('/'), ['x', 'a\0X-Smuggled: yes']])],
  [
    'a cookie with CR LF',
    asLines([...pseudoFields('/'), ['cookie', 'a=b'], ['cookie', 'c\r\nX-Smuggled: yes']]),
  ],
  ['a name with CR LF', asLines([...pseudoFields('/'), ['x: y\r\nx-smuggled', 'yes']])],
  ['a name with a colon', asLines([...pseudoFields('/'), ['x-smuggled:', 'yes']])],
  ['a name with a space', asLines([...pseudoFields('/'), ['x-smuggled yes', 'yes']])],
  [':path with CR LF', asLines(changed(':path', `/ HTTP/1.1\r\nHost: a\r\n\r\n${SECOND}`))],
  [':path with a space', asLines(changed(':path', '/ HTTP/1.1'))],
  [':path with a tab', asLines(changed(':path', '/\tHTTP/1.1'))],
  [':path in absolute form', asLines(changed(':path', 'http://internal.example/smuggled'))],
  [':path that is an authority', asLines(changed(':path', 'internal.example:80'))],
  [':path with a fragment', asLines(changed(':path', '/#/smuggled'))],
  [':method with a request', asLines(changed(':method', `GET / HTTP/1.1\r\nHost: a\r\n\r\n${SECOND}GET`))],
  [':method with a space', asLines(changed(':method', 'GET /smuggled'))],
  [':authority with CR LF', asLines(changed(':authority', `${HOST}\r\nX-Smuggled: yes`))],
  [':authority with a path', asLines(changed(':authority', `${HOST}/smuggled`))],
  [':authority with a user', asLines(changed(':authority', `internal.example@${HOST}`))],
  [':scheme with a target', asLines(changed(':scheme', 'https://internal.example/smuggled?'))],
  ['Host that contradicts', asLines([...pseudoFields('/'), ['host', 'internal.example']])],
  ['Host twice', asLines([...pseudoFields('/'), ['host', HOST], ['host', 'internal.example']])],
  [':path twice', asLines([...pseudoFields('/'), [':path', '/smuggled']])],
  [':path behind fields', asLines([...pseudoFields('/').slice(0, 3), ['x', 'y'], [':path', '/smuggled']])],
];

describe('never reach the origin, and reset their stream', () => {
  for (const [what, attack] of NEVER_SENT) {
    test(what, async () => {
      const { received, reset } = await send(attack);
      expect(received).toEqual([]);
      expect(reset).toBe(PROTOCOL_ERROR);
    });
  }

  for (const [what, trailers] of [
    ['pseudo-fields', [[':path', '/smuggled']]],
    ['Transfer-Encoding', [['transfer-encoding', 'chunked']]],
    ['a value with CR LF', [['checksum', 'a\r\nX-Smuggled: yes']]],
    ['a name with CR LF', [['a\r\n\r\nGET /smuggled HTTP/1.1\r\nx', 'y']]],
  ] as const) {
    test(`trailers with ${what}`, async () => {
      const { received, reset } = await send(asPost([], 'abc', trailers));
      // The head may have gone out; what follows it was never completed.
      expect(received).toEqual([]);
      expect(reset).toBe(PROTOCOL_ERROR);
    });
  }
});

describe('reach the origin as one request', () => {
  test('content that looks like a request', async () => {
    for (const body of [SECOND, `0\r\n\r\n${SECOND}`, `3\r\nabc\r\n0\r\n\r\n${SECOND}`]) {
      const { received } = await send(asPost([], body));
      expect(received.map(({ method, target }) => `${method} ${target}`)).toEqual(['POST /upload']);
      expect(received[0]?.body.toString('latin1')).toBe(body);
      expect(received[0]?.field('transfer-encoding')).toBe('chunked');
      expect(received[0]?.field('content-length')).toBeNull();
    }
  });

  test('content of an announced length', async () => {
    const { received } = await send(asPost([['content-length', String(SECOND.length)]], SECOND));
    expect(received[0]?.body.toString('latin1')).toBe(SECOND);
    expect(received[0]?.field('content-length')).toBe(String(SECOND.length));
    expect(received[0]?.field('transfer-encoding')).toBeNull();
  });

  test('content of a GET', async () => {
    const { received } = await send((client) => {
      client.headers(1, pseudoFields('/get'), false);
      client.data(1, SECOND, true);
    });
    expect(received.map(({ method, target }) => `${method} ${target}`)).toEqual(['GET /get']);
    expect(received[0]?.body.toString('latin1')).toBe(SECOND);
  });

  test('trailers that would change what came before are left out', async () => {
    const trailers: FieldLines = [
      ['checksum', 'abc'],
      ['content-length', '0'],
      ['host', 'internal.example'],
      ['authorization', 'secret'],
      ['te', 'trailers'],
    ];
    const { received } = await send(asPost([['trailer', 'checksum']], 'abc', trailers));
    expect(received[0]?.trailers).toEqual([['checksum', 'abc']]);
    expect(received[0]?.body.toString()).toBe('abc');
  });

  test('Host beside :authority is one Host', async () => {
    const { received } = await send(asLines([...pseudoFields('/host'), ['host', HOST.toUpperCase()]]));
    expect(received.map(({ target }) => target)).toEqual(['/host']);
  });

  test('odd paths go as they are', async () => {
    for (const path of ['//internal.example/a', '/a?b=c&d', '/%0D%0AX-Smuggled:%20yes', '/a\\b', '/..;/a']) {
      const { received } = await send(asLines(changed(':path', path)));
      expect(received.map(({ target }) => target)).toEqual([path]);
    }
  });
});
