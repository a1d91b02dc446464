/** Responses that are cut, lie about their length, never end, or would split others: never stored as complete. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { setImmediate } from 'node:timers/promises';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { ScriptedConnection, ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });

beforeEach(async () => {
  const clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

const HEAD = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n';
type Ending = 'end' | 'reset' | 'stay';

/** The origin sends these bytes once, ends so, and is well again. */
function answerBroken(bytes: string, ending: Ending): void {
  answer = (_request, connection) => {
    answer = () => ({ fields: [['Cache-Control', 'max-age=600']], body: 'well again' });
    connection.write(bytes);
    if (ending === 'end') connection.end();
    if (ending === 'reset') connection.reset();
    return undefined;
  };
}

describe('what does not come whole', () => {
  const cases: [what: string, bytes: string, ending: Ending][] = [
    ['is shorter than its length', `${HEAD}Content-Length: 10\r\n\r\nshort`, 'end'],
    ['is shorter, and reset', `${HEAD}Content-Length: 10\r\n\r\nshort`, 'reset'],
    ['lacks its last chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n`, 'end'],
    ['ends within a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\nff\r\nshort`, 'end'],
    [
      'has a chunk of another size',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nshort\r\n0\r\n\r\n`,
      'stay',
    ],
    ['has a size that is none', `${HEAD}Transfer-Encoding: chunked\r\n\r\n-5\r\nshort\r\n0\r\n\r\n`, 'stay'],
    ['has a size beyond all', `${HEAD}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx`, 'stay'],
    [
      'ends within its trailers',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\nX: 1\r\n`,
      'end',
    ],
  ];
  test.each(cases)('a body that %s is not stored', async (_, bytes, ending) => {
    answerBroken(bytes, ending);
    const broken = await edge.request('/broken');
    expect(broken.status === 502 || !broken.isComplete).toBe(true);
    const next = await edge.request('/broken');
    expect([next.text, next.field('cache-status')]).toEqual(['well again', 'Perigee; fwd=uri-miss; stored']);
    expect((await edge.status()).storage?.storedResponses).toBe(1);
  });

  test('more than its length is not the next response', async () => {
    answer = (request, connection) => {
      const { target } = request;
      connection.write(`${HEAD}Content-Length: 2\r\n\r\nok`);
      if (target === '/long') connection.write(`${HEAD}Content-Length: 4\r\n\r\nevil`);
      return undefined;
    };
    expect((await edge.request('/long')).text).toBe('ok');
    expect((await edge.request('/next')).text).toBe('ok');
    expect((await edge.request('/long')).text).toBe('ok');
    expect(origin.requests.length).toBe(2);
  });
});

describe('heads that would split or smuggle', () => {
  const cases: [what: string, bytes: string][] = [
    ['a bare CR in a value', `${HEAD}X: a\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\nhi`],
    ['a NUL in a value', `${HEAD}X: a\0b\r\nContent-Length: 2\r\n\r\nhi`],
    ['a space before the colon', `${HEAD}X : a\r\nContent-Length: 2\r\n\r\nhi`],
    ['a line without a colon', `${HEAD}evil\r\nContent-Length: 2\r\n\r\nhi`],
    [
      'a control in the reason',
      `HTTP/1.1 200 O\rK\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nhi`,
    ],
    ['a length that is none', `${HEAD}Content-Length: +2\r\n\r\nhi`],
    ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!`],
    ['an unknown version', 'HTTP/3.0 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nhi'],
  ];
  test.each(cases)('%s: refused or made harmless, and never stored as it is', async (_, bytes) => {
    answerBroken(bytes, 'end');
    const first = await edge.request('/split');
    expect(first.field('set-cookie')).toBeNull();
    for (const [, value] of first.fields) expect(/[\r\n\0]/.test(value)).toBe(false);
    if (first.status === 502) expect((await edge.request('/split')).text).toBe('well again');
    else expect((await edge.request('/split')).field('set-cookie')).toBeNull();
  });
});

describe('what never ends', () => {
  async function endless(connection: ScriptedConnection, begin: string, part: string): Promise<undefined> {
    let isOver = false;
    connection.closed.then(() => {
      isOver = true;
    });
    connection.write(begin);
    // Far more than any bound; stops when the edge has hung up.
    for (let sent = 0; sent < 4_000 && !isOver; sent++) await connection.writeThrough(part);
    connection.reset();
    return undefined;
  }

  test.each([
    ['a head', HEAD, `X-More: ${'x'.repeat(1_000)}\r\n`],
    ['interim responses', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'],
    ['chunk extensions', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5`, `;${'x'.repeat(1_000)}`],
    [
      'trailers',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n`,
      `X-More: ${'x'.repeat(1_000)}\r\n`,
    ],
  ])(
    '%s without end: given up within bounds, and nothing stored',
    async (_, begin, part) => {
      answer = (_request, connection) => endless(connection, begin, part);
      const response = await edge.request('/endless');
      expect(response.status === 502 || !response.isComplete).toBe(true);
      answer = () => ({ fields: [['Cache-Control', 'max-age=600']], body: 'well again' });
      expect((await edge.request('/endless')).text).toBe('well again');
    },
    60_000,
  );

  test('a body without end is passed on, in bounded memory, and not stored', async () => {
    const part = Buffer.alloc(256 * 1024, 97);
    answer = async (_request, connection) => {
      let isOver = false;
      connection.closed.then(() => {
        isOver = true;
      });
      connection.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      const chunk = Buffer.concat([
        Buffer.from(`${part.length.toString(16)}\r\n`),
        part,
        Buffer.from('\r\n'),
      ]);
      // A gigabyte at most, should nobody hang up.
      for (let sent = 0; sent < 4_000 && !isOver; sent++) {
        await connection.writeThrough(chunk);
        await setImmediate();
      }
      return undefined;
    };
    const client = await edge.begin('/stream');
    await client.readHead();
    await until('it is far larger than the cache', () => client.receivedBytes > 48 * 1024 * 1024);
    const status = await edge.status();
    expect(status.storage?.storedResponses).toBe(0);
    expect(status.counters.perigee_edge_storage_charged_bytes ?? 0).toBeLessThanOrEqual(32 * 1024 * 1024);
    client.reset();
  }, 60_000);
});

test('SE1 variants of a key are bounded, whatever users send', async () => {
  answer = ({ field }) => ({
    fields: [
      ['Cache-Control', 'max-age=600'],
      ['Vary', 'X-Any'],
    ],
    body: `for ${field('x-any')}`,
  });
  for (let i = 0; i < 200; i++) {
    expect((await edge.request('/varied', { fields: [['X-Any', String(i)]] })).text).toBe(`for ${i}`);
  }
  // Those on their way to a disk count, too, until they are there.
  const stored = async () => (await edge.status()).storage?.storedResponses ?? 0;
  await until('they are bounded', async () => (await stored()) <= 32);
});
