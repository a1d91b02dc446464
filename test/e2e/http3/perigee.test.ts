/** A whole Perigee with HTTP/3: Chromium loads a page over it, and its process may die without harm. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import { connect as connectTls } from 'node:tls';
import type { Browser } from 'playwright-core';
import { mix32 } from '#core/base/mix32.ts';
import { launchChromium, openPage } from '../../browser/chromium.ts';
import { connectHttp3 } from '../../support/http3-client.ts';
import { type PerigeeProcess, partProcess, runPerigee, startPerigee } from '../../support/perigee-process.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';
const HTTP3_PART = 'edge:local/http3';
const MIB = 1024 * 1024;
const START_MS = 60_000;

let origin: Server;
let perigee: PerigeeProcess;
let address: string;
let port: number;

/** What the page asks for beside itself. */
const SUBRESOURCES = ['/style.css', '/script.js', '/picture.svg', '/data.json'];
const PAGE = `<!doctype html><html lang="en"><head><title>Over HTTP/3</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"><script src="/script.js"></script></head>
<body><img src="/picture.svg" alt=""></body></html>`;
const CONTENT: Readonly<Record<string, readonly [string, string]>> = {
  '/': ['text/html', PAGE],
  '/style.css': ['text/css', 'body { color: black }'],
  '/script.js': ['text/javascript', "globalThis.loaded = fetch('/data.json').then((r) => r.json());"],
  '/picture.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'],
  '/data.json': ['application/json', '[1, 2, 3]'],
};

async function startOrigin(): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const [type, text] = CONTENT[path] ?? ['application/octet-stream', ''];
    response.setHeader('Content-Type', type);
    response.setHeader('Cache-Control', path.startsWith('/big') ? 'no-store' : 'max-age=600');
    if (path === '/upload') {
      let bytes = 0;
      request.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      request.on('end', () => response.end(String(bytes)));
    } else if (path.startsWith('/big')) response.end(Buffer.alloc(MIB, path));
    else response.end(path.startsWith('/many') ? path : text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

beforeAll(async () => {
  origin = await startOrigin();
  const bound = origin.address();
  const originPort = typeof bound === 'object' && bound !== null ? bound.port : 0;
  perigee = await startPerigee('--no-demo', '--http3', '--site', `${HOST}=http://127.0.0.1:${originPort}`);
  [address = '', port = 0] = readPlace(perigee.http3 ?? '');
}, START_MS);

afterAll(async () => {
  origin.close();
  expect(await perigee.stop()).toBe(0);
}, START_MS);

function readPlace(place: string): [string, number] {
  const colon = place.lastIndexOf(':');
  return [place.slice(0, colon), Number(place.slice(colon + 1))];
}

/** What the TLS listener answers to one request: the whole text. */
function overTls(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const [host, tlsPort] = readPlace(perigee.https);
    const options = { host, port: tlsPort, servername: HOST, rejectUnauthorized: false };
    const socket = connectTls(options, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

/** The public key of the certificate served, as Chromium is told to trust it. */
async function servedKey(): Promise<string> {
  const [host, tlsPort] = readPlace(perigee.https);
  const socket = connectTls({ host, port: tlsPort, servername: HOST, rejectUnauthorized: false });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  const key = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

describe('Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium([
      '--enable-quic',
      `--origin-to-force-quic-on=${HOST}:${port}`,
      `--ignore-certificate-errors-spki-list=${await servedKey()}`,
      `--host-resolver-rules=MAP ${HOST} ${address}`,
      '--no-proxy-server',
    ]);
  }, START_MS);

  afterAll(() => browser?.close());

  test('loads a page, large bodies, an upload and many requests at a time, all over h3', async () => {
    const { page, complaints } = await openPage(browser);
    const response = await page.goto(`https://${HOST}:${port}/`);
    expect(response?.status()).toBe(200);
    expect(await page.evaluate('globalThis.loaded')).toEqual([1, 2, 3]);
    const done = await page.evaluate<{ big: number[]; upload: string; many: string[] }>(`(async () => {
      const sizeOf = async (path) => (await (await fetch(path)).arrayBuffer()).byteLength;
      const textOf = async (path, init) => (await fetch(path, init)).text();
      const big = await Promise.all([1, 2, 3].map((n) => sizeOf('/big' + n)));
      const upload = await textOf('/upload', { method: 'POST', body: new Uint8Array(${3 * MIB}) });
      const many = await Promise.all(Array.from({ length: 50 }, (_, n) => textOf('/many?' + n)));
      return { big, upload, many };
    })()`);
    expect(done.big).toEqual([MIB, MIB, MIB]);
    expect(done.upload).toBe(String(3 * MIB));
    expect(done.many).toEqual(Array.from({ length: 50 }, () => '/many'));
    const protocols = await page.evaluate<[string, string][]>(`
      ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
        .map(({ name, nextHopProtocol }) => [new URL(name).pathname, nextHopProtocol])
    `);
    expect(protocols.filter(([, protocol]) => protocol !== 'h3')).toEqual([]);
    const paths = new Set(protocols.map(([path]) => path));
    for (const path of ['/', ...SUBRESOURCES, '/big1', '/big2', '/big3', '/upload', '/many'])
      expect(paths).toContain(path);
    expect(protocols.length).toBe(1 + SUBRESOURCES.length + 3 + 1 + 50);
    expect(complaints).toEqual([]);
  }, 30_000);
});

