import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { STATS_POINTS_MAX, STATS_SERIES_MAX } from '#core/contract/stats.ts';
import type { Rollup } from '#core/model/messages.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { joinTestPart, makeDataDirectory, startTestControl } from '../../../test/support/test-control.ts';
import type { Database } from '../database/schema.ts';
import { openSqlite } from '../database/sqlite/open-sqlite.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { LiveWindow } from './live-window.ts';
import { TrafficLog } from './traffic-log.ts';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 5, 1, 12);

function rollup(more: Partial<Rollup> = {}): Rollup {
  return {
    siteId: 'shop',
    popId: 'fra',
    startedAt: NOON,
    requests: 10,
    hits: 7,
    misses: 2,
    stale: 1,
    errors: 0,
    bytesToClients: 1_000,
    bytesFromOrigin: 200,
    firstByteMsTotal: 50,
    statusClasses: [0, 9, 0, 1, 0],
    ...more,
  };
}

describe('traffic per minute', () => {
  const data = makeDataDirectory();
  let database: Database;
  let now = NOON;
  let traffic: TrafficLog;

  beforeAll(async () => {
    database = await openSqlite(join(data.directory, 'control.sqlite'));
  });
  beforeEach(async () => {
    now = NOON + 30_000;
    await database.deleteFrom('traffic').execute();
    traffic = new TrafficLog({ database, clock: { now: () => now }, log: createSilentLogger() });
  });
  afterAll(async () => {
    await database.destroy();
    data.remove();
  });

  test('is added up in total, per site and per POP', async () => {
    traffic.add(rollup());
    traffic.add(
      rollup({ popId: 'lax', requests: 30, hits: 0, stale: 0, misses: 30, bytesFromOrigin: 5_000 }),
    );
    await traffic.flush();
    traffic.add(rollup({ siteId: 'blog', startedAt: NOON - 2 * MINUTE }));
    traffic.add(rollup());
    const stats = await traffic.view(3);
    expect(stats).toMatchObject({ from: NOON - 2 * MINUTE, to: NOON + MINUTE, stepSeconds: 60 });
    expect(stats.totals).toEqual({
      requests: 60,
      hits: 21,
      misses: 36,
      stale: 3,
      errors: 0,
      bytesToClients: 4_000,
      bytesFromOrigin: 5_600,
      bytesSaved: 0,
      hitRatio: 0.4,
      firstByteMsMean: 200 / 60,
      statusClasses: [0, 36, 0, 4, 0],
    });
    expect(stats.series.map(({ requests }) => requests)).toEqual([10, 0, 50]);
    expect(stats.series[1]).toMatchObject({ at: NOON - MINUTE, hitRatio: null, firstByteMsMean: null });
    expect(stats.sites.map(({ id, totals }) => [id, totals.requests])).toEqual([
      ['shop', 50],
      ['blog', 10],
    ]);
    expect(stats.pops.map(({ id, totals }) => [id, totals.requests, totals.bytesSaved])).toEqual([
      ['fra', 30, 2_400],
      ['lax', 30, 0],
    ]);
    expect(stats.sites[1]?.series.map(({ requests }) => requests)).toEqual([10, 0, 0]);
  });

  test('older traffic is outside, and past its days deleted', async () => {
    traffic.add(rollup({ startedAt: NOON - 60 * MINUTE }));
    traffic.add(rollup({ startedAt: NOON - 8 * 24 * 60 * MINUTE }));
    expect((await traffic.view(60)).totals.requests).toBe(0);
    expect((await traffic.view(61)).totals.requests).toBe(10);
    await traffic.prune();
    expect(await database.selectFrom('traffic').select('minute').execute()).toHaveLength(1);
  });

  test('long times come in wider steps, with nothing lost', async () => {
    for (let hour = 0; hour < 7 * 24; hour++) traffic.add(rollup({ startedAt: NOON - hour * 60 * MINUTE }));
    const stats = await traffic.view(7 * 24 * 60);
    expect(stats.series.length).toBeLessThanOrEqual(STATS_POINTS_MAX);
    expect(stats.totals.requests).toBe(1_680);
    expect(stats.series.reduce((sum, { requests }) => sum + requests, 0)).toBe(1_680);
    expect(stats.stepSeconds).toBe(56 * 60);
  });

  test('only the busiest sites come one by one', async () => {
    for (let i = 0; i < STATS_SERIES_MAX + 20; i++) traffic.add(rollup({ siteId: `s${i}`, requests: i }));
    const { sites, totals } = await traffic.view(1);
    expect(sites).toHaveLength(STATS_SERIES_MAX);
    expect(sites[0]?.id).toBe(`s${STATS_SERIES_MAX + 19}`);
    expect(totals.requests).toBe(((STATS_SERIES_MAX + 20) * (STATS_SERIES_MAX + 19)) / 2);
  });

  test('without traffic there are zeros and no ratio', async () => {
    const { totals, series, sites } = await traffic.view(5);
    expect(totals).toMatchObject({ requests: 0, hitRatio: null, bytesSaved: 0 });
    expect(series).toHaveLength(5);
    expect(sites).toEqual([]);
  });

  test('what could not be written is written with the next', async () => {
    const own = await openSqlite(join(data.directory, 'other.sqlite'));
    const log = new TrafficLog({ database: own, clock: { now: () => now }, log: createSilentLogger() });
    log.add(rollup());
    await own.schema.alterTable('traffic').renameTo('away').execute();
    await log.flush();
    await own.schema.alterTable('away').renameTo('traffic').execute();
    log.add(rollup());
    expect((await log.view(1)).totals.requests).toBe(20);
    await own.destroy();
  });

  test('memory is bounded when nothing can be written', () => {
    for (let i = 0; i < CONTROL_LIMITS.trafficRowsPendingMax + 10; i++)
      traffic.add(rollup({ siteId: `s${i}` }));
    expect(() => traffic.add(rollup())).not.toThrow();
  });
});

