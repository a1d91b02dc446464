import { describe, expect, test } from 'bun:test';
import { appendCacheStatus, type CacheStatus, formatCacheStatus } from './cache-status.ts';
import { formatProxyStatus } from './proxy-status.ts';
import { parseList } from './structured-fields.ts';

describe('Cache-Status', () => {
  const cases: [status: CacheStatus, expected: string][] = [
    [{ isHit: true, ttlSeconds: 290.9 }, 'Perigee; hit; ttl=290'],
    [{ isHit: true, ttlSeconds: -3 }, 'Perigee; hit; ttl=-3'],
    [{ isHit: false, forward: 'uri-miss', isStored: true }, 'Perigee; fwd=uri-miss; stored'],
    [
      { isHit: false, forward: 'stale', forwardStatus: 304, ttlSeconds: 60, isCollapsed: true },
      'Perigee; fwd=stale; fwd-status=304; ttl=60; collapsed',
    ],
    [
      { isHit: false, forward: 'miss', isStored: false, detail: 'set-cookie', key: 'http://a/"b' },
      'Perigee; fwd=miss; key="http://a/\\"b"; detail=set-cookie',
    ],
    [{ isHit: false, detail: 'not stored' }, 'Perigee; detail="not stored"'],
  ];
  for (const [status, expected] of cases) {
    test(`CS1 ${expected}`, () => {
      expect(formatCacheStatus('Perigee', status)).toBe(expected);
      expect(parseList(expected)).not.toBeNull();
    });
  }
  test('CS1 a member says the same whatever was said before', () => {
    const QUOTED = new Map([
      ['a b', '"a b"'],
      ['"', '"\\""'],
    ]);
    const words = Array.from({ length: 200 }, (_, i) => `word-${i}`);
    for (const name of ['Perigee', 'Other', 'Perigee']) {
      for (const forward of ['uri-miss', 'stale', 'a b', ...words]) {
        for (const detail of ['no-store', 'private', '"', ...(forward === 'stale' ? words : [])]) {
          const [expectedForward, expectedDetail] = [forward, detail].map((word) => QUOTED.get(word) ?? word);
          const member = `${name}; fwd=${expectedForward}; detail=${expectedDetail}`;
          expect(formatCacheStatus(name, { isHit: false, forward, detail })).toBe(member);
        }
      }
    }
    const status = { isHit: false, forward: 'stale', detail: 'private' };
    expect(formatCacheStatus('Perigee', { ...status, isStored: true })).toBe(
      'Perigee; fwd=stale; stored; detail=private',
    );
    expect(formatCacheStatus('Perigee', status)).toBe('Perigee; fwd=stale; detail=private');
  });

  test('CS1 caches nearer to the origin come first', () => {
    expect(appendCacheStatus('Origin; hit', 'Perigee; fwd=miss')).toBe('Origin; hit, Perigee; fwd=miss');
    expect(appendCacheStatus(null, 'Perigee; hit')).toBe('Perigee; hit');
    expect(appendCacheStatus('', 'Perigee; hit')).toBe('Perigee; hit');
  });
});

test('PS1 Proxy-Status', () => {
  const status = {
    error: 'connection_refused',
    nextHop: 'origin.example.com',
    receivedStatus: 503,
    details: 'no "answer"',
  };
  const value = formatProxyStatus('Perigee', status);
  expect(value).toBe(
    'Perigee; error=connection_refused; next-hop=origin.example.com; received-status=503; details="no \\"answer\\""',
  );
  expect(parseList(value)).not.toBeNull();
  expect(formatProxyStatus('Perigee', {})).toBe('Perigee');
});
