/** The user's country in the cache key: from the compiled geography database, which may come later than the edge. */
import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileGeo } from '#core/ip/geo-compile.ts';
import { buildMmdb } from '#core/ip/mmdb.cases.ts';
import { ROAD_LIMITS } from '#edge/limits.ts';
import { withChecksum } from '#platform/geo-file.ts';
import { createTestClock, siteAt, startTestEdge } from '../../support/edge-under-test.ts';
import { startHandlerOrigin } from '../../support/handler-origin.ts';

const folder = mkdtempSync(join(tmpdir(), 'perigee-country-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeGeography(file: string): void {
  const networks = [
    { network: '127.0.0.0/8', city: 'Lagos', country: 'NG', latitude: 6.45, longitude: 3.39 },
    { network: '2001:db8::/32', city: 'Lagos', country: 'NG', latitude: 6.45, longitude: 3.39 },
  ];
  const table = compileGeo({
    ipv4: buildMmdb(4, networks),
    ipv6: buildMmdb(6, networks),
    attribution: 'Example',
  });
  if (typeof table === 'string') throw new Error(table);
  writeFileSync(`${file}.new`, withChecksum(table));
  renameSync(`${file}.new`, file);
}

test('CK4 the country parts what is stored, and the origin is told', async () => {
  const file = join(folder, 'geo.bin');
  const clock = createTestClock();
  const origin = await startHandlerOrigin(clock, ({ field }) => ({
    fields: [['Cache-Control', 'max-age=600']],
    body: `${field('perigee-country')}`,
  }));
  const edge = await startTestEdge({
    clock,
    geoFile: file,
    sites: [siteAt(origin.url, { cacheKey: { country: true } })],
  });
  try {
    const claim = { fields: [['Perigee-Country', 'DE']] } as const;
    expect((await edge.request('/', claim)).text).toBe('XX');
    writeGeography(file);
    // It is looked for again after a while, not for each request.
    expect((await edge.request('/')).text).toBe('XX');
    clock.advance(ROAD_LIMITS.geographyRetryMs / 1000);
    expect((await edge.request('/', claim)).text).toBe('NG');
    expect((await edge.request('/')).field('cache-status')).toContain('hit');
    expect(origin.requests.length).toBe(2);
  } finally {
    await edge[Symbol.asyncDispose]();
    await origin.close();
  }
});
