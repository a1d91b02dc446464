/**
 * Cache poisoning and deception: what a stranger sends must not be in what others get, and what is one user's must not
 * be stored because of how its address looks. After Kettle, "Practical Web Cache Poisoning" (2018) and "Web Cache
 * Entanglement" (2020), Nguyen et al., "CPDoS" (2019), and Gil, "Web Cache Deception Attack" (2017).
 */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../../support/edge-under-test.ts';
import { type Answer, startHandlerOrigin } from '../../support/handler-origin.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';

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

const KEPT: [string, string] = ['Cache-Control', 'max-age=60'];
const HOST = 'www.example.com';

describe('what a user claims', () => {
  test.each([
    ...[
      'X-Forwarded-Host',
      'X-Forwarded-Server',
      'X-Forwarded-Scheme',
      'X-Forwarded-Port',
      'X-Forwarded-Prefix',
    ],
    ...['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-SSL', 'Forwarded', 'X-Host', 'X-Original-Host'],
    ...[
      'X-HTTP-Host-Override',
      'X-Original-URL',
      'X-Rewrite-URL',
      'X-Original-Scheme',
      'X-URL-Scheme',
      'X-Scheme',
    ],
    ...[
      'X-HTTP-Method',
      'X-HTTP-Method-Override',
      'X-Method-Override',
      'X_Forwarded_Host',
      'X-FORWARDED_HOST',
    ],
    ...[
      'Front-End-Https',
      'True-Client-IP',
      'X-Real-IP',
      'X-Client-IP',
      'Client-Cert',
      'Surrogate-Capability',
    ],
    ...['Perigee-Country', 'Perigee-Device', 'CDN-Loop', 'Via'],
  ])('FW2 in %s is not in what others get', async (name) => {
    answer = ({ fields, target }) => ({
      fields: [KEPT, ['Location', fields.map(([field, value]) => `${field}=${value}`).join('&')]],
      body: target,
    });
    const first = await edge.request('/claimed', { fields: [[name, 'evil.example']] });
    // Via and CDN-Loop are passed on with our part behind; they say who is on the way and are not for content.
    if (name === 'Via' || name === 'CDN-Loop') expect(first.field('location')).toContain('evil.example, ');
    else expect(first.field('location')).not.toContain('evil.example');
    expect(first.text).toBe('/claimed');
  });

  test('FW5 Host in other spellings, and a target that names another host', async () => {
    answer = ({ field }) => ({ fields: [KEPT], body: `${field('host')} ${field('x-forwarded-host')}` });
    for (const host of ['WWW.example.COM', `${HOST}.`, `${HOST}:6666`]) {
      expect((await edge.request('/spelt', { host })).text).toBe(`${HOST} ${HOST}`);
    }
    expect(origin.requests.length).toBe(1);
    const absolute = await edge.request(`http://${HOST}/absolute`, { host: 'evil.example' });
    expect([200, 400]).toContain(absolute.status);
    if (absolute.status === 200) expect(absolute.text).toBe(`${HOST} ${HOST}`);
  });

  test('AD10 an answer that varies on what we set for each client is not stored', async () => {
    answer = () => ({ fields: [KEPT, ['Vary', 'X-Forwarded-For']], body: 'x' });
    for (let i = 0; i < 2; i++) {
      expect((await edge.request('/varied')).field('cache-status')).toContain('detail=vary-client');
    }
  });
});

describe('what is not in the key', () => {
  test('DE2 a body in a GET: its answer is not stored, and nothing stored answers it', async () => {
    answer = ({ body }) => ({ fields: [KEPT], body: `saw ${body}` });
    expect((await edge.request('/fat', { method: 'GET', body: 'evil' })).text).toBe('saw evil');
    expect((await edge.request('/fat')).text).toBe('saw ');
    expect((await edge.request('/fat', { method: 'GET', body: 'more' })).text).toBe('saw more');
  });

  test.each([
    ['/a?q=1;cb=evil', '/a?q=1;cb=evil'],
    ['/a?q=1&cb=evil', '/a?q=1'],
    ['/a?%71=2&%63b=evil', '/a?q=2'],
    ['/a?q=1&q=2', '/a?q=1&q=2'],
    ['/a?Q=evil', '/a'],
    ['/a?q[]=evil', '/a'],
    ['/a?&&q=3&', '/a?q=3'],
  ])('CK3 parameters cannot be cloaked: %s is %s at the origin, and in the key', async (target, expected) => {
    edge.publish([siteAt(origin.url, { cacheKey: { query: { include: 'only', names: ['q'] } } })]);
    answer = (request) => ({ fields: [KEPT], body: request.target });
    expect((await edge.request(target)).text).toBe(expected);
    expect((await edge.explain(`http://${HOST}${target}`)).cacheKey).toBe(`http://${HOST}${expected}`);
    expect((await edge.request(expected)).field('cache-status')).toContain('hit');
  });

  test.each(['/a/./b', '/a/x/../b', '/%61/b', '/a/b?', '//a/b', '/a%2Fb', '/a/b%3Fx', '/a;x/b', '/\u00e9'])(
    'TG5 origin and key see one form of %s',
    async (target) => {
      answer = (request) => ({ fields: [KEPT], body: request.target });
      const seen = (await edge.request(Buffer.from(target, 'utf8').toString('latin1'))).text;
      expect((await edge.request(seen)).field('cache-status')).toContain('hit');
      expect((await edge.explain(`http://${HOST}${seen}`)).cacheKey).toBe(`http://${HOST}${seen}`);
    },
  );

  test.each(['/a#b', '/a b', '/a\u0001', '/%zz', '/%'])(
    'TG1 %j is refused, and the origin not asked',
    async (target) => {
      expect((await edge.request(target)).status).toBe(400);
      expect(origin.requests.length).toBe(0);
    },
  );
});

