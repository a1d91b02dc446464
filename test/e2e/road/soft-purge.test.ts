/** Soft purges: what was stored is stale as of the purge, and neither fresh again nor gone before the origin has spoken. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { PurgeTarget } from '#core/model/purge.ts';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import { createBarrier, type ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

let clock: TestClock;
let origin: ScriptedOrigin;
let edge: TestEdge;
let answer: Answer;

const FIELDS: readonly (readonly [string, string])[] = [
  ['Cache-Control', 'max-age=600, stale-while-revalidate=0'],
  ['Cache-Tag', 'list'],
  ['ETag', '"one"'],
];
/** Answers 304 to who knows the entity tag. */
const validating: Answer = (request) =>
  request.field('if-none-match') === '"one"'
    ? { status: 304, fields: FIELDS }
    : { fields: FIELDS, body: 'body' };

beforeEach(async () => {
  answer = validating;
  clock = createTestClock();
  origin = await startHandlerOrigin(clock, (request, connection) => answer(request, connection));
  edge = await startTestEdge({
    clock,
    sites: [siteAt(origin.url, { hosts: ['www.example.com', 'example.com'] })],
  });
});

afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

const TARGETS: readonly PurgeTarget[] = [
  { kind: 'url', url: 'https://example.com/page' },
  { kind: 'prefix', siteId: 'shop', prefix: '/pa' },
  { kind: 'tag', siteId: 'shop', tag: 'list' },
  { kind: 'host', siteId: 'shop', host: 'www.example.com' },
  { kind: 'everything', siteId: 'shop' },
];
const EVERYTHING: PurgeTarget = { kind: 'everything', siteId: 'shop' };
const soft = (target: PurgeTarget) => edge.purge(target, { soft: true });
const cacheStatus = async () => (await edge.request('/page')).field('cache-status');

describe('a soft purge', () => {
  for (const target of TARGETS) {
    test(`PU6 by ${target.kind}: validated with a 304, then fresh again`, async () => {
      await edge.request('/page');
      clock.advance(10);
      await soft(target);
      const url = 'http://www.example.com/page';
      const seen = { decision: 'validate (stale)', stored: { isFresh: false, freshnessLifetimeSeconds: 10 } };
      // Looking on changes nothing.
      for (let i = 0; i < 2; i++) expect(await edge.explain(url)).toMatchObject(seen);
      const validated = await edge.request('/page');
      expect(validated).toMatchObject({ status: 200, text: 'body' });
      expect(validated.field('cache-status')).toContain('fwd=stale');
      expect(validated.field('cache-status')).toContain('fwd-status=304');
      expect(await cacheStatus()).toContain('hit');
      expect(origin.requests.length).toBe(2);
    });
  }

  test('PU6 served stale while the origin fails, within the window that began with the purge', async () => {
    await edge.request('/page');
    await soft(EVERYTHING);
    answer = (_request, connection) => {
      connection.reset();
      return undefined;
    };
    const covered = await edge.request('/page');
    expect(covered).toMatchObject({ status: 200, text: 'body' });
    expect(covered.field('cache-status')).toContain('fwd=stale');
    clock.advance(86_399);
    expect((await edge.request('/page')).status).toBe(200);
    clock.advance(2);
    expect((await edge.request('/page')).status).toBe(502);
  });

  test('PU6 served while it is validated behind the answer, where the site allows it', async () => {
    edge.publish([siteAt(origin.url, { staleWhileRevalidateSeconds: 60 })]);
    answer = (request, connection) => {
      const given = validating(request, connection);
      return {
        ...given,
        fields: [
          ['Cache-Control', 'max-age=600'],
          ['ETag', '"one"'],
        ],
      };
    };
    await until('the snapshot is in force', async () => (await edge.status()).generation === 2);
    await edge.request('/page');
    await soft(EVERYTHING);
    const stale = await edge.request('/page');
    expect(stale).toMatchObject({ status: 200, text: 'body' });
    await until('it was validated', () => origin.requests.length === 2);
    await until('it is fresh', async () => {
      const { stored } = await edge.explain('http://www.example.com/page');
      return stored?.isFresh === true;
    });
  });

  test('PU6 a clock of the control plane that is ahead does not keep it fresh', async () => {
    await edge.request('/page');
    await edge.purge(EVERYTHING, { soft: true, requestedAt: clock.now() + 60_000 });
    expect(await cacheStatus()).toContain('fwd=stale');
  });

  test('PU3 while a fill is under way: stored, and stale at once', async () => {
    const mayAnswer = createBarrier();
    answer = async () => {
      await mayAnswer.opened;
      return { fields: FIELDS, body: 'body' };
    };
    const waiting = await edge.begin('/page');
    await until('the fetch is under way', () => origin.requests.length === 1);
    for (const target of TARGETS) await soft(target);
    mayAnswer.open();
    expect((await waiting.readResponse()).text).toBe('body');
    waiting.destroy();
    answer = validating;
    expect(await cacheStatus()).toContain('fwd-status=304');
    expect(await cacheStatus()).toContain('hit');
  });

  for (const [name, isSoft, expected] of [
    ['soft', true, 'fwd=stale'],
    ['hard', false, 'fwd=uri-miss'],
  ] as const) {
    for (const target of TARGETS) {
      test(`PU3 a ${name} purge by ${target.kind} while a validation is under way wins`, async () => {
        await edge.request('/page');
        clock.advance(700);
        const mayAnswer = createBarrier();
        // The tags that come with it are others: those it had count.
        answer = async () => {
          await mayAnswer.opened;
          return {
            status: 304,
            fields: [
              ['Cache-Control', 'max-age=600'],
              ['Cache-Tag', 'new'],
            ],
          };
        };
        const waiting = await edge.begin('/page');
        await until('the validation is under way', () => origin.requests.length === 2);
        await edge.purge(target, { soft: isSoft });
        mayAnswer.open();
        expect((await waiting.readResponse()).text).toBe('body');
        waiting.destroy();
        answer = validating;
        expect(await cacheStatus()).toContain(expected);
      });
    }
  }
});
