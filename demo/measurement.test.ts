import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode } from 'dns-packet';
import { type Measurement, measureUser } from './measurement.ts';
import { referencesOf } from './page-load.ts';
import { DEMO_USERS } from './plan.ts';
import { renderMeasurements, summarise } from './report.ts';
import { resolveFor } from './resolve.ts';

const HOST = 'shop.cdn.test';
const PAGE = `<link rel="stylesheet" href="/a.css"><script src="/b.js" defer></script>
<a href="/elsewhere"><img alt="x" src="/c.jpg"></a><img src="/c.jpg"><video src="/film.mp4"></video>
<link rel="icon" href="data:,"><img src="https://elsewhere.example/d.jpg">`;
const user = DEMO_USERS.find(({ city }) => city === 'London') ?? DEMO_USERS[0];

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A name server that says what `answer` makes of each question. */
async function serveDns(answer: (query: DecodedPacket) => { answers?: Answer[]; rcode?: number } | null) {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => {
    const query = decode(bytes);
    const said = answer(query);
    if (said === null) return;
    const { answers = [], rcode = 0 } = said;
    const reply = {
      type: 'response',
      id: query.id ?? 0,
      flags: rcode,
      questions: query.questions ?? [],
      answers,
    };
    socket.send(encode(reply as Parameters<typeof encode>[0]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closers.push(() => socket.close());
  return { address: '127.0.0.1', port: socket.address().port };
}

const addressOf = (data: string): Answer => ({ type: 'A', name: HOST, ttl: 30, data });

describe('resolving as a user', () => {
  test("the question carries the first 24 bits of the user's address", async () => {
    let asked: DecodedPacket | undefined;
    const dns = await serveDns((query) => {
      asked = query;
      return { answers: [addressOf('127.0.1.2'), addressOf('127.0.1.1')] };
    });
    expect(await resolveFor(dns, HOST, '41.215.160.99')).toEqual(['127.0.1.2', '127.0.1.1']);
    expect(asked?.questions).toMatchObject([{ name: HOST, type: 'A' }]);
    expect(asked?.additionals).toMatchObject([
      { type: 'OPT', options: [{ code: 8, sourcePrefixLength: 24, ip: '41.215.160.0' }] },
    ]);
  });

  test('a lost answer is asked for again', async () => {
    let asked = 0;
    const dns = await serveDns(() => {
      asked += 1;
      return asked === 1 ? null : { answers: [addressOf('127.0.1.2')] };
    });
    expect(await resolveFor(dns, HOST, '41.215.160.1')).toEqual(['127.0.1.2']);
  }, 20_000);

  test('no such name is said so', async () => {
    const dns = await serveDns(() => ({ rcode: 3 }));
    await expect(resolveFor(dns, HOST, '41.215.160.1')).rejects.toThrow(
      `gives no address for ${HOST} (NXDOMAIN)`,
    );
  });
});

test('a page refers to its style sheets, scripts and pictures, each once, and to nothing else', () => {
  expect(referencesOf(PAGE).toSorted()).toEqual(['/a.css', '/b.js', '/c.jpg']);
});

describe('measuring a user', () => {
  const servers: http.Server[] = [];
  /** An origin, and an "edge" that knows nothing before it was asked once after a purge. */
  let originPort = 0;
  let edgePort = 0;
  let stored = new Set<string>();

  async function serve(address: string, answer: (path: string) => Record<string, string>): Promise<number> {
    const server = http.createServer((request, response) => {
      const path = request.url ?? '';
      response.writeHead(request.headers.host === HOST ? 200 : 421, answer(path));
      response.end(path === '/' ? PAGE : 'x'.repeat(1000));
    });
    server.listen(0, address);
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  beforeAll(async () => {
    originPort = await serve('127.0.0.1', () => ({}));
    edgePort = await serve('127.0.1.2', (path) => {
      const status = stored.has(path) ? 'Perigee; hit; ttl=60' : 'Perigee; fwd=uri-miss; stored';
      stored.add(path);
      return { 'cache-status': status };
    });
  });
  afterAll(() => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function measure(answer: string): Promise<Measurement> {
    if (user === undefined) throw new Error('no user');
    const dns = await serveDns(() => ({ answers: [addressOf(answer)] }));
    return measureUser(user, {
      host: HOST,
      dns,
      origin: { address: '127.0.0.1', port: originPort },
      edgePort,
      runs: 1,
      purgeEverything: async () => {
        stored = new Set();
      },
    });
  }

  test('goes where DNS says, first cold, then warm, over the distances', async () => {
    const measured = await measure('127.0.1.2');
    expect(measured).toMatchObject({ city: 'London', popId: 'fra' });
    expect(measured.originKm).toBeGreaterThan(8000);
    expect(measured.popKm).toBeLessThan(700);
    const bodyBytes = PAGE.length + 3000;
    expect(measured.direct).toMatchObject({ requests: 4, bodyBytes, bytesFromCache: 0 });
    expect(measured.cold).toMatchObject({ requests: 4, bodyBytes, bytesFromCache: 0 });
    expect(measured.warm).toMatchObject({ requests: 4, bodyBytes, bytesFromCache: bodyBytes });
    // A handshake and a question: two round trips of 136 ms to Los Angeles.
    expect(measured.direct.firstByteMs).toBeGreaterThan(2 * measured.originRoundTripMs - 2);
  }, 30_000);

  test('an address that is no POP of the demo is an error, not a figure', async () => {
    await expect(measure('192.0.2.7')).rejects.toThrow('DNS sends London to 192.0.2.7');
  });
});

test('the report: nearest first, then what it says', () => {
  const load = (firstByteMs: number, pageMs: number, bytesFromCache: number) => ({
    firstByteMs,
    pageMs,
    requests: 43,
    bodyBytes: 761_494,
    bytesFromCache,
  });
  const near: Measurement = {
    city: 'San Francisco',
    popId: 'lax',
    popName: 'Los Angeles',
    originKm: 559,
    popKm: 559,
    originRoundTripMs: 13.4,
    popRoundTripMs: 13.4,
    direct: load(110, 320, 0),
    cold: load(130, 400, 0),
    warm: load(28, 140, 761_494),
  };
  const far: Measurement = {
    ...near,
    city: 'Bengaluru',
    popName: 'Mumbai',
    originKm: 14_524,
    popKm: 845,
    originRoundTripMs: 223,
    direct: load(530, 2420, 0),
    warm: load(36, 168, 761_494),
  };
  const table = renderMeasurements([far, near]);
  expect(table.split('\n').map((line) => line.trim().replace(/ {2,}/g, '|'))).toEqual([
    'USER IN|KM TO ORIGIN|POP|KM TO POP|FIRST BYTE: DIRECT|CDN|PAGE: DIRECT|CDN, FIRST VIEW|CDN|FROM ORIGIN: DIRECT|CDN|FASTER',
    'San Francisco|559|Los Angeles|559|110 ms|28 ms|320 ms|400 ms|140 ms|761 kB|0 B|2.3×',
    'Bengaluru|14,524|Mumbai|845|530 ms|36 ms|2,420 ms|400 ms|168 ms|761 kB|0 B|14.4×',
    '',
  ]);
  expect(summarise([far, near])).toBe(
    `Without a CDN, Bengaluru is 16.6× as far from the shop in round-trip time as San Francisco, and waits 7.6× as long: 2,420 ms against 320 ms.
Through Perigee the waits reach from 140 ms (San Francisco) to 168 ms (Bengaluru): 1.2×.
A page is 43 requests and 761 kB; distance is propagation alone (5 ms + 1.5 ms per 100 km and round trip), without limits of bandwidth and without loss.
`,
  );
});
