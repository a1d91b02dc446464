import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { ask, at, control, DEFAULT_TTL, KEPT, OVERRIDE, type Question, stored } from './admit.cases.ts';
import { headForAsker } from './admit.ts';
import { EXAMPLE_AT } from './example-head.cases.ts';
import { ORIGIN_SILENT } from './freshness.ts';

const COOKIE: [string, string] = ['Set-Cookie', 'a=b'];
const HTML: [string, string] = ['Content-Type', 'text/html; charset=utf-8'];

/** Reason of the refusal, or `store`. */
const CASES: [rule: string, title: string, question: Question, expected: string][] = [
  ['AD1', '206', { status: 206, response: [KEPT] }, 'range'],
  ['AD1', '416', { status: 416, response: [KEPT] }, 'range'],
  ['AD2', '101', { status: 101, response: [KEPT] }, 'status'],
  ['AD2', '304', { status: 304, response: [KEPT] }, 'status'],
  ['AD2', '999', { status: 999, response: [KEPT] }, 'status'],
  ['AD2', '429', { status: 429, response: [KEPT] }, 'status'],
  ['AD2', '401', { status: 401, response: [KEPT] }, 'status'],
  ['AD2', '503 with its own lifetime', { status: 503, response: [KEPT] }, 'store'],
  ['AD2', '599 with its own lifetime', { status: 599, response: [KEPT] }, 'store'],
  ['AD3', 'bypass', { rule: { mode: 'bypass' }, response: [KEPT] }, 'rule-bypass'],
  ['AD4', 'HEAD', { method: 'HEAD', response: [KEPT] }, 'method'],
  ['AD4', 'PUT', { method: 'PUT', response: [KEPT, ['Content-Location', '/a?b']] }, 'method'],
  ['AD4', 'POST', { method: 'POST', response: [KEPT] }, 'method'],
  ['AD4', 'POST of itself', { method: 'POST', response: [KEPT, ['Content-Location', '/a?b']] }, 'store'],
  [
    'AD4',
    'POST of itself, relative',
    { method: 'POST', response: [KEPT, ['Content-Location', 'a?b']] },
    'store',
  ],
  [
    'AD4',
    'POST of itself, absolute',
    { method: 'POST', request: [['Host', 'h']], response: [KEPT, ['Content-Location', 'http://h/a?b']] },
    'store',
  ],
  [
    'AD4',
    'POST of something else',
    { method: 'POST', response: [KEPT, ['Content-Location', '/c']] },
    'method',
  ],
  [
    'AD4',
    'POST without explicit lifetime',
    { method: 'POST', rule: DEFAULT_TTL, response: [['Content-Location', '/a?b']] },
    'method',
  ],
  [
    'AD5',
    'no-store of the request, not heard',
    {
      rule: { requestDirectives: 'ignore' },
      request: [control('no-store')],
      response: [KEPT],
    },
    'store',
  ],
  ['AD5', 'request no-store', { request: [control('no-store')], response: [KEPT] }, 'no-store'],
  ['AD5', 'request with other directives', { request: [control('no-cache')], response: [KEPT] }, 'store'],
  ['AD6', 'must-understand, 200', { response: [control('max-age=60, no-store, must-understand')] }, 'store'],
  [
    'AD6',
    'must-understand, 599',
    { status: 599, response: [control('max-age=60, must-understand')] },
    'must-understand',
  ],
  ['AD7', 'no-store', { response: [control('max-age=60, No-Store')] }, 'no-store'],
  ['AD7', 'private', { response: [control('private, max-age=60')] }, 'private'],
  ['AD7', 'private for a field', { response: [control('private="x", max-age=60')] }, 'store'],
  ['AD7', 'no-store, overridden', { rule: OVERRIDE, response: [control('no-store')] }, 'store'],
  ['AD7', 'private, overridden', { rule: OVERRIDE, response: [control('private')] }, 'store'],
  ['AD7', 'no-store, respected', { rule: DEFAULT_TTL, response: [control('no-store')] }, 'no-store'],
  [
    'AD7',
    'no-store of an error, overridden only for good answers',
    { status: 500, rule: OVERRIDE, response: [control('no-store')] },
    'no-store',
  ],
  ['AD8', 'Authorization', { request: [['Authorization', 'x']], response: [KEPT] }, 'authorization'],
  ['AD8', 'a certificate', { hasClientCertificate: true, response: [KEPT] }, 'client-certificate'],
  [
    'AD8',
    'a certificate, overridden',
    { hasClientCertificate: true, rule: OVERRIDE, response: [] },
    'client-certificate',
  ],
  [
    'AD8',
    'a certificate, public',
    { hasClientCertificate: true, response: [control('public, max-age=60')] },
    'store',
  ],
  [
    'AD8',
    'a certificate, public and private, overridden',
    { hasClientCertificate: true, rule: OVERRIDE, response: [control('public, private')] },
    'client-certificate',
  ],
  [
    'AD8',
    'Authorization, public',
    { request: [['Authorization', 'x']], response: [control('public, max-age=60')] },
    'store',
  ],
  [
    'AD8',
    'Authorization, must-revalidate',
    { request: [['Authorization', 'x']], response: [control('must-revalidate, max-age=60')] },
    'store',
  ],
  [
    'AD8',
    'Authorization, s-maxage',
    { request: [['Authorization', 'x']], response: [control('s-maxage=60')] },
    'store',
  ],
  [
    'AD8',
    'Authorization, overridden',
    { rule: OVERRIDE, request: [['Authorization', 'x']], response: [] },
    'authorization',
  ],
  [
    'AD8',
    'Authorization, public and private, overridden',
    { rule: OVERRIDE, request: [['Authorization', 'x']], response: [control('public, private')] },
    'authorization',
  ],
  [
    'AD8',
    'Authorization, public and no-store, overridden',
    { rule: OVERRIDE, request: [['Authorization', 'x']], response: [control('public, no-store')] },
    'authorization',
  ],
  ['AD9', 'Set-Cookie, with a lifetime', { response: [KEPT, COOKIE] }, 'store'],
  ['AD9', 'Set-Cookie, with Expires', { response: [['Expires', at(60)], COOKIE] }, 'store'],
  ['AD9', 'Set-Cookie, a heuristic', { response: [['Last-Modified', at(-1000)], COOKIE] }, 'set-cookie'],
  ['AD9', 'Set-Cookie, a default TTL', { rule: DEFAULT_TTL, response: [COOKIE] }, 'set-cookie'],
  ['AD9', 'shared alone', { rule: { setCookie: 'shared' }, response: [KEPT, COOKIE] }, 'set-cookie'],
  [
    'AD9',
    'shared alone, public',
    { rule: { setCookie: 'shared' }, response: [control('public, max-age=60'), COOKIE] },
    'store',
  ],
  ['AD9', 'stripped', { rule: { ...OVERRIDE, setCookie: 'strip' }, response: [COOKIE] }, 'store'],
  [
    'AD9',
    'never',
    { rule: { setCookie: 'never' }, response: [control('public, max-age=60'), COOKIE] },
    'set-cookie',
  ],
  ['AD9', 'never, without a cookie', { rule: { setCookie: 'never' }, response: [KEPT] }, 'store'],
  ['AD15', 'a page for a file', { path: '/me/x.css', response: [KEPT, HTML] }, 'type-mismatch'],
  ['AD15', 'overridden', { path: '/me/x.css?a', rule: OVERRIDE, response: [HTML] }, 'type-mismatch'],
  ['AD15', 'marked as shared', { path: '/x.css', response: [control('s-maxage=60'), HTML] }, 'store'],
  [
    'AD15',
    'not asked for',
    { path: '/x.css', rule: { checkContentType: false }, response: [KEPT, HTML] },
    'store',
  ],
  ['AD15', 'of another status', { path: '/x.css', status: 404, response: [KEPT, HTML] }, 'store'],
  ['AD15', 'a file', { path: '/x.css', response: [KEPT, ['Content-Type', 'text/css']] }, 'store'],
  ['AD9', 'Set-Cookie, overridden', { rule: OVERRIDE, response: [['Set-Cookie', 'a=b']] }, 'set-cookie'],
  [
    'AD9',
    'Set-Cookie, public',
    { response: [control('public, max-age=60'), ['Set-Cookie', 'a=b']] },
    'store',
  ],
  ['AD9', 'Set-Cookie, s-maxage', { response: [control('s-maxage=60'), ['Set-Cookie', 'a=b']] }, 'store'],
  [
    'AD9',
    'Set-Cookie, for CDNs',
    {
      response: [
        ['CDN-Cache-Control', 'max-age=60'],
        ['Set-Cookie', 'a=b'],
      ],
    },
    'store',
  ],
  [
    'AD9',
    'Set-Cookie withheld',
    { response: [control('max-age=60, no-cache="Set-Cookie"'), ['Set-Cookie', 'a=b']] },
    'store',
  ],
  ['AD10', 'Vary on certificates', { response: [KEPT, ['Vary', 'a, Client-Cert']] }, 'vary-client'],
  ['AD10', 'Vary on chains of them', { response: [KEPT, ['Vary', 'client-cert-chain']] }, 'vary-client'],
  ['AD10', 'Vary on addresses', { response: [KEPT, ['Vary', 'X-Forwarded-For']] }, 'vary-client'],
  ['AD10', 'Vary: *', { response: [KEPT, ['Vary', 'a, *']] }, 'vary-star'],
  [
    'AD10',
    'Vary on too much',
    { response: [KEPT, ['Vary', Array.from({ length: 17 }, (_, i) => `n${i}`).join()]] },
    'vary-star',
  ],
  [
    'AD11',
    'too many tags',
    { response: [KEPT, ['Cache-Tag', Array.from({ length: 257 }, (_, i) => i).join()]] },
    'too-large',
  ],
  ['AD11', 'too long a tag', { response: [KEPT, ['Surrogate-Key', 'x'.repeat(257)]] }, 'too-large'],
  ['AD12', 'nothing said', { response: [] }, 'no-lifetime'],
  ['AD12', 'max-age=0', { response: [control('max-age=0')] }, 'no-lifetime'],
  ['AD12', 'max-age=0 with a validator', { response: [control('max-age=0'), ['ETag', '"a"']] }, 'store'],
  ['AD12', 'only a validator', { response: [['ETag', '"a"']] }, 'store'],
  ['AD12', 'an empty validator', { response: [['ETag', '']] }, 'no-lifetime'],
  [
    'AD12',
    'max-age=0 with a window for errors',
    { response: [control('max-age=0, stale-if-error=5')] },
    'store',
  ],
  [
    'AD12',
    'max-age=0 with a window while revalidating',
    { response: [control('max-age=0, stale-while-revalidate=5')] },
    'store',
  ],
  ['AD12', 'an unreadable window', { response: [control('max-age=0, stale-if-error=x')] }, 'no-lifetime'],
  ['DE17', 'a server error without a lifetime', { status: 503 }, 'share no-lifetime'],
  ['DE17', 'with no-cache', { status: 500, response: [control('no-cache')] }, 'share no-cache'],
  ['DE17', 'one person’s', { status: 503, response: [COOKIE] }, 'set-cookie'],
  ['DE17', 'that says no-store', { status: 503, response: [control('no-store')] }, 'no-store'],
  ['AD15', 'a page whose folder has a dot', { path: '/a.css/page', response: [KEPT, HTML] }, 'store'],
  ['AD15', 'a page', { path: '/page', response: [KEPT, HTML] }, 'store'],
  ['AD12', 'no-cache without a validator', { response: [control('no-cache, max-age=60')] }, 'no-cache'],
  ['AD12', 'no-cache with a validator', { response: [control('no-cache'), ['ETag', '"a"']] }, 'store'],
  ['AD12', 'stale on arrival', { response: [KEPT, ['Age', '100']] }, 'store'],
];

