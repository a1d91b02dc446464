import { expect, test } from 'bun:test';
import { ruleSchema, siteSchema } from '#core/model/site.ts';
import { fieldOfCaching, toCaching, toCachingValues, toSiteCaching, typingErrors } from './caching-values.ts';

const OPTIONS = {
  statusTtls: [
    { status: '404', seconds: 30 },
    { status: '5xx', seconds: 3_600 },
  ],
  cacheKey: {
    query: { include: 'only' as const, names: ['id'], sorted: true },
    headers: ['x-a'],
    cookies: ['theme'],
    deviceClass: true,
    country: false,
  },
  bypassWhen: { headers: ['x-b'], cookies: ['sid*'], query: ['preview'] },
  setCookie: 'strip' as const,
  requestDirectives: 'ignore' as const,
  requestFields: ['x-c'],
  checkContentType: false,
  finishFills: false,
  slices: 'off' as const,
  staleIfErrorSeconds: 60,
  staleWhileRevalidateSeconds: 0,
};

test('what is shown of a rule, saved unchanged, changes nothing', () => {
  for (const rule of [ruleSchema.parse({}), ruleSchema.parse(OPTIONS)]) {
    expect(rule).toMatchObject(toCaching(toCachingValues(rule)));
  }
});

test('nor of a site', () => {
  const origins = [{ url: 'http://192.0.2.1' }];
  const plain = { id: 'shop', hosts: ['a.example'], origins };
  for (const site of [siteSchema.parse(plain), siteSchema.parse({ ...plain, ...OPTIONS })]) {
    expect(site).toMatchObject(toSiteCaching(toCachingValues(site)));
  }
});

test('names that no longer count are not kept', () => {
  const values = toCachingValues(ruleSchema.parse(OPTIONS));
  expect(toCaching({ ...values, keyQuery: 'none' }).cacheKey?.query.names).toEqual([]);
  expect(toCaching({ ...values, requestHeaders: 'all' }).requestFields).toBe('all');
  expect(toCaching({ ...values, hasOwnKey: false, hasOwnBypass: false })).toMatchObject({
    cacheKey: null,
    bypassWhen: null,
  });
});

test('what is wrong is said beside its field', () => {
  const values = toCachingValues(ruleSchema.parse(OPTIONS));
  expect(typingErrors(values)).toEqual({});
  expect(typingErrors({ ...values, statusTtls: ['404'] })).toHaveProperty('statusTtls');
  expect(typingErrors({ ...values, statusTtls: ['404=soon'], staleIfError: 'x' })).toHaveProperty(
    'staleIfError',
  );
  expect(fieldOfCaching('cacheKey.headers[0]')).toBe('keyHeaders');
  expect(fieldOfCaching('statusTtls[1].status')).toBe('statusTtls');
  expect(fieldOfCaching('hosts[0]')).toBeNull();
});
