import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { settingsOf } from '#core/model/cache-settings.ts';
import { type SiteInput, siteSchema } from '#core/model/site.ts';
import { keyExtrasOf, keyTargetOf, urlKeyOf, urlKeyWithin } from './cache-key.ts';
import { KEY_EXTRAS_CHARACTERS_MAX } from './limits.ts';

function settings(cacheKey: SiteInput['cacheKey']) {
  const site = siteSchema.parse({
    id: 'shop',
    hosts: ['www.example.com'],
    origins: [{ url: 'http://192.0.2.1' }],
    cacheKey,
  });
  return settingsOf(site, '/', null);
}

describe('the target in the key', () => {
  type Query = NonNullable<NonNullable<SiteInput['cacheKey']>['query']>;
  const cases: [query: Query, target: string, expected: string][] = [
    [{}, '/a?b=1&a=2', '/a?b=1&a=2'],
    [{ include: 'none' }, '/a?b=1', '/a'],
    [{ include: 'none' }, '/a?', '/a'],
    [{ include: 'none' }, '/a', '/a'],
    [{ sorted: true }, '/a?b=2&b=1&a=3&a', '/a?a=3&a&b=2&b=1'],
    [{ sorted: true }, '/a?c&b&a&b=2&d', '/a?a&b&b=2&c&d'],
    [{ include: 'only', names: ['id', 'page*'] }, '/a?utm=1&page2=x&id=3', '/a?page2=x&id=3'],
    [{ include: 'only', names: ['id'] }, '/a?utm=1', '/a'],
    [{ include: 'only', names: ['v=1'] }, '/a?v=1&v=2', '/a?v=1'],
    [{ include: 'except', names: ['utm_*', 'fbclid'] }, '/a?utm_x=1&id=3&fbclid', '/a?id=3'],
    [{ include: 'except', names: ['utm_*'], sorted: true }, '/a?z&utm_x=1&a', '/a?a&z'],
  ];
  test.each(cases)('CK3 %j: "%s" is "%s"', (query, target, expected) => {
    expect(keyTargetOf(target, settings({ query }).queryKey)).toBe(expected);
  });
});

describe('what else is in the key', () => {
  const facts = (entries: [string, string][]) => ({
    fields: Fields.of(entries),
    deviceClass: 'phone' as const,
    country: 'DE',
  });

  test('CK4 nothing, unless the site says so', () => expect(settings({}).keyExtras).toBeNull());

  test('CK4 headers, cookies, device and country, in one order', () => {
    const { keyExtras } = settings({
      headers: ['X-B', 'x-a'],
      cookies: ['theme', 'lang'],
      deviceClass: true,
      country: true,
    });
    const entries: [string, string][] = [
      ['Cookie', 'theme=a b; other=1; lang=de'],
      ['x-b', '2'],
      ['Cookie', 'theme=c'],
    ];
    if (keyExtras === null) throw new Error('there are some');
    expect(keyExtrasOf(keyExtras, facts(entries))).toBe(
      ' h.x-b=2&c.theme=a%20b&c.lang=de&c.theme=c&device=phone&country=DE',
    );
  });

  test('CK4 an absent header is not an empty one, and no value can look like another part', () => {
    const { keyExtras } = settings({ headers: ['a', 'b'] });
    if (keyExtras === null) throw new Error('there are some');
    const keys = [
      [],
      [['a', '']],
      [['a', '1&h.b=2']],
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ].map((entries) => keyExtrasOf(keyExtras, facts(entries as [string, string][])));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('CK4 more than fits is no key', () => {
    const { keyExtras } = settings({ headers: ['a'] });
    if (keyExtras === null) throw new Error('there are some');
    expect(keyExtrasOf(keyExtras, facts([['a', 'x'.repeat(KEY_EXTRAS_CHARACTERS_MAX)]]))).toBeNull();
  });

  test('CK2 the key of a URL is found in those of its kinds', () => {
    const key = urlKeyOf({ scheme: 'http', host: 'a.example', keyTarget: '/x' });
    expect([urlKeyWithin(key), urlKeyWithin(`${key} c.a=b`)]).toEqual([key, key]);
  });
});