describe('admit', () => {
  for (const [rule, title, question, expected] of CASES) {
    test(`${rule} ${title} → ${expected}`, () => {
      const admission = ask(question);
      const { action } = admission;
      const reason = action === 'store' ? '' : admission.reason;
      expect(action === 'pass' ? reason : action === 'share' ? `share ${reason}` : action).toBe(
        expected as 'no-store',
      );
    });
  }
});

describe('what is kept', () => {
  test('AD13 only end-to-end fields that may be stored, with a valid Date', () => {
    const head = stored({
      response: [
        ['Connection', 'x-hop'],
        ['X-Hop', '1'],
        ['Keep-Alive', '1'],
        ['Age', '5'],
        ['Content-Length', '5'],
        ['Cache-Status', 'Other; hit'],
        ['Proxy-Status', 'Other'],
        ['Date', 'rubbish'],
        control('max-age=60, no-cache="a, b", private="c"'),
        ['a', '1'],
        ['b', '2'],
        ['C', '3'],
        ['d', '4'],
        ['Content-Type', 'text/plain'],
      ],
    });
    expect([...head.fields]).toEqual([
      ['Date', at(0)],
      control('max-age=60, no-cache="a, b", private="c"'),
      ['d', '4'],
      ['Content-Type', 'text/plain'],
    ]);
  });

  test('PU2 unreadable Cache-Groups are ignored', () => {
    expect(stored({ response: [KEPT, ['Cache-Groups', '"a']] }).tags).toEqual([]);
  });

  test('AD13 who asked gets also what is not kept, but nothing of the connection', () => {
    const response: [string, string][] = [
      ['Connection', 'x-hop'],
      ['X-Hop', '1'],
      ['Content-Length', '5'],
      ['Cache-Status', 'Other; hit'],
      control('max-age=60, no-cache="a"'),
      ['a', '1'],
    ];
    const head = stored({ response });
    const date: [string, string] = ['Date', at(0)];
    expect([...headForAsker(head, Fields.of(response)).fields]).toEqual([date, ...response.slice(3)]);
    expect([...head.fields]).toEqual([date, control('max-age=60, no-cache="a"')]);
    const plain = stored({ response: [KEPT] });
    expect(headForAsker(plain, Fields.of([KEPT]))).toBe(plain);
  });

  test('AD13 the facts that later judgements rest on', () => {
    const head = stored({
      status: 203,
      request: [['Accept-Language', 'de, EN']],
      response: [
        control('max-age=60, must-revalidate'),
        ['Vary', 'Foo, Accept-Language'],
        ['ETag', ' W/"a" '],
        ['Last-Modified', at(-100)],
        ['Cache-Tag', 'x, y , ,x'],
        ['Surrogate-Key', 'y z'],
        ['Cache-Groups', '"g h";x, "y", token, ("i")'],
      ],
      rule: { browserTtlSeconds: 9 },
    });
    expect(head).toMatchObject({
      status: 203,
      varyNames: ['accept-language', 'foo'],
      varyValues: ['de,en', null],
      etag: 'W/"a"',
      lastModifiedAt: EXAMPLE_AT - 100_000,
      tags: ['x', 'y', 'z', 'g h'],
      browserTtlSeconds: 9,
      mustNotServeStale: true,
      staleIfErrorSeconds: ORIGIN_SILENT,
      siteId: 'shop',
      path: '/a?b',
      host: 'www.example.com',
      purgePosition: 7,
      softPurgePosition: 7,
      sequence: 3,
    });
  });

  const stale: [value: string, expected: boolean][] = [
    ['max-age=1', false],
    ['max-age=1, must-revalidate', true],
    ['max-age=1, proxy-revalidate', true],
    ['s-maxage=1', true],
    ['s-maxage=1, stale-while-revalidate=9', false],
    ['s-maxage=1, stale-if-error=9', false],
    ['s-maxage=1, stale-if-error=9, must-revalidate', true],
  ];
  for (const [value, expected] of stale) {
    test(`ST1 ${value} ${expected ? 'forbids' : 'allows'} stale answers`, () => {
      expect(stored({ response: [control(value)] }).mustNotServeStale).toBe(expected);
    });
  }

  test('DE6 an overridden origin does not ask for validation either', () => {
    expect(stored({ rule: OVERRIDE, response: [control('no-cache')] }).mustValidateAlways).toBe(false);
  });
});
