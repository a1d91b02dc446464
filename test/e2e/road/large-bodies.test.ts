/** Bodies of many megabytes: they go to a disk as they arrive, and leave as they lie there, whoever asks for what of them. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { fileOnBun } from '../../support/runtime.ts';
import { createBarrier } from '../../support/scripted-origin.ts';
import { makeCertificate } from '../../support/test-authority.ts';
import { until } from '../../support/until.ts';

fileOnBun('only Bun maps files');

const MIB = 1024 * 1024;
const HOST = 'www.example.com';
/** Neither a multiple of a chunk nor of a page. */
const LENGTH = 21 * MIB + 12_345;
/** No two chunks of it are alike. */
const BODY = Buffer.alloc(LENGTH);
for (let at = 0; at + 4 <= LENGTH; at += 4) BODY.writeUInt32LE(Math.imul(at + 1, 0x9e37_79b1) >>> 0, at);

let folder: string;
let origin: Server;
let edge: TestEdge;
let requests: string[];
/** Where the origin stands still, octets of the body; and until when. */
let stopsAt: number;
let barrier: ReturnType<typeof createBarrier> | null;
/** Where it breaks off, octets. */
let breaksAt: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perigee-large-'));
  requests = [];
  barrier = null;
  stopsAt = LENGTH;
  breaksAt = LENGTH;
  origin = createServer((incoming, answer) => void respond(incoming, answer)).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const { port } = origin.address() as AddressInfo;
  edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt(`http://127.0.0.1:${port}`)],
    certificates: [await makeCertificate([HOST])],
    storage: {
      ownBytes: 6 * MIB,
      shared: { path: join(folder, 'memory'), byteLength: 4 * MIB, insteadBytes: MIB },
      disks: [
        {
          folder: join(folder, 'disk'),
          byteLength: 128 * MIB,
          indexPath: join(folder, 'index'),
          writeBytesPerSecond: null,
        },
      ],
    },
  });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  origin.closeAllConnections();
  origin.close();
  rmSync(folder, { recursive: true });
});

async function respond(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  requests.push(incoming.url ?? '');
  answer.setHeader('Cache-Control', 'max-age=600');
  answer.setHeader('ETag', '"one"');
  if (incoming.url?.startsWith('/known') === true) answer.setHeader('Content-Length', LENGTH);
  for (let at = 0; at < breaksAt; at += MIB) {
    if (at >= stopsAt) await barrier?.opened;
    if (!answer.write(BODY.subarray(at, Math.min(at + MIB, LENGTH)))) await once(answer, 'drain');
  }
  if (breaksAt < LENGTH) answer.destroy();
  else answer.end();
}

interface Got {
  readonly status: number;
  readonly sum: string;
  readonly byteLength: number;
}

const sumOf = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
const SUM = sumOf(BODY);

async function got(status: number, parts: AsyncIterable<Buffer>): Promise<Got> {
  const hash = createHash('md5');
  let byteLength = 0;
  for await (const part of parts) {
    hash.update(part);
    byteLength += part.byteLength;
  }
  return { status, sum: hash.digest('hex'), byteLength };
}

type Headers = Record<string, string>;

async function overPlain(path: string, headers: Headers = {}): Promise<Got> {
  const { address, port } = edge.address;
  const outgoing = request({ host: address, port, path, agent: false, headers: { host: HOST, ...headers } });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return got(response.statusCode ?? 0, response);
}

async function overTls(path: string, headers: Headers = {}): Promise<Got> {
  const { address, port } = edge.running.https as AddressInfo & { address: string };
  const where = { host: address, port, path, agent: false, servername: HOST, rejectUnauthorized: false };
  const outgoing = requestTls({ ...where, headers: { host: HOST, ...headers } });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return got(response.statusCode ?? 0, response);
}

async function overHttp2(path: string, headers: Headers = {}): Promise<Got> {
  const { address, port } = edge.running.https as AddressInfo & { address: string };
  const session = connectHttp2(`https://${address}:${port}`, { servername: HOST, rejectUnauthorized: false });
  const stream = session.request({ ':path': path, ':authority': HOST, ...headers });
  const [fields] = (await once(stream, 'response')) as [{ ':status'?: number }];
  const result = await got(fields[':status'] ?? 0, stream);
  session.close();
  return result;
}