describe('errors provoked for others (CPDoS)', () => {
  const wrong: [what: string, name: string, value: string][] = [
    ['an oversized header', 'X-Oversized', 'x'.repeat(40_000)],
    ['a control character', 'X-Meta', 'a\u0007b'],
  ];
  test.each(wrong)('%s is refused here, and nothing of it stored', async (_, name, value) => {
    answer = () => ({ fields: [KEPT], body: 'page' });
    expect((await edge.request('/target', { fields: [[name, value]] })).status).toBeGreaterThanOrEqual(400);
    expect(origin.requests.length).toBe(0);
    expect((await edge.request('/target')).text).toBe('page');
  });

  test.each([400, 401, 403, 405, 413, 414, 416, 421, 429, 431, 500, 501, 502, 503])(
    'AD12 a %p without a lifetime is no answer for the next',
    async (status) => {
      answer = ({ field }) =>
        field('x-trigger') === null ? { fields: [KEPT], body: 'page' } : { status, body: 'no' };
      expect((await edge.request('/target', { fields: [['X-Trigger', '1']] })).status).toBe(status);
      expect((await edge.request('/target')).text).toBe('page');
    },
  );

  test('AD1 nor is part of it', async () => {
    answer = ({ field }) =>
      field('range') === null
        ? { fields: [KEPT], body: 'page' }
        : { status: 206, fields: [KEPT, ['Content-Range', 'bytes 1-2/4']], body: 'ag' };
    expect((await edge.request('/part', { fields: [['Range', 'bytes=1-2']] })).status).toBe(206);
    const whole = await edge.request('/part');
    expect([whole.status, whole.text]).toEqual([200, 'page']);
  });
});

describe('one user’s page under a static address (deception)', () => {
  const HTML: [string, string] = ['Content-Type', 'text/html; charset=utf-8'];
  test.each([
    ...[
      '/account/x.css',
      '/account/x.JS',
      '/account;x.png',
      '/account%2Fx.css',
      '/account%00.css',
      '/account%0A.css',
    ],
    ...[
      '/account/%2e%2e/account/x.woff2',
      '/account/x.css?y=1',
      '/account/..%2Fx.ico',
      '/account/.css',
      '/account%3Fx.css',
    ],
  ])('AD15 %s is not stored', async (target) => {
    edge.publish([siteAt(origin.url, { rules: [{ mode: 'override-origin', edgeTtlSeconds: 600 }] })]);
    answer = ({ field }) => ({ fields: [HTML], body: `account of ${field('cookie')}` });
    const mine = await edge.request(target, { fields: [['Cookie', 'user=victim']] });
    expect(mine.text).toBe('account of user=victim');
    const theirs = await edge.request(target, { fields: [['Cookie', 'user=attacker']] });
    expect(theirs.text).toBe('account of user=attacker');
    expect(theirs.field('cache-status')).toContain('detail=type-mismatch');
  });

  test('AD15 a real file is, and a page that its origin marks as for all', async () => {
    answer = ({ target }) =>
      target === '/real.css'
        ? { fields: [KEPT, ['Content-Type', 'text/css']], body: 'a{}' }
        : { fields: [['Cache-Control', 'public, max-age=60'], HTML], body: 'docs' };
    for (const target of ['/real.css', '/docs/guide.pdf']) {
      await edge.request(target);
      expect((await edge.request(target)).field('cache-status')).toContain('hit');
    }
  });
});
