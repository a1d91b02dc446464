/** Hits of one response in the same second are put together once: none of them may differ from one made afresh. */
import { afterEach, expect, test } from 'bun:test';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { RawResponse } from '../../support/raw-client.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';

const REPEATED = ['GET /a HTTP/1.1', 'Host: www.example.com', '', ''].join('\r\n');

const FIELDS = [['Cache-Control', 'max-age=100']] as const;

let clock = createTestClock();
let origin: ScriptedOrigin;
let edge: TestEdge;

async function start(answer: Answer): Promise<void> {
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, answer);
  edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
}

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

function facts(response: RawResponse): unknown[] {
  const { status, text } = response;
  return [
    status,
    text,
    ...['age', 'cache-status', 'content-length', 'connection'].map((name) => response.field(name)),
  ];
}

/** The facts of several requests on one connection, each written as it is. */
async function ask(...requests: readonly (readonly [string, string?])[]): Promise<unknown[]> {
  const client = await edge.connect();
  const answers: unknown[] = [];
  for (const [request, method] of requests) {
    client.write(request);
    answers.push(facts(await client.readResponse(method)));
  }
  client.destroy();
  return answers;
}

const WITH = (line: string) => REPEATED.replace('\r\n\r\n', `\r\n${line}\r\n\r\n`);

function hit(age: number, body: string, connection: string | null = null): unknown[] {
  return [200, body, String(age), `Perigee; hit; ttl=${100 - age}`, String(body.length), connection];
}

test('each hit is answered as if it were the first', async () => {
  let body = 'first';
  await start(() => ({ body, fields: FIELDS }));
  await edge.request('/a');
  const third = [[REPEATED], [REPEATED], [REPEATED]] as const;
  expect(await ask(...third)).toEqual([hit(0, 'first'), hit(0, 'first'), hit(0, 'first')]);

  clock.advance(7);
  expect(await ask(...third)).toEqual([hit(7, 'first'), hit(7, 'first'), hit(7, 'first')]);
  // What another request needs is not what the last ones got.
  expect(await ask([REPEATED.replace('GET', 'HEAD'), 'HEAD'], [REPEATED])).toEqual([
    [200, '', '7', 'Perigee; hit; ttl=93', '5', null],
    hit(7, 'first'),
  ]);
  expect(await ask([REPEATED.replace('1.1', '1.0')])).toEqual([hit(7, 'first', 'close')]);
  expect(await ask([WITH('Connection: close')])).toEqual([hit(7, 'first', 'close')]);
  expect(await ask([WITH('Range: bytes=1-2')], [REPEATED])).toEqual([
    [206, 'ir', '7', 'Perigee; hit; ttl=93', '2', null],
    hit(7, 'first'),
  ]);

  body = 'second';
  await edge.purge({ kind: 'url', url: 'http://www.example.com/a' });
  await edge.request('/a');
  expect(await ask(...third)).toEqual([hit(0, 'second'), hit(0, 'second'), hit(0, 'second')]);
});

test('a response fetched anew within the second is not answered with the old one', async () => {
  let version = 0;
  await start(() => {
    version += 1;
    return { body: `version ${version}`, fields: FIELDS };
  });
  await edge.request('/a');
  await ask([REPEATED], [REPEATED]);
  // A reload validates, and brings the next version at the same age.
  const reload = await edge.request('/a', { fields: [['Cache-Control', 'no-cache']] });
  expect(reload.text).toBe('version 2');
  expect(await ask([REPEATED], [REPEATED])).toEqual([hit(0, 'version 2'), hit(0, 'version 2')]);
});

test('more responses than are remembered are all answered right', async () => {
  await start(({ target }) => ({ body: `this is ${target}`, fields: FIELDS }));
  const client = await edge.connect();
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 600; i += 1) {
      // Each twice in a row, so that it is remembered before the next takes its place.
      for (let again = 0; again < 2; again += 1) {
        client.write(REPEATED.replace('/a', `/${i}`));
        expect((await client.readResponse()).text).toBe(`this is /${i}`);
      }
    }
  }
  client.destroy();
});
