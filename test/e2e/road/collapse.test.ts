/** Many requests, one fetch: collapsing, sharing what arrives, and what must never be shared. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
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
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
  expect(origin.scriptErrors).toEqual([]);
});

const counter = async (name: string): Promise<number> =>
  (await edge.status()).counters[`perigee_edge_${name}`] ?? 0;
const exchanges = (count: number): Promise<boolean> =>
  until(`${count} requests have arrived`, async () => (await counter('exchanges_total')) >= count);

/** `count` clients that have asked for `path` and wait. */
async function waiting(count: number, path: string, fields: readonly (readonly [string, string])[] = []) {
  const clients = await Promise.all(Array.from({ length: count }, () => edge.connect()));
  for (const client of clients) {
    let text = `GET ${path} HTTP/1.1\r\nHost: www.example.com\r\n`;
    for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
    client.write(`${text}\r\n`);
  }
  return clients;
}

const destroyAll = (clients: readonly RawClient[]): void => {
  for (const client of clients) client.destroy();
};

describe('request collapsing', () => {
  test('1,000 simultaneous misses are one origin request; all get the first bytes before the origin has finished', async () => {
    const [mayBegin, mayFinish] = [createBarrier(), createBarrier()];
    const first = 'a'.repeat(5_000);
    const second = 'b'.repeat(70_000);
    answer = async (_request, connection) => {
      await mayBegin.opened;
      connection.write(
        `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: ${first.length + second.length}\r\n\r\n${first}`,
      );
      await mayFinish.opened;
      connection.write(second);
      return undefined;
    };
    const clients = await waiting(1_000, '/burst');
    await exchanges(1_000);
    mayBegin.open();
    const heads = await Promise.all(clients.map((client) => client.readHead()));
    const beginnings = await Promise.all(clients.map((client) => client.readBytes(first.length)));
    expect(mayFinish.isOpen).toBe(false);
    mayFinish.open();
    const endings = await Promise.all(clients.map((client) => client.readBytes(second.length)));
    expect(heads.every(({ status }) => status === 200)).toBe(true);
    expect(beginnings.every((bytes) => bytes.toString() === first)).toBe(true);
    expect(endings.every((bytes) => bytes.toString() === second)).toBe(true);
    expect(origin.requests.length).toBe(1);
    const collapsed = heads.filter((head) => head.field('cache-status')?.includes('collapsed'));
    expect(collapsed.length).toBe(999);
    expect((await edge.request('/burst')).field('cache-status')).toContain('hit');
    destroyAll(clients);
  });

  test('who comes while it arrives takes part from the beginning', async () => {
    const mayFinish = createBarrier();
    answer = async (_request, connection) => {
      connection.write(
        'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n',
      );
      await mayFinish.opened;
      connection.write('4\r\nlast\r\n0\r\n\r\n');
      return undefined;
    };
    const early = await edge.begin('/late');
    await early.readHead();
    await early.readBytes(3);
    const late = await edge.begin('/late');
    const head = await late.readHead();
    expect(head.field('cache-status')).toBe('Perigee; fwd=uri-miss; stored; collapsed');
    await until('the late one has the beginning', () => late.receivedBytes > 0);
    mayFinish.open();
    const hit = await until('it is stored', async () => {
      const response = await edge.request('/late');
      return response.field('cache-status')?.includes('hit') === true && response;
    });
    expect(hit.text).toBe('firstlast');
    expect(origin.requests.length).toBe(1);
    destroyAll([early, late]);
  });

  test('one person’s page is neither shared nor serialised', async () => {
    const [mayFirst, mayOthers] = [createBarrier(), createBarrier()];
    let served = 0;
    answer = async (request) => {
      served++;
      await (served === 1 ? mayFirst.opened : mayOthers.opened);
      return { fields: [['Cache-Control', 'private']], body: `for ${request.field('cookie')}` };
    };
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, i) => edge.begin('/account', { fields: [['Cookie', `user=${i}`]] })),
    );
    await exchanges(20);
    expect(served).toBe(1);
    mayFirst.open();
    // All others are at the origin at the same time: none waits for another.
    await until('every other request is at the origin', () => served === 20);
    mayOthers.open();
    const responses = await Promise.all(clients.map((client) => client.readResponse()));
    expect(responses.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `for user=${i}`));
    // The next burst does not even wait for a first answer.
    const more = await Promise.all(Array.from({ length: 5 }, () => edge.begin('/account')));
    await until('the next ones went at once', () => served === 25);
    await Promise.all(more.map((client) => client.readResponse()));
    expect((await edge.status()).storage?.storedResponses).toBe(0);
    destroyAll([...clients, ...more]);
  });

  test('each variant is fetched once, whoever waited', async () => {
    const mayAnswer = createBarrier();
    answer = async (request) => {
      await mayAnswer.opened;
      return {
        fields: [
          ['Cache-Control', 'max-age=60'],
          ['Vary', 'Accept-Language'],
        ],
        body: `in ${request.field('accept-language')}`,
      };
    };
    const languages = ['de', 'fr', 'pt'];
    const groups = await Promise.all(
      languages.map((language) => waiting(20, '/page', [['Accept-Language', language]])),
    );
    await exchanges(60);
    mayAnswer.open();
    for (const [i, clients] of groups.entries()) {
      const responses = await Promise.all(clients.map((client) => client.readResponse()));
      expect(new Set(responses.map(({ text }) => text))).toEqual(new Set([`in ${languages[i]}`]));
    }
    expect(origin.requests.length).toBe(3);
    destroyAll(groups.flat());
  });

  test('all share one failure', async () => {
    const mayFail = createBarrier();
    answer = async (_request, connection) => {
      await mayFail.opened;
      connection.reset();
      return undefined;
    };
    const clients = await waiting(50, '/dead');
    await exchanges(50);
    mayFail.open();
    const responses = await Promise.all(clients.map((client) => client.readResponse()));
    for (const response of responses) {
      expect(response.status).toBe(502);
      expect(response.field('proxy-status')).toBe('Perigee; error=connection_terminated');
    }
    expect(origin.requests.length).toBe(1);
    destroyAll(clients);
  });

  test('one validation serves all who wait for it', async () => {
    const mayAnswer = createBarrier();
    answer = async (request) => {
      const fields = [
        ['Cache-Control', 'max-age=10'],
        ['ETag', '"v1"'],
      ] as const;
      if (request.field('if-none-match') === null) return { fields, body: 'v1' };
      await mayAnswer.opened;
      return { status: 304, fields };
    };
    await edge.request('/stale');
    clock.advance(11);
    const clients = await waiting(50, '/stale');
    await exchanges(51);
    mayAnswer.open();
    const responses = await Promise.all(clients.map((client) => client.readResponse()));
    expect(new Set(responses.map(({ text }) => text))).toEqual(new Set(['v1']));
    expect(origin.requests.length).toBe(2);
    destroyAll(clients);
  });
});