describe('live traffic', () => {
  test('rates of the last whole steps, a minute of series, nothing older', () => {
    let now = NOON;
    const live = new LiveWindow({ now: () => now });
    for (let step = 0; step < 40; step++) {
      now = NOON + step * 2_000;
      live.add(rollup({ startedAt: now }));
      live.add(rollup({ startedAt: now, popId: 'lax', siteId: 'blog', requests: 2, hits: 0, stale: 0 }));
    }
    now += 2_500;
    const view = live.view();
    expect(view.requestsPerSecond).toBe(6);
    expect(view.hitRatio).toBeCloseTo(8 / 12);
    expect(view.pops).toEqual([
      { id: 'fra', requestsPerSecond: 5, bytesPerSecond: 500, hitRatio: 0.8 },
      { id: 'lax', requestsPerSecond: 1, bytesPerSecond: 500, hitRatio: 0 },
    ]);
    expect(view.sites.map(({ id }) => id)).toEqual(['shop', 'blog']);
    expect(view.series.length).toBeGreaterThanOrEqual(28);
    expect(view.series.every(({ requests }) => requests === 12)).toBe(true);
    now += 60_000;
    expect(live.view()).toMatchObject({ requestsPerSecond: 0, hitRatio: null, pops: [], sites: [] });
  });

  test('rollups from another time are left out', () => {
    const live = new LiveWindow({ now: () => NOON });
    live.add(rollup({ startedAt: NOON - 3_600_000 }));
    live.add(rollup({ startedAt: NOON + 3_600_000 }));
    live.add(rollup({ startedAt: Number.NaN }));
    expect(live.view().series.every(({ requests }) => requests === 0)).toBe(true);
  });
});

describe('rollups from the bus', () => {
  test('reach stats, live stats and metrics, and outlive a restart', async () => {
    const data = makeDataDirectory();
    const hub = createLocalHub();
    const options = { dataDirectory: data.directory, hub };
    const first = await startTestControl(options);
    const edge = joinTestPart(hub, 'edge:a/0', {
      counters: {
        perigee_edge_requests_total: 12,
        perigee_open_connections: 3,
        'not a name': 1,
        perigee_generation: 99,
        perigee_broken: Number.NaN,
      },
    });
    const other = joinTestPart(hub, 'edge:b/0', { counters: { perigee_edge_requests_total: 30 } });
    edge.bus.publish('rollups', [
      rollup({ startedAt: Number.NaN }),
      rollup({ requests: Number.POSITIVE_INFINITY, startedAt: Date.now() }),

      rollup({ startedAt: Date.now() - 3_000 }),
      rollup({ startedAt: Date.now() - 3_000, siteId: 'a"b\n' }),
    ]);
    expect((await first.client.getStats({ query: { minutes: 2 } })).totals.requests).toBe(20);
    expect((await first.client.getLiveStats()).requestsPerSecond).toBeGreaterThanOrEqual(0);
    const response = await fetch(`${first.url}/metrics`);
    expect(response.headers.get('content-type')).toStartWith('text/plain');
    const lines = (await response.text()).split('\n');
    for (const line of [
      'perigee_generation 1',
      'perigee_part_ready{part="edge:a/0"} 1',
      'perigee_stored_responses{part="edge:b/0"} 3',
      'perigee_edge_requests_total{part="edge:a/0"} 12',
      'perigee_edge_requests_total{part="edge:b/0"} 30',
      '# TYPE perigee_edge_requests_total counter',
      'perigee_open_connections{part="edge:a/0"} 3',
      'perigee_site_requests_total{site="shop",pop="fra"} 10',
      'perigee_site_requests_total{site="a\\"b\\n",pop="fra"} 10',
      'perigee_site_responses_total{site="shop",pop="fra",class="4xx"} 1',
    ]) {
      expect(lines).toContain(line);
    }
    expect(
      lines.filter((line) => line !== '' && !/^(#|[a-zA-Z_:][\w:]*(\{.*\})? -?[\d.e+-]+$)/.test(line)),
    ).toEqual([]);
    await first.close();
    const second = await startTestControl(options);
    expect((await second.client.getStats({ query: { minutes: 2 } })).totals.requests).toBe(20);
    await second.close();
    edge.close();
    other.close();
    data.remove();
  });
});
