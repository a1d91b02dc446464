import { describe, expect, test } from 'bun:test';
import { ask, at, control, DEFAULT_TTL, KEPT, OVERRIDE, type Question, stored } from './admit.cases.ts';

/** By status, as written: the first that names it counts. */
const STATUS_TTLS = [
  { status: '404', seconds: 30 },
  { status: '4xx', seconds: 5 },
  { status: '500-503', seconds: 2 },
];

type LifetimeCase = [
  rule: string,
  response: [string, string][],
  expected: number,
  changes?: Partial<Question>,
];

describe('the lifetime of what is stored', () => {
  const etag: [string, string] = ['ETag', '"a"'];
  const date: [string, string] = ['Date', at(0)];
  const cases: LifetimeCase[] = [
    ['LT1', [control('max-age=60, s-maxage=5')], 5],
    ['LT1', [control('max-age=60'), ['Expires', at(-5)], date], 60],
    ['LT1', [['Expires', at(20)], date], 20],
    [
      'LT1',
      [
        ['Expires', at(20)],
        ['Date', at(-10)],
      ],
      30,
    ],
    [
      'LT1',
      [
        ['Expires', at(20)],
        ['Date', 'foo'],
      ],
      20,
    ],
    ['LT1', [['Expires', at(20)]], 20],
    ['LT1', [['Expires', '0'], date, etag], 0],
    ['LT1', [['Expires', at(-20)], date, etag], 0],
    ['LT1', [['Expires', at(20)], ['Expires', at(30)], etag], 0],
    ['LT1', [control('max-age=x'), ['Expires', at(20)], etag], 0],
    ['LT1', [control('s-maxage=x, max-age=20'), etag], 0],
    ['LT2', [['Last-Modified', at(-1000)], date], 100],
    ['LT2', [['Last-Modified', at(-1e8)], date], 86_400],
    ['LT2', [['Last-Modified', at(1000)], date], 0],
    ['LT2', [['Last-Modified', at(-1000)], date, control('public')], 100, { status: 599 }],
    ['LT2', [['Last-Modified', at(-1000)], date], 100, { status: 404 }],
    ['LT3', [control('max-age=60')], 300, { rule: OVERRIDE }],
    ['LT3', [control('max-age=60')], 60, { rule: DEFAULT_TTL }],
    ['LT3', [['Last-Modified', at(-1000)], date], 300, { rule: DEFAULT_TTL }],
    ['LT3', [], 300, { rule: DEFAULT_TTL, status: 302 }],
    ['LT3', [etag], 0, { rule: DEFAULT_TTL, status: 404 }],
    ['LT3', [control('max-age=60')], 60, { rule: OVERRIDE, status: 500 }],
    ['LT3', [control('max-age=60')], 60, { rule: { mode: 'override-origin' } }],
    ['LT3', [control('max-age=60'), etag], 0, { rule: { mode: 'override-origin', edgeTtlSeconds: 0 } }],
    ['LT4', [], 30, { status: 404, rule: { statusTtls: STATUS_TTLS } }],
    ['LT4', [], 5, { status: 410, rule: { statusTtls: STATUS_TTLS, edgeTtlSeconds: 300 } }],
    ['LT4', [], 2, { status: 502, rule: { statusTtls: STATUS_TTLS } }],
    ['LT4', [], 300, { rule: { statusTtls: STATUS_TTLS, edgeTtlSeconds: 300 } }],
    ['LT4', [control('max-age=60')], 60, { status: 404, rule: { statusTtls: STATUS_TTLS } }],
    [
      'LT4',
      [control('max-age=60')],
      30,
      { status: 404, rule: { mode: 'override-origin', statusTtls: STATUS_TTLS } },
    ],
    [
      'LT4',
      [control('max-age=60')],
      60,
      { status: 504, rule: { mode: 'override-origin', statusTtls: STATUS_TTLS } },
    ],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'max-age=60']], 60],
    ['CC7', [control('no-store'), ['CDN-Cache-Control', 'max-age=60']], 60],
    [
      'CC7',
      [
        ['CDN-Cache-Control', 'foo, max-age=60;x=1'],
        ['Expires', at(-5)],
      ],
      60,
    ],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'max-age=60, &&&']], 1],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'max-age="60"']], 1],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'max-age=-60']], 1],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'max-age=(60)']], 1],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'MaX-aGe=60']], 1],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', '']], 1],
    ['CC7', [control('max-age=1'), ['CDN-Cache-Control', 'foo'], ['Expires', at(50)], etag], 0],
    [
      'CC7',
      [
        ['Perigee-CDN-Cache-Control', 'max-age=9'],
        ['CDN-Cache-Control', 'max-age=60'],
      ],
      9,
    ],
    ['CC7', [['CDN-Cache-Control', 'max-age=60, no-store=?0, x=2']], 60],
  ];
  for (const [rule, response, expected, changes] of cases) {
    test(`${rule} ${JSON.stringify(response)} ${JSON.stringify(changes ?? {})} → ${expected} s`, () => {
      expect(stored({ ...changes, response }).freshnessLifetimeSeconds).toBe(expected);
    });
  }

  const targeted: [value: string, expected: string][] = [
    ['private', 'private'],
    ['no-store', 'no-store'],
    ['no-cache', 'no-cache'],
    ['private=1', 'private'],
    ['private=("a" "b")', 'private'],
    ['private="x"', 'no-lifetime'],
    ['private=x', 'no-lifetime'],
  ];
  for (const [value, expected] of targeted) {
    test(`CC7 CDN-Cache-Control: ${value} → ${expected}`, () => {
      const admission = ask({ response: [control('max-age=60'), ['CDN-Cache-Control', value]] });
      expect(admission).toEqual({ action: 'pass', reason: expected as 'private' });
    });
  }
});

describe('the age of what is stored', () => {
  const cases: [rule: string, response: [string, string][], delayMs: number, expected: number][] = [
    ['AG1', [KEPT], 0, 0],
    ['AG1', [KEPT], 1500, 1.5],
    ['AG1', [KEPT, ['Age', '30']], 1500, 31.5],
    ['AG1', [KEPT, ['Date', at(-40)], ['Age', '30']], 0, 40],
    ['AG1', [KEPT, ['Date', at(40)], ['Age', '30']], 0, 30],
    ['AG1', [KEPT, ['Date', 'rubbish']], 0, 0],
  ];
  for (const [rule, response, delayMs, expected] of cases) {
    test(`${rule} ${JSON.stringify(response)} after ${delayMs} ms → ${expected} s`, () => {
      expect(stored({ response, delayMs }).initialAgeSeconds).toBe(expected);
    });
  }
});
