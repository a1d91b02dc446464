import { expect, test } from 'bun:test';
import type { Explanation } from '#core/contract/explain.ts';
import { renderExplanation } from './explanation-text.ts';
import { renderTable } from './table.ts';

const PLAIN = {
  style: (_: unknown, text: string) => text,
  table: (...[columns, rows]: Parameters<typeof renderTable>) => renderTable(columns, rows),
};

const EXPLANATION: Explanation = {
  url: 'http://shop.cdn.test/assets/pictures/7.jpg',
  host: 'shop.cdn.test',
  site: { id: 'shop', cname: 'shop.cdn.test' },
  steering: {
    name: 'shop.cdn.test',
    client: {
      address: '41.215.160.1',
      network: '41.215.160.0/23',
      place: 'Accra, GH',
      latitude: 5.5571,
      longitude: -0.2064,
      country: 'GH',
      source: 'geo-database',
    },
    candidates: [
      {
        popId: 'los',
        name: 'Lagos',
        distanceKm: 411.2,
        costMs: 11.17,
        isUsable: true,
        reason: 'nearest',
        addresses: ['127.0.1.6'],
      },
      {
        popId: 'fra',
        name: 'Frankfurt',
        distanceKm: 5032.8,
        costMs: 80.5,
        isUsable: false,
        reason: 'drained',
        addresses: ['127.0.1.2'],
      },
      {
        popId: 'local',
        name: 'This machine',
        distanceKm: null,
        costMs: null,
        isUsable: true,
        reason: 'no location',
        addresses: ['127.0.0.1'],
      },
    ],
    chosenPopId: 'los',
  },
  caches: [
    {
      part: 'edge:los-1/0',
      siteId: 'shop',
      cacheKey: 'shop GET /assets/pictures/7.jpg',
      rule: { index: 1, description: '/assets/*: override the origin, 30d' },
      decision: 'reuse',
      stored: {
        status: 200,
        ageSeconds: 63,
        freshnessLifetimeSeconds: 2_592_000,
        isFresh: true,
        bodyLength: 18_844,
        etag: '"0219b7f67e1de788"',
        tags: ['pictures', 'product-7'],
      },
    },
    {
      part: 'edge:los-1/1',
      siteId: 'shop',
      cacheKey: 'shop GET /assets/pictures/7.jpg',
      rule: null,
      decision: 'forward: uri-miss',
      stored: null,
    },
  ],
  notes: ['the clock of edge:los-1/1 is ahead\u001b[2J'],
};

test('the whole page', () => {
  expect(renderExplanation(PLAIN, EXPLANATION)).toBe(`http://shop.cdn.test/assets/pictures/7.jpg
Site shop, which is reached at shop.cdn.test.

DNS
User 41.215.160.1 in 41.215.160.0/23, Accra, GH (5.56, -0.21), from the geography database.
   POP    NAME          DISTANCE  ROUND TRIP  USABLE  WHY
→  los    Lagos           411 km       11 ms  yes     nearest
   fra    Frankfurt     5,033 km       81 ms  no      drained
   local  This machine         –           –  yes     no location
→ shop.cdn.test is answered with 127.0.1.6: Lagos (los)

Cache of edge:los-1/0
Key       shop GET /assets/pictures/7.jpg
Rule      2: /assets/*: override the origin, 30d
Stored    status 200, 18.8 kB, age 1m 3s of 30d, fresh for 29d 23h more, ETag "0219b7f67e1de788", tags pictures, product-7
Decision  reuse

Cache of edge:los-1/1
Key       shop GET /assets/pictures/7.jpg
Rule      none: the origin decides
Stored    nothing
Decision  forward: uri-miss

Note: the clock of edge:los-1/1 is ahead
`);
});

test('a host that is nobody’s, no name server, no cache', () => {
  const nothing: Explanation = {
    url: 'http://x.example/',
    host: 'x.example',
    site: null,
    steering: null,
    caches: [],
    notes: ['no site has the host x.example', 'no name server answered'],
  };
  expect(renderExplanation(PLAIN, nothing)).toBe(
    'http://x.example/\n\nNote: no site has the host x.example\nNote: no name server answered\n',
  );
});

test('a user who was asked for by place has no address', () => {
  const { steering } = EXPLANATION;
  if (steering === null) throw new Error('the example has steering');
  const client = {
    ...steering.client,
    address: '127.0.0.1',
    network: '127.0.0.0/16',
    source: 'given' as const,
  };
  const text = renderExplanation(PLAIN, { ...EXPLANATION, steering: { ...steering, client } });
  expect(text).toContain('\nA user in Accra, GH (5.56, -0.21).\n');
});

test('no POP to choose, a place that is not known, a stale response', () => {
  const { steering, caches } = EXPLANATION;
  const stored = caches[0]?.stored;
  if (steering === null || stored === undefined || stored === null) throw new Error('the case is broken');
  const text = renderExplanation(PLAIN, {
    ...EXPLANATION,
    steering: {
      ...steering,
      client: { ...steering.client, place: '', latitude: null, longitude: null, source: 'none' },
      candidates: [],
      chosenPopId: null,
    },
    caches: caches.slice(0, 1).map((cache) => ({
      ...cache,
      stored: {
        ...stored,
        isFresh: false,
        ageSeconds: 120,
        freshnessLifetimeSeconds: 60,
        etag: null,
        tags: [],
      },
    })),
    notes: [],
  });
  expect(text).toContain(
    'User 41.215.160.1 in 41.215.160.0/23; where that is, is not known.\nNo POP can serve this user.\n',
  );
  expect(text).toContain('Stored    status 200, 18.8 kB, age 2m of 1m, stale\n');
});
