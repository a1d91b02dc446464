import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Decision } from '#core/caching/decision.ts';
import { createSilentLogger } from '#platform/log.ts';
import { createTestClock, siteAt, startTestEdge } from '../../test/support/edge-under-test.ts';
import { startHandlerOrigin } from '../../test/support/handler-origin.ts';
import { makeStoredHead } from './storage/storage.cases.ts';
import { TraceLog } from './trace-log.ts';

const folder = mkdtempSync(join(tmpdir(), 'perigee-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

const newPath = (): string => join(folder, `${made++}`);
const MISS: Decision = { action: 'forward', forward: 'uri-miss', mayCollapse: true, mayStore: true };

/** Columns of each line. */
function linesOf(path: string): string[][] {
  const text = readFileSync(path, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(','));
}

describe('the trace of an edge', () => {
  test('has a line for each request, with the length of the body however it was answered, and no URL', async () => {
    const clock = createTestClock();
    const origin = await startHandlerOrigin(clock, ({ target }) => ({
      fields: [['Cache-Control', target === '/private' ? 'no-store' : 'max-age=60']],
      body: 'x'.repeat(target === '/large' ? 5_000 : 17),
    }));
    const path = newPath();
    {
      await using edge = await startTestEdge({
        clock,
        sites: [siteAt(origin.url)],
        trace: { path, share: 1, secret: 'of this run' },
      });
      for (const target of ['/large', '/small', '/large', '/private']) await edge.request(target);
      clock.advance(10);
      await edge.request('/large', { method: 'HEAD' });
      await edge.request('/large', { fields: [['Range', 'bytes=0-9']] });
      clock.advance(80);
      await edge.request('/large');
    }
    await origin.close();
    const lines = linesOf(path);
    expect(lines.map(([, , bytes, fresh, hit]) => [bytes, fresh, hit])).toEqual([
      ['5000', '60', '0'],
      ['17', '60', '0'],
      ['5000', '60', '1'],
      ['5000', '50', '1'],
      ['5000', '50', '1'],
      // It was stale, and came anew.
      ['5000', expect.any(String), '0'],
    ]);
    const keys = lines.map(([, key]) => key);
    expect(new Set(keys).size).toBe(2);
    expect(keys[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(readFileSync(path, 'utf8')).not.toContain('large');
  });

  test('is of the same keys in all workers, and those of another secret are others', async () => {
    const path = newPath();
    const tracedBy = async (secret: string): Promise<string[]> => {
      writeFileSync(path, '');
      const trace = new TraceLog({ path, share: 1 / 4, secret }, createSilentLogger());
      for (let i = 0; i < 400; i++) {
        trace.looked(`http://a/${i}`, null, MISS, i);
        trace.stored(`http://a/${i}`, makeStoredHead(), i);
      }
      await trace.close();
      return linesOf(path).map(([, key, bytes]) => `${key} ${bytes}`);
    };
    const traced = await tracedBy('s');
    expect(traced.length).toBeGreaterThan(60);
    expect(traced.length).toBeLessThan(140);
    expect(await tracedBy('s')).toEqual(traced);
    const others = new Set(await tracedBy('t'));
    expect(traced.filter((line) => others.has(line))).toEqual([]);
  });

  test('all who waited for one body have a line, what was never stored has none, and variants have keys of their own', async () => {
    const path = newPath();
    const trace = new TraceLog({ path, share: 1, secret: 's' }, createSilentLogger());
    for (const at of [1, 2]) trace.looked('k', null, MISS, at);
    trace.looked('never', null, MISS, 3);
    trace.looked('k', null, { ...MISS, mayStore: false }, 4);
    trace.stored('k', makeStoredHead({ varyNames: ['accept'], varyValues: ['a'] }), 10);
    trace.looked('k', null, MISS, 5);
    trace.stored('k', makeStoredHead({ varyNames: ['accept'], varyValues: [null] }), 20);
    await trace.close();
    expect(linesOf(path).map(([at, , bytes]) => [at, bytes])).toEqual([
      ['1', '10'],
      ['2', '10'],
      ['5', '20'],
    ]);
    const [first, second, third] = linesOf(path).map(([, key]) => key);
    expect(first).toBe(second as string);
    expect(third).not.toBe(first as string);
  });

  test('several append whole lines to one file', async () => {
    const path = newPath();
    const logs = Array.from(
      { length: 3 },
      () => new TraceLog({ path, share: 1, secret: 's' }, createSilentLogger()),
    );
    for (let i = 0; i < 6_000; i++) {
      const trace = logs[i % 3] as TraceLog;
      trace.looked('k', null, MISS, i);
      trace.stored('k', makeStoredHead(), 1);
    }
    await Promise.all(logs.map((trace) => trace.close()));
    const lines = linesOf(path);
    expect(new Set(lines.map(([at]) => at)).size).toBe(6_000);
    expect(lines.every((columns) => columns.length === 5)).toBe(true);
  });

  for (const [what, options] of [
    ['that has reached its bound', { path: newPath(), fileBytesMax: 300 }],
    ['that cannot be written', { path: join(folder, 'nowhere', 'at all') }],
  ] as const) {
    test(`a file ${what} ends the trace, with one word in the log, and nothing else`, async () => {
      const words: string[] = [];
      const log = { ...createSilentLogger(), warn: (_: unknown, text: string) => void words.push(text) };
      const trace = new TraceLog({ share: 1, secret: 's', ...options }, log as never);
      for (let i = 0; i < 20; i++) {
        trace.looked('k', null, MISS, i);
        trace.stored('k', makeStoredHead(), 1);
        await trace.flush();
      }
      await trace.close();
      expect(words).toEqual([expect.stringContaining('ends here')]);
      if ('fileBytesMax' in options) expect(readFileSync(options.path).byteLength).toBeLessThanOrEqual(300);
    });
  }
});
