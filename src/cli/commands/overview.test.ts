import { expect, test } from 'bun:test';
import type { Stats } from '#core/contract/stats.ts';
import type { Status } from '#core/contract/status.ts';
import { renderTable } from '../table.ts';
import { renderCacheStats, renderInspection, renderPopular } from './cache.ts';
import { renderStats } from './stats.ts';
import { renderStatus } from './status.ts';

const NOW = 1_800_000_000_000;
const PLAIN = {
  now: NOW,
  style: (_: unknown, text: string) => text,
  table: (...[columns, rows]: Parameters<typeof renderTable>) => renderTable(columns, rows),
};

const STATUS: Status = {
  status: 'degraded',
  version: '0.1.0',
  zone: 'cdn.test',
  generation: 7,
  dnsAddress: '127.0.0.1:8053',
  parts: [
    {
      part: 'control',
      state: 'ready',
      generation: 7,
      startedAt: NOW - 90_000,
      residentBytes: 81_234_567,
      storage: null,
      error: null,
    },
    {
      part: 'edge:lax-1/0',
      state: 'behind',
      generation: 6,
      startedAt: NOW - 5000,
      residentBytes: 64_000_000,
      storage: {
        storedResponses: 1234,
        bodyBytes: 12_345_678,
        budgetBytes: 67_108_864,
        problem: null,
        tiers: [],
      },
      error: null,
    },
    {
      part: 'nameserver',
      state: 'silent',
      generation: null,
      startedAt: null,
      residentBytes: null,
      storage: null,
      error: 'did not answer within 1000 ms',
    },
  ],
  missing: ['edge:lax-1/0', 'nameserver'],
  health: [
    { edgeId: 'lax-1', popId: 'lax', state: 'down', reason: 'silent for 4.2 s', since: NOW - 3_700_000 },
  ],
  totals: { sites: 1, pops: 2, edges: 2, networks: 0, purges: 12 },
};

test('status: the whole page', () => {
  expect(
    renderStatus(PLAIN, STATUS),
  ).toBe(`Perigee 0.1.0 is degraded: zone cdn.test, generation 7, DNS at 127.0.0.1:8053.
1 site, 2 POPs, 2 edges, 12 purges so far.
Not ready: edge:lax-1/0, nameserver.

PART          STATE   GENERATION      UP   MEMORY  STORED  OF BUDGET
control       ready            7  1m 30s  81.2 MB       –  –
edge:lax-1/0  behind           6      5s  64.0 MB   1,234  12.3 MB of 67.1 MB
nameserver    silent           –       –        –       –  did not answer within 1000 ms

EDGE   POP  HEALTH    FOR  WHY
lax-1  lax  down    1h 1m  silent for 4.2 s
`);
});

test('status: an edge that keeps responses otherwise than asked for says why', () => {
  const parts = STATUS.parts.map((part) => ({
    ...part,
    storage: part.storage === null ? null : { ...part.storage, problem: 'no shared memory: /x is full' },
  }));
  expect(renderStatus(PLAIN, { ...STATUS, parts })).toContain(
    '\n\nedge:lax-1/0: no shared memory: /x is full.\n\nEDGE',
  );
});

test('cache stats: a line for each tier, and what is wrong', () => {
  const tier = { storedResponses: 1234, bodyBytes: 12_345_678, budgetBytes: 200_000_000, hits: 99 };
  const storage = {
    storedResponses: 1234,
    bodyBytes: 12_345_678,
    budgetBytes: 200_000_000,
    problem: '/x cannot be read: EIO',
    tiers: [
      { ...tier, tier: 'shared memory' as const, evictions: 1, refusals: 2 },
      { ...tier, tier: 'disk' as const, evictions: 0, refusals: 0 },
    ],
  };
  const parts = STATUS.parts.map((part) => (part.part === 'edge:lax-1/0' ? { ...part, storage } : part));
  expect(
    renderCacheStats(PLAIN, parts),
  ).toBe(`PART          TIER           RESPONSES    BYTES      OF  HITS  EVICTED  REFUSED
edge:lax-1/0  shared memory      1,234  12.3 MB  200 MB    99        1        2
edge:lax-1/0  disk               1,234  12.3 MB  200 MB    99        0        0

edge:lax-1/0: /x cannot be read: EIO.
`);
});

