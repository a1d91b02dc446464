import { describe, expect, test } from 'bun:test';
import { compileRoutes, hostOf, routeSite, selectRule } from './route.ts';
import { type SiteInput, siteSchema } from './site.ts';

function site(id: string, hosts: string[], rules: SiteInput['rules'] = []) {
  return siteSchema.parse({ id, hosts, origins: [{ url: 'http://192.0.2.1' }], rules });
}

describe('routing', () => {
  const shop = site('shop', ['www.example.com', 'example.com']);
  const blog = site('blog', ['blog.example.com', 'example.com']);
  const table = compileRoutes([shop, blog]);
  const cases: [authority: string, expected: string | undefined][] = [
    ['www.example.com', 'shop'],
    ['WWW.Example.com:8080', 'shop'],
    ['www.example.com.', 'shop'],
    ['www.example.com.:80', 'shop'],
    ['example.com', 'shop'],
    ['blog.example.com', 'blog'],
    ['other.example.com', undefined],
    ['', undefined],
    ['.', undefined],
    ['[::1]:80', undefined],
    ['constructor', undefined],
  ];
  for (const [authority, expected] of cases) {
    test(`RT1 ${authority} → ${expected}`, () =>
      expect(routeSite(table, authority)?.id).toBe(expected as string));
  }
  test('RT1 IPv6 literals keep their brackets', () => {
    expect(hostOf('[::1]:80')).toBe('[::1]');
    expect(hostOf('[::1]')).toBe('[::1]');
  });
});

describe('rules', () => {
  const rules = site(
    'a',
    ['a.example'],
    [
      { path: '/static/*', edgeTtlSeconds: 1 },
      { contentType: 'image/*', edgeTtlSeconds: 2 },
      { contentType: 'text/html', path: '/pages/*', edgeTtlSeconds: 3 },
      { path: '/api/*', mode: 'bypass' },
      { path: '/all/*', edgeTtlSeconds: 4 },
    ],
  );
  const cases: [path: string, type: string | null, expected: number | undefined, rule: string][] = [
    ['/static/x', null, 0, 'RT2'],
    ['/static/x', 'image/png', 0, 'RT2'],
    ['/none', null, undefined, 'RT2'],
    ['/none', 'image/png; q=1', 1, 'RT4'],
    ['/none', 'Image/PNG', 1, 'RT4'],
    ['/none', 'imagex/png', undefined, 'RT4'],
    ['/none', 'rubbish', undefined, 'RT4'],
    ['/pages/x', 'text/html', 2, 'RT4'],
    ['/x', 'text/html', undefined, 'RT4'],
    ['/api/x', null, undefined, 'RT4'],
    ['/api/x', '', 3, 'RT4'],
    ['/api/x', 'image/png', 1, 'RT4'],
    ['/all/x', null, 4, 'RT4'],
  ];
  for (const [path, type, expected, rule] of cases) {
    test(`${rule} ${path} of type ${type} → ${expected}`, () => {
      expect(selectRule(rules, path, type)?.index).toBe(expected as number);
    });
  }
  test('RT2 no rules', () => expect(selectRule(site('b', ['b.example']), '/', null)).toBeNull());
  test('RT2 a bypass first is known at once', () => {
    const first = site('c', ['c.example'], [{ mode: 'bypass' }]);
    expect(selectRule(first, '/', null)?.rule.mode).toBe('bypass');
  });
});