test('the TLS listener says where HTTP/3 is', async () => {
  expect(await overTls('/')).toContain(`\r\nAlt-Svc: h3=":${port}"; ma=86400\r\n`);
});

test('requests are counted by version', async () => {
  const text = await (await fetch(`http://${perigee.api}/metrics`)).text();
  const count = (version: string, part: string) =>
    Number(
      new RegExp(`^perigee_edge_requests_${version}_total\\{part="${part}"\\} (\\d+)$`, 'm').exec(text)?.[1],
    );
  expect(count('http3', HTTP3_PART)).toBeGreaterThanOrEqual(59);
  expect(count('http1', HTTP3_PART)).toBe(0);
  expect(count('http1', 'edge:local/0')).toBeGreaterThanOrEqual(1);
  expect(count('http3', 'edge:local/0')).toBe(0);
});

/** What strangers may send to a UDP port: noise, and packets that look like the beginning of a connection. */
const NOISE: readonly ((number: number) => Uint8Array)[] = [
  (number) => noise(number, 1 + (number % 1400)),
  (number) => Buffer.concat([Buffer.of(0x40 | (number % 64)), noise(number, 60)]),
  (number) => longHeader(number, 1),
  (number) => longHeader(number, 0xfafafafa),
];

/** The same bytes for the same number. */
function noise(number: number, length: number): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, at) => mix32(number * 4096 + at));
  return new Uint8Array(words.buffer, 0, length);
}

function longHeader(number: number, version: number): Uint8Array {
  const packet = Buffer.alloc(1200);
  packet[0] = 0xc3;
  packet.writeUInt32BE(version, 1);
  // Connection ids of eight bytes each, no token, the length of the rest.
  packet[5] = 8;
  packet.set(noise(number, 8), 6);
  packet[14] = 8;
  packet.set(noise(number, 8), 15);
  packet.writeUInt16BE(0x4000 | (1200 - 26), 24);
  packet.set(noise(number, 64), 26);
  return packet;
}

test('50,000 datagrams of no use, of four kinds, and both ways in still answer', async () => {
  const parts = ['edge:local/0', HTTP3_PART];
  const processes = parts.map((part) => partProcess(perigee, part));
  const socket = createSocket('udp4');
  for (const make of NOISE) {
    for (let sent = 0; sent < 12_500; sent += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => {
          return new Promise<void>((resolve) =>
            socket.send(make(sent + index), port, address, () => resolve()),
          );
        }),
      );
    }
    await using client = await connectHttp3({ address, port });
    expect((await client.request('/style.css')).status).toBe(200);
    expect(await overTls('/style.css')).toStartWith('HTTP/1.1 200 OK');
  }
  socket.close();
  // Replies to a port that is closed by now are no reason to be silent to others.
  await using client = await connectHttp3({ address, port });
  expect((await client.request('/style.css')).status).toBe(200);
  expect(parts.map((part) => partProcess(perigee, part))).toEqual(processes);
}, 30_000);

test('the process of HTTP/3 is killed: TCP does not notice, and it is started again', async () => {
  const killed = partProcess(perigee, HTTP3_PART) as number;
  const worker = partProcess(perigee, 'edge:local/0');
  let isOver = false;
  const answers: string[] = [];
  const users = Array.from({ length: 4 }, async () => {
    while (!isOver) answers.push((await overTls('/style.css')).slice(0, 15));
  });
  process.kill(killed, 'SIGKILL');
  await until('it runs again', () => (partProcess(perigee, HTTP3_PART) ?? killed) !== killed);
  const body = await until('HTTP/3 is served again', async () => {
    await using client = await connectHttp3({ address, port });
    return (await client.request('/style.css')).body.toString() || null;
  });
  isOver = true;
  await Promise.all(users);
  expect(body).toBe('body { color: black }');
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 200 OK']));
  expect(partProcess(perigee, 'edge:local/0')).toBe(worker);
}, 30_000);

test('the workers of TCP are killed: connections over HTTP/3 live on', async () => {
  await using client = await connectHttp3({ address, port });
  expect((await client.request('/data.json')).status).toBe(200);
  const worker = partProcess(perigee, 'edge:local/0') as number;
  process.kill(worker, 'SIGKILL');
  await until('it runs again', () => (partProcess(perigee, 'edge:local/0') ?? worker) !== worker);
  expect((await client.request('/data.json')).status).toBe(200);
});

test('a reload replaces its process in turn', async () => {
  const former = partProcess(perigee, HTTP3_PART);
  const { exitCode, err } = await runPerigee(['reload', '--data', perigee.dataDirectory]);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  expect(partProcess(perigee, HTTP3_PART)).not.toBe(former);
  await using client = await connectHttp3({ address, port });
  expect((await client.request('/style.css')).body.toString()).toBe('body { color: black }');
}, 30_000);

test('a UDP port that is taken ends the start with one line', async () => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) =>
    socket.bind({ address: '127.0.0.1', port: 0, exclusive: true }, resolve),
  );
  const place = `127.0.0.1:${socket.address().port}`;
  const free = ['--http', '--dns', '--api'].flatMap((option) => [option, '127.0.0.1:0']);
  const data = `${perigee.dataDirectory}-other`;
  const { exitCode, err } = await runPerigee([
    ...['up', '--no-demo', '--http3', '--https', place, '--data', data],
    ...free,
  ]);
  socket.close();
  expect(exitCode).not.toBe(0);
  expect(err).toBe(`perigee: --https ${place}: the port is in use; stop what uses it or choose another\n`);
});
