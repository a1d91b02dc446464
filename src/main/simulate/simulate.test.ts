import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTraceRecord, formatTraceStart } from '#core/simulation/trace-line.ts';
import { makeWorkload } from '../../../test/support/workload.ts';
import { simulateCache } from '../cache-simulate.ts';
import { simulate } from './simulate.ts';
import { simulationSvg } from './simulation-plot.ts';
import { simulationText } from './simulation-text.ts';

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'perigee-simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

function traceOf(content: string): string {
  const path = join(folder, `${made++}.csv`);
  writeFileSync(path, content);
  return path;
}

const ALL = { sizes: null, share: null, warmUpShare: 0 };
const WORKLOAD = { seed: 4, requests: 60_000, objects: 8_000, alpha: 0.9, medianBytes: 6_000, spread: 1.2 };
const lines = [...makeWorkload(WORKLOAD)].map(({ object, bytes }, i) => `${i},${object},${bytes}`);

describe('a simulation', () => {
  test('counts requests, objects and octets', async () => {
    const path = traceOf('time,id,size\n1,a,100\n2,b,300\n3,a,100\n4,large,300000\n5,a,100\n');
    const { sizes, ...facts } = await simulate(path, { ...ALL, sizes: [MIB] });
    expect(facts).toMatchObject({ requests: 5, objects: 3, share: 1, footprintBytes: 400, largeShare: 0.2 });
    expect(facts.observedHitRatio).toBeNull();
    expect(sizes[0]?.policies.LRU).toEqual({ objectHitRatio: 2 / 5, byteHitRatio: 200 / 300_600 });
    // A shard of a mebibyte would refuse what a real one takes.
    expect(sizes[0]?.policies.engine).toBeNull();
  });

  test('of a trace of an edge says what was a hit, and keeps keys of two starts apart', async () => {
    const record = (isHit: boolean) =>
      formatTraceRecord({ at: 1, key: 'k', bytes: 10, freshSeconds: 5, isHit });
    const start = formatTraceStart(0.5, 'now');
    const path = traceOf(start + record(false) + record(true) + start + record(false) + record(true));
    const report = await simulate(path, { ...ALL, sizes: [MIB] });
    expect(report).toMatchObject({ requests: 4, objects: 2, share: 0.5, observedHitRatio: 0.5, starts: 2 });
    expect(report.footprintBytes).toBe(40);
    expect(report.sizes[0]?.policies.SIEVE?.objectHitRatio).toBe(0.5);
    expect(simulationText(report)).toContain('50.0 % of all keys');
  });

  test('the engine and S3-FIFO are close, and more memory hits more', async () => {
    const path = traceOf(`${lines.join('\n')}\n`);
    const { sizes } = await simulate(path, { ...ALL, sizes: [16 * MIB, 64 * MIB], warmUpShare: 0.5 });
    const [small, large] = sizes.map(({ policies }) => policies);
    expect(small?.engine?.objectHitRatio).toBeCloseTo(small?.['S3-FIFO']?.objectHitRatio ?? 0, 1);
    expect(large?.engine?.objectHitRatio).toBeGreaterThan(small?.engine?.objectHitRatio ?? 1);
  });

  test('of more keys than are looked at a sample is, in a cache smaller in the same measure', async () => {
    const path = traceOf(`${lines.join('\n')}\n`);
    const options = { ...ALL, sizes: [16 * MIB] };
    const all = await simulate(path, options);
    const some = await simulate(path, { ...options, keysMax: 3_000 });
    expect(some.share).toBe(0.25);
    expect(some.objects).toBeLessThan(3_000);
    expect(some.footprintBytes / all.footprintBytes).toBeCloseTo(1, 0);
    const ratio = ({ sizes }: typeof all): number => sizes[0]?.policies['S3-FIFO']?.objectHitRatio ?? 0;
    expect(Math.abs(ratio(some) - ratio(all))).toBeLessThan(0.1);
    // What engines would take of memory is bounded in the same way.
    const bounded = await simulate(path, { ...options, memoryBytesMax: 4 * MIB });
    expect(bounded.share).toBeLessThanOrEqual(0.25);
  });

  test('bad lines are named, and so is a file that is not there', async () => {
    const start = (share: number) => formatTraceStart(share, 'now');
    for (const [content, problem] of [
      ['1,a,5\n2,b\n', /line 2: has fewer columns/],
      ['1,a,5\n\nx,b,4\n', /line 3: does not begin with a time/],
      [`1,a,5\n${'9'.repeat(400_000)}`, /line 2: has more than 4096 characters/],
      [`${start(0.5)}1,a,5\n${start(0.25)}`, /line 3: begins a trace with a share of 0.25 behind one of 0.5/],
      ['', /has no requests/],
    ] as const) {
      await expect(simulate(traceOf(content), ALL)).rejects.toThrow(problem);
    }
    await expect(simulate(join(folder, 'nowhere'), ALL)).rejects.toThrow(/cannot be read: ENOENT/);
  });

  test('options are read and judged, and the picture is drawn', async () => {
    const path = traceOf(`${lines.slice(0, 2_000).join('\n')}\n`);
    const plot = join(folder, 'plot.svg');
    const report = await simulateCache(path, {
      size: ['64MiB', '16MiB', '16MiB'],
      warmUp: '10',
      share: '1/4',
      plot,
    });
    expect(report.sizes.map(({ bytes }) => bytes)).toEqual([16 * MIB, 64 * MIB]);
    expect(report.share).toBe(0.25);
    expect(readFileSync(plot, 'utf8')).toBe(simulationSvg(report));
    expect(simulationSvg(report).match(/<polyline points="\S+/g)?.length).toBe(4);
    for (const [given, problem] of [
      [{ size: ['4'] }, /--size 4: must be a size/],
      [{ share: '0%' }, /--share 0%: must be/],
      [{ share: '1/0' }, /--share 1\/0: must be/],
      [{ warmUp: '95' }, /--warm-up 95/],
      [{ plot: folder }, /--plot .*cannot be written/],
    ] as const) {
      await expect(simulateCache(path, { warmUp: '0', ...given })).rejects.toThrow(problem);
    }
  });
});
