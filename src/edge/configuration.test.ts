import { describe, expect, test } from 'bun:test';
import { siteSchema } from '#core/model/site.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import { Configuration, type Place } from './configuration.ts';
import type { Exchange } from './exchange.ts';
import { ROAD_LIMITS } from './limits.ts';

const site = siteSchema.parse({
  id: 'shop',
  hosts: ['www.example.com'],
  origins: [{ url: 'http://192.0.2.1' }],
  rules: [{ path: '/img/*', edgeTtlSeconds: 60 }],
});

const make = (): Configuration =>
  new Configuration({ generation: 7, sites: [site], zone: { name: 'cdn.test' } } as unknown as Snapshot);

function exchangeFor(target: string, authority = 'www.example.com', scheme = 'http'): Exchange {
  return { request: { target, authority }, connection: { scheme } } as unknown as Exchange;
}

describe('from a request to its place', () => {
  test('TG5 key, rule and origin go by the normal form', () => {
    const place = make().find('https', 'www.example.com:8443', '/x/../img/%7ea?b=%2f', 8443) as Place;
    expect(place).toMatchObject({
      authority: 'www.example.com:8443',
      cacheKey: 'https://www.example.com/img/~a?b=%2F',
      normalTarget: '/img/~a?b=%2F',
      keyTarget: '/img/~a?b=%2F',
      path: '/img/~a',
    });
    expect(place.settings.edgeTtlSeconds).toBe(60);
    expect(make().find('http', 'www.example.com', 'http://www.example.com/img/a?', 80)).toMatchObject({
      normalTarget: '/img/a?',
      keyTarget: '/img/a?',
    });
  });

  test.each([
    ['www.example.com', 8080, 'www.example.com'],
    ['www.example.com.', 8080, 'www.example.com'],
    ['www.example.com:8080', 8080, 'www.example.com:8080'],
    ['www.example.com:6666', 8080, 'www.example.com'],
    ['www.example.com.:6666', 8080, 'www.example.com'],
    ['www.example.com:80', 80, 'www.example.com'],
    ['www.example.com:8080', 80, 'www.example.com'],
    ['www.example.com:8080', null, 'www.example.com'],
  ])('%s asked at port %p: the origin hears %s', (authority, localPort, expected) => {
    expect(make().find('http', authority, '/', localPort)).toMatchObject({
      authority: expected,
      cacheKey: 'http://www.example.com/',
    });
  });

  test('what has no place says why', () => {
    expect(make().find('http', 'other.example', '/', 80)).toBe('unknown-host');
    expect(make().find('http', '', '/', 80)).toBe('unknown-host');
    expect(make().find('http', 'www.example.com', '/%', 80)).toBe('bad-target');
    expect(make().find('http', 'www.example.com', '*', 80)).toMatchObject({
      normalTarget: '*',
    });
  });

  test('a repeated request finds the same place; schemes have their own', () => {
    const configuration = make();
    const first = configuration.locate(exchangeFor('/a')) as Place;
    expect(configuration.locate(exchangeFor('/a'))).toBe(first);
    const secure = configuration.locate(exchangeFor('/a', 'www.example.com', 'https')) as Place;
    expect([first.cacheKey, secure.cacheKey]).toEqual([
      'http://www.example.com/a',
      'https://www.example.com/a',
    ]);
  });

  test('the memo is bounded in entries and in their length', () => {
    const configuration = make();
    const first = configuration.locate(exchangeFor('/first'));
    for (let i = 0; i <= ROAD_LIMITS.routeMemoEntriesMax; i++) configuration.locate(exchangeFor(`/${i}`));
    expect(configuration.locate(exchangeFor('/first'))).not.toBe(first);
    const long = `/${'l'.repeat(ROAD_LIMITS.routeMemoCharactersMax)}`;
    expect(configuration.locate(exchangeFor(long))).not.toBe(configuration.locate(exchangeFor(long)));
  });
});
