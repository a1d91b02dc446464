import { describe, expect, test } from 'bun:test';
import { hasTypedRules, settingsOf } from './cache-settings.ts';
import { ruleSchema, type SiteInput, siteSchema } from './site.ts';

const site = (more: Partial<SiteInput>) =>
  siteSchema.parse({ id: 'shop', hosts: ['a.example'], origins: [{ url: 'http://192.0.2.1' }], ...more });

describe("a site's and a rule's word made one", () => {
  test('RT5 what the rule leaves out is as the site says', () => {
    const shop = site({
      setCookie: 'never',
      staleIfErrorSeconds: 7,
      rules: [
        { path: '/a/*', setCookie: 'strip' },
        { path: '/a/*', staleIfErrorSeconds: 9 },
      ],
    });
    expect(settingsOf(shop, '/a/b', null)).toMatchObject({ setCookie: 'strip', staleIfErrorSeconds: 7 });
    expect(settingsOf(shop, '/b', null)).toMatchObject({ setCookie: 'never', staleIfErrorSeconds: 7 });
  });

  test('RT5 the request by path, the response by path and type', () => {
    const shop = site({
      rules: [
        { contentType: 'image/*', edgeTtlSeconds: 60, setCookie: 'strip' },
        { path: '/a/*', edgeTtlSeconds: 5, cacheKey: { query: { include: 'none' } } },
      ],
    });
    expect(hasTypedRules(shop)).toBe(true);
    const image = settingsOf(shop, '/a/b', 'image/png');
    expect(image).toMatchObject({ edgeTtlSeconds: 60, setCookie: 'strip', queryKey: { include: 'none' } });
    expect(settingsOf(shop, '/a/b', 'text/css')).toMatchObject({ edgeTtlSeconds: 5, setCookie: 'explicit' });
    expect(settingsOf(shop, '/b', 'image/png')).toMatchObject({ edgeTtlSeconds: 60, queryKey: null });
    expect(settingsOf(shop, '/a/b', 'image/png')).toBe(image);
  });

  test('RT5 statuses as numbers, conditions only where there are any', () => {
    const shop = site({
      statusTtls: [
        { status: '404', seconds: 1 },
        { status: '5XX', seconds: 2 },
        { status: '301-303', seconds: 3 },
      ],
      requestFields: ['X-A'],
    });
    const { statusTtls, bypassWhen, requestFields } = settingsOf(shop, '/', null);
    expect(statusTtls).toEqual([
      { first: 404, last: 404, seconds: 1 },
      { first: 500, last: 599, seconds: 2 },
      { first: 301, last: 303, seconds: 3 },
    ]);
    expect(bypassWhen).toBeNull();
    expect([...(requestFields ?? [])]).toEqual(['x-a']);
  });
});

describe('what cannot be meant is refused, with the place and the reason', () => {
  const cases: [rule: Record<string, unknown>, path: string, reason: string][] = [
    [{ contentType: 'image/*', slices: 'off' }, 'slices', 'before the type of the response is known'],
    [
      { statusTtls: [{ status: '600', seconds: 1 }] },
      'statusTtls.0.status',
      'must be a status such as "404"',
    ],
    [{ statusTtls: [{ status: '504-500', seconds: 1 }] }, 'statusTtls.0.status', 'a range such as "500-504"'],
    [{ cacheKey: { headers: ['Cookie'] } }, 'cacheKey.headers.0', 'cannot be part of the cache key'],
    [{ cacheKey: { headers: ['X-Forwarded-For'] } }, 'cacheKey.headers.0', 'cannot be part of the cache key'],
    [{ cacheKey: { headers: ['a b'] } }, 'cacheKey.headers.0', 'name of a request header'],
    [{ cacheKey: { cookies: ['a*'] } }, 'cacheKey.cookies.0', 'the name of one cookie'],
    [{ cacheKey: { query: { include: 'only' } } }, 'cacheKey.query.names', 'need at least one'],
    [{ cacheKey: { query: { names: ['a'] } } }, 'cacheKey.query.names', 'belong to "only" and "except"'],
    [{ bypassWhen: { cookies: ['a;b'] } }, 'bypassWhen.cookies.0', 'must be one name'],
    [{ setCookie: 'maybe' }, 'setCookie', 'expected one of'],
    [{ requestFields: 'some' }, 'requestFields', ''],
  ];
  test.each(cases)('%j', (rule, path, reason) => {
    const { success, error } = ruleSchema.safeParse(rule);
    expect(success).toBe(false);
    const issue = error?.issues.find((candidate) => candidate.path.join('.') === path);
    expect(issue?.message).toContain(reason);
  });
});
