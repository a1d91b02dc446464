import { describe, expect, test } from 'bun:test';
import { siteSchema } from './site.ts';
import { siteFromHost, siteIdFromHost } from './site-from-host.ts';

describe('a site from its host', () => {
  test.each([
    ['shop.cdn.test', 'shop'],
    ['a.b.cdn.test', 'a-b'],
    ['www.example.com', 'www-example-com'],
    ['cdn.test', 'cdn-test'],
    ['notcdn.test', 'notcdn-test'],
  ])('%s has the id %s', (host, id) => {
    expect(siteIdFromHost(host, 'cdn.test')).toBe(id);
  });

  test('a long host is shortened to a valid label, and two long hosts stay apart', () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}`;
    const first = siteFromHost(`${long}.example.com`, 'http://192.0.2.1', 'cdn.test');
    const second = siteFromHost(`${long}.example.org`, 'http://192.0.2.1', 'cdn.test');
    expect(siteSchema.safeParse(first).success).toBe(true);
    expect(siteSchema.safeParse(second).success).toBe(true);
    expect(first.id).not.toBe(second.id);
  });
});