test('cache top: who uses what, and how often', () => {
  const responses = [{ url: 'http://www.example.com/a', siteId: 'shop', uses: 640, bodyLength: 2_000 }];
  const edges = [{ part: 'edge:lax-1/0', since: NOW - 120_000, responses }];
  expect(
    renderPopular(PLAIN, { edges, notes: ['edge:x/0 did not answer: busy'] }),
  ).toBe(`PART          USES  A MINUTE    BYTES  URL
edge:lax-1/0   640       320  2.00 kB  http://www.example.com/a
edge:x/0 did not answer: busy.
`);
  expect(renderPopular(PLAIN, { edges: [], notes: [] })).toBe('Nothing stored has been used of late.\n');
});

test('cache inspect: a line for each response, or why there is none', () => {
  const stored = {
    tier: 'disk' as const,
    state: 'stale' as const,
    status: 200,
    contentType: null,
    variesOn: ['accept: a\u001b[31m'],
    bodyLength: 2_000,
    ageSeconds: 9,
    freshnessLifetimeSeconds: 5,
    etag: '"x"',
    lastModified: null,
    tags: ['t', 'u'],
  };
  const edge = { part: 'edge:lax-1/0', siteId: 'shop', cacheKey: 'k', responses: [stored] };
  const text = renderInspection(PLAIN, { edges: [edge], notes: [] });
  expect(text).toContain('edge:lax-1/0  disk  stale     200  2.00 kB  9 of 5 s  "x"');
  expect(text).toContain('t u');
  expect(text).not.toContain('\u001b');
  expect(renderInspection(PLAIN, { edges: [{ ...edge, responses: [] }], notes: [] })).toBe(
    'No edge has it stored.\n',
  );
  expect(renderInspection(PLAIN, { edges: [], notes: ['no edge answered'] })).toBe(
    'no edge answered.\nNo edge knows a site of that host.\n',
  );
});

test('status: all is well, and no name server to ask', () => {
  const text = renderStatus(PLAIN, { ...STATUS, status: 'ok', missing: [], health: [] });
  expect(text).not.toContain('Not ready');
  expect(text).not.toContain('HEALTH');
});

const TRAFFIC: Stats['totals'] = {
  requests: 12_345,
  hits: 12_000,
  misses: 345,
  stale: 0,
  errors: 3,
  bytesToClients: 228_000_000,
  bytesFromOrigin: 761_494,
  bytesSaved: 227_238_506,
  hitRatio: 0.97205,
  firstByteMsMean: 1.234,
  statusClasses: [0, 12_342, 0, 0, 3],
};

test('stats: the whole page', () => {
  const quiet = { ...TRAFFIC, requests: 0, errors: 0, hitRatio: null, firstByteMsMean: null };
  const stats: Stats = {
    from: NOW - 3_600_000,
    to: NOW,
    stepSeconds: 60,
    totals: TRAFFIC,
    series: [],
    sites: [{ id: 'shop', totals: TRAFFIC, series: [] }],
    pops: [
      { id: 'fra', totals: TRAFFIC, series: [] },
      { id: 'lax', totals: quiet, series: [] },
    ],
  };
  expect(renderStats(PLAIN, stats, 60)).toBe(`The last 1h:

SITE  REQUESTS  HIT RATIO  ERRORS  TO CLIENTS  FROM ORIGIN   SAVED  FIRST BYTE
shop    12,345     97.2 %       3      228 MB       761 kB  227 MB      1.2 ms
all     12,345     97.2 %       3      228 MB       761 kB  227 MB      1.2 ms

POP  REQUESTS  HIT RATIO  ERRORS  TO CLIENTS  FROM ORIGIN   SAVED  FIRST BYTE
fra    12,345     97.2 %       3      228 MB       761 kB  227 MB      1.2 ms
lax         0          –       0      228 MB       761 kB  227 MB           –
`);
});
