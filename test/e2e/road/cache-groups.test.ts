/** Cache-Groups (RFC 9875): an origin says with an unsafe request's answer what else has changed. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { createBarrier, type ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer = () => ({ body: 'unset' });
let version = 0;

beforeEach(async () => {
  const clock = createTestClock();
  version = 1;
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  const hosts = ['www.example.com', 'other.example.com'];
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url, { hosts })] });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

function answerWith(invalidation: string, status = 200): void {
  answer = ({ method, target }) =>
    method === 'GET'
      ? {
          fields: [
            ['Cache-Control', 'max-age=60'],
            ['Cache-Groups', target === '/alone' ? '"c"' : '"a", "b"'],
          ],
          body: String(version),
        }
      : { status, fields: [['Cache-Group-Invalidation', invalidation]], body: '' };
}

const read = async (path: string, host = 'www.example.com'): Promise<string> =>
  (await edge.request(path, { host })).text;

async function change(): Promise<void> {
  version++;
  await edge.request('/form', { method: 'POST', body: 'x' });
}

test('IN2 the groups that a form changes are fetched anew, and no others', async () => {
  answerWith('"b", "z"');
  for (const path of ['/one', '/two', '/alone']) expect(await read(path)).toBe('1');
  expect(await read('/one', 'other.example.com')).toBe('1');
  await change();
  expect([await read('/one'), await read('/two'), await read('/alone')]).toEqual(['2', '2', '1']);
  expect(await read('/one', 'other.example.com')).toBe('1');
});

test.each([
  ['an answer that failed', '"a"', 500],
  ['a field that is no list of strings', 'a, b', 200],
  ['another group', '"A"', 200],
])('IN2 %s changes nothing', async (_, invalidation, status) => {
  answerWith(invalidation, status);
  await read('/one');
  await change();
  expect(await read('/one')).toBe('1');
});

test('IN2 what was asked for before is not stored after', async () => {
  answerWith('"a"');
  const slow = createBarrier();
  const usual = answer;
  answer = async (request, connection) => {
    if (request.method === 'GET' && version === 1) {
      const old = await usual(request, connection);
      await slow.opened;
      return old;
    }
    return usual(request, connection);
  };
  const early = await edge.begin('/one');
  await until('it is at the origin', () => origin.requests.length > 0);
  await change();
  expect(await read('/one')).toBe('2');
  slow.open();
  expect((await early.readResponse()).text).toBe('1');
  expect(await read('/one')).toBe('2');
  early.destroy();
});
