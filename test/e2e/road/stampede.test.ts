/** Crowds: ten thousand at once, an origin in trouble, clients that leave. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { SiteInput } from '#core/model/site.ts';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { connectHttp2, type Http2Response, type Http2TestClient } from '../../support/http2-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { createBarrier, type ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });

beforeEach(async () => {
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, acceptsH2c: true, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

const KEPT: [string, string] = ['Cache-Control', 'max-age=60'];
const configure = (more: Partial<SiteInput>): void => edge.publish([siteAt(origin.url, more)]);

async function arrived(count: number): Promise<void> {
  await until(`${count} requests have arrived`, async () => {
    const { counters } = await edge.status();
    return (counters.perigee_edge_exchanges_total ?? 0) >= count;
  });
}

const begin = (count: number, path: string): Promise<RawClient[]> =>
  Promise.all(Array.from({ length: count }, () => edge.begin(path)));

const destroyAll = (clients: readonly RawClient[]): void => {
  for (const client of clients) client.destroy();
};

/** The answers to the streams of one connection, in order: their field blocks build on one another. */
async function answersOf(client: Http2TestClient, streams: number): Promise<Http2Response[]> {
  const answers: Http2Response[] = [];
  for (let stream = 0; stream < streams; stream++) answers.push(await client.response(2 * stream + 1));
  return answers;
}

describe('a crowd', () => {
  test('DE17 10,000 simultaneous misses are one origin request', async () => {
    const [connections, streams] = [100, 100];
    const body = 'x'.repeat(500);
    const mayAnswer = createBarrier();
    answer = async () => {
      await mayAnswer.opened;
      return { fields: [KEPT], body };
    };
    const { address, port } = edge.address;
    const clients = await Promise.all(
      Array.from({ length: connections }, () => connectHttp2({ address, port, tls: null })),
    );
    for (const client of clients) {
      for (let stream = 0; stream < streams; stream++) {
        client.request(2 * stream + 1, '/burst', { authority: 'www.example.com' });
      }
    }
    await arrived(connections * streams);
    await until('the origin is asked', () => origin.requests.length > 0);
    mayAnswer.open();
    const answers = (await Promise.all(clients.map((client) => answersOf(client, streams)))).flat();
    expect(answers.length).toBe(10_000);
    expect(answers.every(({ status, body: got }) => status === 200 && got.toString() === body)).toBe(true);
    expect(origin.requests.length).toBe(1);
    for (const client of clients) client.destroy();
  });

  test('DE17 an error that cannot be stored is one origin request all the same', async () => {
    const mayAnswer = createBarrier();
    answer = async () => {
      await mayAnswer.opened;
      return { status: 503, body: 'in trouble' };
    };
    const clients = await begin(50, '/error');
    await arrived(50);
    mayAnswer.open();
    const responses = await Promise.all(clients.map((client) => client.readResponse()));
    expect(responses.every(({ status, text }) => status === 503 && text === 'in trouble')).toBe(true);
    expect(origin.requests.length).toBe(1);
    const told = new Set(responses.map((response) => response.field('cache-status')));
    expect([...told].sort()).toEqual([
      'Perigee; fwd=uri-miss; collapsed; detail=no-lifetime',
      'Perigee; fwd=uri-miss; detail=no-lifetime',
    ]);
    await edge.request('/error');
    expect(origin.requests.length).toBe(2);
    destroyAll(clients);
  });

  test('DE17 an error with a cookie is for each of them', async () => {
    const mayAnswer = createBarrier();
    answer = async () => {
      await mayAnswer.opened;
      return { status: 503, fields: [['Set-Cookie', 'a=b']], body: 'in trouble' };
    };
    const clients = await begin(5, '/mine');
    await arrived(5);
    mayAnswer.open();
    await Promise.all(clients.map((client) => client.readResponse()));
    expect(origin.requests.length).toBe(5);
    destroyAll(clients);
  });

  test('DE17 when the fetch breaks off, all are told, and nothing is stored', async () => {
    const mayBreak = createBarrier();
    answer = async (_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nfirst');
      await mayBreak.opened;
      connection.reset();
      return undefined;
    };
    const clients = await begin(10, '/broken');
    await Promise.all(clients.map((client) => client.readHead()));
    mayBreak.open();
    for (const client of clients) await expect(client.readBytes(9)).rejects.toThrow();
    answer = () => ({ fields: [KEPT], body: 'whole' });
    expect((await edge.request('/broken')).text).toBe('whole');
    expect(origin.requests.length).toBe(2);
    destroyAll(clients);
  });
});

describe('who leaves', () => {
  const figure = async (name: string): Promise<number> =>
    (await edge.status()).counters[`perigee_edge_${name}`] ?? -1;

  /** Two clients wait for the head, or read the body, and leave; the barrier lets the origin go on. */
  async function leaveBoth(isHeadSent: boolean) {
    const mayGoOn = createBarrier();
    answer = async (_request, connection) => {
      const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\n';
      if (isHeadSent) connection.write(`${head}first`);
      await mayGoOn.opened;
      connection.write(isHeadSent ? 'last' : `${head}firstlast`);
      return undefined;
    };
    const clients = await begin(2, '/left');
    await arrived(2);
    await until('the origin is asked', () => origin.requests.length > 0);
    if (isHeadSent) await Promise.all(clients.map((client) => client.readHead()));
    // Who only stops sending may still want the answer.
    for (const client of clients) client.reset();
    await until('both have left', async () => (await figure('connections_open')) === 0);
    return mayGoOn;
  }

  test.each([false, true])('DE17 the fetch goes on (its head has come: %p)', async (isHeadSent) => {
    const mayGoOn = await leaveBoth(isHeadSent);
    expect(await figure('fills_open')).toBe(1);
    mayGoOn.open();
    await until('it is stored', async () => (await edge.request('/left')).text === 'firstlast');
    expect(origin.requests.length).toBe(1);
  });

  test.each([false, true])('DE17 or not, as the site says (its head has come: %p)', async (isHeadSent) => {
    configure({ finishFills: false });
    const mayGoOn = await leaveBoth(isHeadSent);
    await until('the fetch is given up', async () => (await figure('fills_open')) === 0);
    answer = () => ({ fields: [KEPT], body: 'again' });
    expect((await edge.request('/left')).text).toBe('again');
    mayGoOn.open();
  });
});
