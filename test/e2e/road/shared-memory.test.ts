/** Workers that share stored responses: what one stored, purged or invalidated is so for all, and for those who come later. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PurgesPage } from '#core/model/messages.ts';
import type { Purge } from '#core/model/purge.ts';
import {
  createTestClock,
  siteAt,
  startTestEdge,
  type TestClock,
  type TestEdge,
} from '../../support/edge-under-test.ts';
import { startHandlerOrigin } from '../../support/handler-origin.ts';
import { fileOnBun } from '../../support/runtime.ts';
import { createBarrier, type ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

fileOnBun('only Bun maps files');

const MIB = 1024 * 1024;
let folder: string;
let clock: TestClock;
let origin: ScriptedOrigin;
let workers: TestEdge[];
let version: number;
let barrier: ReturnType<typeof createBarrier> | null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perigee-shared-'));
  clock = createTestClock();
  workers = [];
  version = 1;
  barrier = null;
  origin = await startHandlerOrigin(clock, async (request) => {
    const body = `version ${version} of ${request.target}`;
    if (request.target.includes('slow')) await barrier?.opened;
    return {
      fields: [
        ['Cache-Control', 'max-age=600'],
        ['Cache-Tag', 'page'],
        ...(request.target.includes('represents') ? [['Content-Location', request.target] as const] : []),
        ...(request.method === 'POST' ? [['Cache-Group-Invalidation', '"page"'] as const] : []),
      ],
      body,
    };
  });
});

afterEach(async () => {
  for (const worker of workers) await worker[Symbol.asyncDispose]();
  await origin.close();
  rmSync(folder, { recursive: true });
});

/** `log`: what the control plane has to tell of the past; null: it does not answer. */
async function startWorker(log: PurgesPage | null = null, journal = 'none'): Promise<TestEdge> {
  const shared = { path: join(folder, 'memory'), byteLength: 4 * MIB, insteadBytes: MIB };
  const worker = await startTestEdge({
    clock,
    sites: [siteAt(origin.url)],
    storage: { ownBytes: 4 * MIB, shared },
    purgeJournal: join(folder, journal, '0.jsonl'),
    prepare: (control) => {
      if (log !== null) control.respond('purges-after', () => log);
    },
  });
  workers.push(worker);
  return worker;
}

const text = async (worker: TestEdge, path = '/a'): Promise<string> => (await worker.request(path)).text;

function everything(position: number): Purge {
  const target = { kind: 'everything', siteId: 'shop' } as const;
  return { position, siteId: 'shop', target, soft: false, requestedAt: clock.now() };
}

describe('two workers', () => {
  test('what one stored is a hit of the other', async () => {
    const [one, two] = [await startWorker(), await startWorker()];
    await text(one);
    const response = await two.request('/a');
    expect(response.text).toBe('version 1 of /a');
    expect(response.fields.find(([name]) => name.toLowerCase() === 'cache-status')?.[1]).toContain('hit');
    expect(origin.requests.length).toBe(1);
    const { storage } = await two.status();
    expect(storage).toMatchObject({ problem: null, storedResponses: 1 });
    expect(storage?.tiers.map(({ tier, hits }) => [tier, hits])).toEqual([
      ['shared memory', 1],
      ['memory', 0],
    ]);
  });

  test('IN1 what an unsafe request at one forgets is forgotten at the other', async () => {
    const [one, two] = [await startWorker(), await startWorker()];
    for (const worker of [one, two]) await text(worker);
    version = 2;
    await one.request('/a', { method: 'POST', body: 'change' });
    expect(await text(two)).toBe('version 2 of /a');
    expect(await text(one)).toBe('version 2 of /a');
  });

  test('IN2 and so are groups', async () => {
    const [one, two] = [await startWorker(), await startWorker()];
    await text(one, '/other');
    version = 2;
    await two.request('/a', { method: 'POST', body: 'change' });
    expect(await text(one, '/other')).toBe('version 2 of /other');
  });

  test('IN1 a fill under way at the other is not stored', async () => {
    const [one, two] = [await startWorker(), await startWorker()];
    barrier = createBarrier();
    const slow = two.request('/slow');
    await until('the fill has begun', () => origin.requests.length === 1);
    version = 2;
    const changed = one.request('/slow', { method: 'POST', body: 'change' });
    await until('the change has come', () => origin.requests.length === 2);
    barrier.open();
    await changed;
    await slow;
    expect(await text(two, '/slow')).toBe('version 2 of /slow');
  });
});

describe('an answer to POST that is also what GET would return', () => {
  test('is stored for all, and outdates what was stored before', async () => {
    const [one, two] = [await startWorker(), await startWorker()];
    expect(await text(two, '/represents')).toBe('version 1 of /represents');
    version = 2;
    await one.request('/represents', { method: 'POST', body: 'change' });
    expect(await text(two, '/represents')).toBe('version 2 of /represents');
    expect(origin.requests.length).toBe(2);
  });

  test('is not stored when its URL changed once more meanwhile', async () => {
    const [one, two] = [await startWorker(), await startWorker()];
    barrier = createBarrier();
    const slow = one.request('/represents-slow', { method: 'POST', body: 'first' });
    await until('it is under way', () => origin.requests.length === 1);
    const gate = barrier;
    barrier = null;
    await two.request('/represents-slow', { method: 'PUT', body: 'second' });
    version = 3;
    gate.open();
    await slow;
    expect(await text(one, '/represents-slow')).toBe('version 3 of /represents-slow');
  });
});

describe('a worker that comes later', () => {
  test('PU7 has the purges that were ordered before, from the control plane', async () => {
    await text(await startWorker());
    version = 2;
    const later = await startWorker({ purges: [everything(1)], unknownBefore: 0 });
    expect(await text(later)).toBe('version 2 of /a');
  });

  test('PU7 or from the journals of those before it, when the control plane is away', async () => {
    const former = await startWorker();
    await text(former);
    await former.purge({ kind: 'everything', siteId: 'shop' });
    version = 2;
    const later = await startWorker();
    expect(await text(later)).toBe('version 2 of /a');
  });

  test('PU7 what was fetched before all that the control plane knows is purged', async () => {
    await text(await startWorker());
    version = 2;
    const later = await startWorker({ purges: [], unknownBefore: 5 });
    expect(await text(later)).toBe('version 2 of /a');
    expect(await text(later)).toBe('version 2 of /a');
    expect(origin.requests.length).toBe(2);
  });

  test('PU7 one with nothing to fetch again serves what is there', async () => {
    await text(await startWorker());
    version = 2;
    expect(await text(await startWorker({ purges: [], unknownBefore: 0 }))).toBe('version 1 of /a');
  });

  test('PU7 a control plane that comes back tells what was missed', async () => {
    const worker = await startWorker();
    await text(worker);
    version = 2;
    worker.control.respond('purges-after', () => ({ purges: [everything(1)], unknownBefore: 0 }));
    worker.publish([siteAt(origin.url)]);
    await until('it has caught up', async () => (await text(worker)) === 'version 2 of /a');
  });
});