describe('a fill', () => {
  test('goes on when the client that began it leaves, for those who wait and for the store', async () => {
    const [hasAsked, mayFinish] = [createBarrier(), createBarrier()];
    answer = async (_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nfirst');
      hasAsked.open();
      await mayFinish.opened;
      connection.write('last');
      return undefined;
    };
    const leader = await edge.begin('/left');
    await hasAsked.opened;
    await leader.readHead();
    const follower = await edge.begin('/left');
    await follower.readHead();
    leader.reset();
    await until('the leader is gone', async () => (await counter('connections_open')) === 1);
    mayFinish.open();
    expect((await follower.readBytes(9)).toString()).toBe('firstlast');
    const hit = await edge.request('/left');
    expect([hit.text, hit.field('cache-status')]).toEqual(['firstlast', 'Perigee; hit; ttl=60']);
    expect(origin.requests.length).toBe(1);
    destroyAll([leader, follower]);
  });

  test('that breaks off cuts those who read it, and leaves nothing stored', async () => {
    const mayBreak = createBarrier();
    answer = async (_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nfirst');
      await mayBreak.opened;
      connection.reset();
      return undefined;
    };
    const clients = await waiting(5, '/broken');
    await Promise.all(clients.map((client) => client.readHead()));
    mayBreak.open();
    for (const client of clients) expect((await client.readToEnd()).toString()).toBe('first');
    answer = () => ({ fields: [['Cache-Control', 'max-age=60']], body: 'whole' });
    expect((await edge.request('/broken')).text).toBe('whole');
    expect((await edge.status()).storage?.storedResponses).toBe(1);
    destroyAll(clients);
  });

  test('of a body too large to store keeps memory bounded, however slow its client', async () => {
    const part = Buffer.alloc(64 * 1024, 120);
    // The kernel's buffers of both connections take up to 72 MB.
    const parts = 2_560;
    let sent = 0;
    answer = async (_request, connection) => {
      connection.write(
        `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: ${part.length * parts}\r\n\r\n`,
      );
      for (let i = 0; i < parts; i++) {
        await connection.writeThrough(part);
        sent = connection.sentBytes;
      }
      return undefined;
    };
    const client = await edge.begin('/film');
    await client.readHead();
    client.stopReading();
    let before = -1;
    // The origin is stopped by backpressure: what it has sent comes to rest far below the whole.
    await until('the origin is held back', async () => {
      const isAtRest = sent === before;
      before = sent;
      await sleep(100);
      return isAtRest && sent > 0;
    });
    expect(sent).toBeLessThan((part.length * parts) / 2);
    client.startReading();
    await until('all has arrived', () => client.receivedBytes >= part.length * parts);
    expect((await edge.status()).storage?.storedResponses).toBe(0);
    client.destroy();
  });

  test('of such a body is shared by those who came before it began', async () => {
    const mayBegin = createBarrier();
    const part = Buffer.alloc(64 * 1024, 121);
    const parts = 160;
    answer = async (_request, connection) => {
      await mayBegin.opened;
      connection.write(
        `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: ${part.length * parts}\r\n\r\n`,
      );
      for (let i = 0; i < parts; i++) await connection.writeThrough(part);
      return undefined;
    };
    const clients = await waiting(4, '/film');
    await exchanges(4);
    mayBegin.open();
    const bodies = await Promise.all(clients.map(async (client) => (await client.readResponse()).body));
    expect(bodies.map((body) => body.length)).toEqual([1, 2, 3, 4].map(() => part.length * parts));
    const expected = Buffer.alloc(part.length * parts, 121);
    expect(bodies.every((body) => body.equals(expected))).toBe(true);
    expect(origin.requests.length).toBe(1);
    destroyAll(clients);
  });
});
