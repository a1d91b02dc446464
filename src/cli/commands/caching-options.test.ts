import { afterAll, beforeAll, expect, test } from 'bun:test';
import { makeDataDirectory, startTestControl, type TestControl } from '../../../test/support/test-control.ts';
import { createProgram, runProgram } from '../program.ts';

const data = makeDataDirectory();
let control: TestControl;

beforeAll(async () => {
  control = await startTestControl({ dataDirectory: data.directory });
  await control.client.createSite({
    body: { id: 'shop', hosts: ['shop.example.com'], origins: [{ url: 'http://192.0.2.1' }] },
  });
});

afterAll(async () => {
  await control.close();
  data.remove();
});

async function perigee(...given: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    environment: { PERIGEE_API: control.url, PERIGEE_TOKEN: control.adminToken },
    isTerminal: false,
  };
  const exitCode = await runProgram(createProgram(io), ['bun', 'perigee', ...given], io);
  return { exitCode, out, err };
}

const site = () => control.client.getSite({ params: { id: 'shop' } });

test('how a site is cached is set, shown, changed in part and taken back', async () => {
  const set = await perigee(
    ...['site', 'set', 'shop', '--status-ttl', '404=30s', '--status-ttl', '5xx=5'],
    ...[
      '--key-query',
      'except:utm_*, fbclid',
      '--key-sort-query',
      'on',
      '--key-cookie',
      'theme',
      '--key-device',
      'on',
    ],
    ...['--bypass-cookie', 'session*', '--bypass-query', 'preview', '--set-cookie', 'strip'],
    ...[
      '--request-directives',
      'ignore',
      '--finish-fills',
      'off',
      '--request-header',
      'X-Tenant',
      '--slices',
      'off',
    ],
  );
  expect(set.err).toBe('');
  expect(set.out).toContain(
    'Caching                 404 for 30s, 5xx for 5s, ' +
      'key: query except utm_*, fbclid; query sorted; cookie theme; device, ' +
      'bypass: cookie session*; parameter preview, Set-Cookie: strip, request directives ignored, ' +
      'fetches given up when clients leave, slices off, request headers: x-tenant\n',
  );
  expect(await site()).toMatchObject({
    statusTtls: [
      { status: '404', seconds: 30 },
      { status: '5xx', seconds: 5 },
    ],
    cacheKey: { query: { include: 'except', names: ['utm_*', 'fbclid'], sorted: true }, cookies: ['theme'] },
    requestFields: ['x-tenant'],
    finishFills: false,
  });
  await perigee(
    'site',
    'set',
    'shop',
    '--key-query',
    'all',
    '--key-header',
    'x-a',
    '--bypass-cookie',
    'none',
  );
  const { cacheKey, bypassWhen } = await site();
  expect(cacheKey).toMatchObject({
    query: { include: 'all', sorted: true },
    headers: ['x-a'],
    cookies: ['theme'],
  });
  expect(bypassWhen).toEqual({ headers: [], cookies: [], query: ['preview'] });
  const back = await perigee(
    ...['site', 'set', 'shop', '--status-ttl', 'none', '--key-sort-query', 'off', '--key-cookie', 'none'],
    ...['--key-header', 'none', '--key-device', 'off', '--bypass-query', 'none', '--set-cookie', 'explicit'],
    ...[
      '--request-directives',
      'honour',
      '--finish-fills',
      'on',
      '--request-header',
      'all',
      '--slices',
      'auto',
    ],
  );
  expect(back.out).toContain('Caching                 as by default\n');
});

test('a rule says what is different, and is changed by its number', async () => {
  const rule = (...given: string[]) => perigee('site', 'rule', ...given);
  await rule('add', 'shop', '--path', '/api/*', '--key-header', 'X-Tenant', '--stale-if-error', '1h');
  const changed = await rule(
    'set',
    'shop',
    '1',
    '--edge-ttl',
    '10s',
    '--check-content-type',
    'off',
    '--key-query',
    'none',
  );
  expect(changed.out).toBe(
    'Changed rule 1 of site shop.\n\n' +
      '#  PATH    TYPE  MODE            EDGE TTL  BROWSER TTL  AND\n' +
      '1  /api/*  any   respect-origin       10s       origin  key: no query; header x-tenant, stale if error 1h, content type not checked\n',
  );
  const bare = await rule('set', 'shop', '1', '--path', 'none', '--edge-ttl', 'none');
  expect(bare.err).toBe('');
  expect((await site()).rules[0]).toMatchObject({
    path: null,
    edgeTtlSeconds: null,
    checkContentType: false,
  });
  expect((await rule('set', 'shop', '1')).err).toContain('nothing to change');
  expect((await rule('set', 'shop', '2', '--edge-ttl', '1m')).err).toContain('must be a number from 1 to 1');
});

test.each<[given: string[], words: string]>([
  [
    ['site', 'set', 'shop', '--status-ttl', '404'],
    '--status-ttl 404: must be a status and a duration, such as 404=30s',
  ],
  [['site', 'set', 'shop', '--status-ttl', '404=soon'], '--status-ttl 404= soon: must be a duration'],
  [['site', 'set', 'shop', '--status-ttl', '999=1s'], 'must be a status such as "404"'],
  [['site', 'set', 'shop', '--key-query', 'some'], '--key-query some: must be all, none, only:NAME'],
  [['site', 'set', 'shop', '--key-header', 'cookie'], 'cannot be part of the cache key'],
  [['site', 'set', 'shop', '--set-cookie', 'maybe'], "'maybe' is invalid"],
  [
    ['site', 'rule', 'add', 'shop', '--key-header', 'a b'],
    '--key-header: must be the name of a request header',
  ],
  [
    ['site', 'rule', 'add', 'shop', '--type', 'image/*', '--slices', 'off'],
    '--slices: is decided before the type',
  ],
  [['site', 'rule', 'add', 'shop', '--mode', 'override-origin'], 'needs --edge-ttl'],
])('what is wrong is refused in one line: %j', async (given, words) => {
  const ran = await perigee(...given);
  expect(ran.exitCode).toBeGreaterThan(0);
  expect(ran.err).toStartWith('perigee: ');
  expect(ran.err).toContain(words);
});