const WAYS = [
  ['plain', overPlain],
  ['TLS', overTls],
  ['HTTP/2', overHttp2],
] as const;
const WHOLE: Got = { status: 200, sum: SUM, byteLength: LENGTH };

const onDisk = (count: number): Promise<unknown> =>
  until('it lies on the disk', async () => {
    const { storage } = await edge.status();
    return storage?.tiers.some(({ tier, storedResponses }) => tier === 'disk' && storedResponses === count);
  });

/** Has it stored for http and for https. */
async function storeBoth(path: string): Promise<void> {
  for (const get of [overPlain, overTls]) expect(await get(path)).toEqual(WHOLE);
  await onDisk(2);
  expect(requests).toEqual([path, path]);
}

describe('a body larger than the worker’s memory', () => {
  for (const path of ['/known', '/unknown']) {
    test(`is stored and served whole, over every kind of connection: ${path}`, async () => {
      await storeBoth(path);
      for (const [name, get] of WAYS) {
        for (let round = 0; round < 2; round++)
          expect({ name, ...(await get(path)) }).toEqual({ name, ...WHOLE });
      }
      expect(requests).toEqual([path, path]);
    });
  }

  test('any range of it is served, within a chunk and across chunks', async () => {
    await storeBoth('/known');
    const ranges = [
      [0, 1],
      [MIB - 1, MIB + 1],
      [5 * MIB + 17, 9 * MIB - 3],
      [LENGTH - 7, LENGTH],
    ] as const;
    for (const [start, end] of ranges) {
      for (const [, get] of WAYS) {
        const { sum, ...rest } = await get('/known', { range: `bytes=${start}-${end - 1}` });
        expect(rest).toEqual({ status: 206, byteLength: end - start });
        expect(sum).toBe(sumOf(BODY.subarray(start, end)));
      }
    }
    expect(requests).toEqual(['/known', '/known']);
  });

  test('who comes while it arrives gets it whole, early, late, and after the origin stood still', async () => {
    barrier = createBarrier();
    stopsAt = 15 * MIB;
    const early = [overPlain('/unknown'), overTls('/unknown')];
    await until('the origin has been asked', () => requests.length === 2);
    await until('much of it is on the disk', async () => {
      const { storage } = await edge.status();
      return storage?.tiers.some(({ tier, bodyBytes }) => tier === 'disk' && bodyBytes > 20 * MIB);
    });
    const late = WAYS.map(([, get]) => get('/unknown'));
    barrier.open();
    expect(await Promise.all([...early, ...late])).toEqual(Array.from({ length: 5 }, () => WHOLE));
    expect(requests).toEqual(['/unknown', '/unknown']);
  });

  test('one who reads slowly holds up nobody, and gets all of it', async () => {
    await overPlain('/known');
    await onDisk(1);
    const slow = await edge.begin('/known');
    await slow.readHead();
    expect(await overPlain('/known')).toEqual(WHOLE);
    const hash = createHash('md5');
    for (let at = 0; at < LENGTH; at += 3 * MIB)
      hash.update(await slow.readBytes(Math.min(3 * MIB, LENGTH - at)));
    expect(hash.digest('hex')).toBe(SUM);
    slow.destroy();
  });

  test('one who leaves in the middle leaves nothing amiss', async () => {
    await overPlain('/known');
    await onDisk(1);
    for (let i = 0; i < 20; i++) {
      const leaving = await edge.begin('/known');
      await leaving.readBytes(i * 100_000 + 1);
      leaving.destroy();
    }
    expect(await overPlain('/known')).toEqual(WHOLE);
    expect(requests).toEqual(['/known']);
  });

  test('of one that breaks off nothing is kept', async () => {
    breaksAt = 12 * MIB;
    await overPlain('/known').catch(() => null);
    await until('nothing of it is left', async () => {
      const { storage } = await edge.status();
      return storage?.tiers.every(({ bodyBytes }) => bodyBytes === 0);
    });
    breaksAt = LENGTH;
    expect(await overPlain('/known')).toEqual(WHOLE);
    expect(requests).toEqual(['/known', '/known']);
  });
});
