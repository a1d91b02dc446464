import { describe, expect, test } from 'bun:test';
import type { Traffic } from '#core/contract/stats.ts';
import { errorRatio, NO_TRAFFIC, savedRatio, sumTraffic, viewTraffic } from './traffic.ts';

function traffic(changes: Partial<Traffic>): Traffic {
  return { ...NO_TRAFFIC, ...changes };
}

describe('sums of traffic', () => {
  test('weigh the mean first byte by requests', () => {
    const sum = sumTraffic([
      traffic({ requests: 9, hits: 8, stale: 1, firstByteMsMean: 1, statusClasses: [0, 9, 0, 0, 0] }),
      traffic({ requests: 1, misses: 1, errors: 1, firstByteMsMean: 101, statusClasses: [0, 0, 0, 0, 1] }),
    ]);
    expect(sum).toMatchObject({ requests: 10, hitRatio: 0.9, firstByteMsMean: 11 });
    expect(sum.statusClasses).toEqual([0, 9, 0, 0, 1]);
    expect(errorRatio(sum)).toBe(0.1);
  });

  test('of nothing have no ratios, and change no constant', () => {
    expect(sumTraffic([])).toEqual(NO_TRAFFIC);
    expect(errorRatio(NO_TRAFFIC)).toBeNull();
    expect(savedRatio(NO_TRAFFIC)).toBeNull();
    expect(NO_TRAFFIC.statusClasses).toEqual([0, 0, 0, 0, 0]);
  });

  test('the step that is going on is not shown', () => {
    const point = (at: number) => ({ ...NO_TRAFFIC, at });
    const view = viewTraffic({
      from: 0,
      to: 6_000,
      stepSeconds: 2,
      totals: NO_TRAFFIC,
      series: [point(0), point(2_000), point(4_000)],
    });
    expect(view.series.map(({ at }) => at)).toEqual([0, 2_000]);
  });
});
