/** What is stored outlives the processes that stored it: a killed worker, a reload, a killed supervisor; not an end in order. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type PerigeeProcess,
  partProcess,
  runPerigee,
  startPerigeeIn,
} from '../../support/perigee-process.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';
const data = mkdtempSync(join(tmpdir(), 'perigee-kept-'));
let origin: Server;
let perigee: PerigeeProcess;

async function start(): Promise<PerigeeProcess> {
  const bound = origin.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const site = `${HOST}=http://127.0.0.1:${port}`;
  const disk = `${join(data, 'disk')}=256MiB`;
  return await startPerigeeIn(data, undefined, '--no-demo', '--edges', '2', '--site', site, '--disk', disk);
}

beforeAll(async () => {
  origin = createServer((request, response) => {
    response.setHeader('Cache-Control', 'max-age=600');
    response.end(`origin answers ${request.url}${request.url === '/large' ? '!'.repeat(3_000_000) : ''}`);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  perigee = await start();
});

afterAll(() => {
  origin.close();
  rmSync(data, { recursive: true, force: true });
});

async function cacheStatus(path: string): Promise<string> {
  const response = await fetch(`http://${perigee.http}${path}`, {
    headers: { host: HOST, connection: 'close' },
  });
  expect((await response.text()).startsWith(`origin answers ${path}`)).toBe(true);
  return response.headers.get('cache-status') ?? '';
}

async function purge(path: string): Promise<void> {
  const { exitCode, err } = await perigee.cli('purge', '--site', HOST, '--prefix', path);
  expect([exitCode, err]).toEqual([0, '']);
}

const memoryFiles = () => readdirSync(data).filter((name) => name.startsWith('memory-'));

async function isWhole(): Promise<boolean> {
  const { parts } = JSON.parse((await perigee.cli('status', '--json')).out) as { parts: { state: string }[] };
  return parts.every(({ state }) => state === 'ready');
}

test('a worker that is killed loses nothing that is stored, and its successor has the purges before it', async () => {
  await cacheStatus('/kept');
  await cacheStatus('/purged');
  await purge('/purged');
  for (const worker of ['edge:local/0', 'edge:local/1']) {
    process.kill(partProcess(perigee, worker) ?? Number.NaN, 'SIGKILL');
    await until('it has a successor', isWhole);
  }
  for (let i = 0; i < 8; i++) expect(await cacheStatus('/kept')).toContain('hit');
  expect(await cacheStatus('/purged')).toContain('fwd=uri-miss');
});

test('a reload keeps what is stored', async () => {
  await cacheStatus('/reloaded');
  expect((await perigee.reload()).exitCode).toBe(0);
  for (let i = 0; i < 8; i++) expect(await cacheStatus('/reloaded')).toContain('hit');
});

test('a supervisor that is killed leaves it to the next run', async () => {
  await cacheStatus('/crashed');
  await purge('/kept');
  process.kill(perigee.pid, 'SIGKILL');
  const former = perigee;
  await until('all has ended', async () => (await former.cli('status')).exitCode !== 0);
  perigee = await start();
  expect(await cacheStatus('/crashed')).toContain('hit');
  expect(await cacheStatus('/kept')).toContain('fwd=uri-miss');
  expect(memoryFiles().filter((name) => !name.includes('disk')).length).toBe(1);
});

test('an end in order gives the memory back, and what is on a disk is there at the next start', async () => {
  for (const path of ['/small', '/large', '/purged-later']) await cacheStatus(path);
  expect(await perigee.stop()).toBe(0);
  expect(memoryFiles()).toEqual([]);
  perigee = await start();
  await until('it is found again', async () => (await cacheStatus('/small')).includes('hit'));
  expect(await cacheStatus('/large')).toContain('hit');
  await purge('/purged-later');
  expect(await cacheStatus('/purged-later')).toContain('fwd=');
  await purge('/small');
  expect(await perigee.stop()).toBe(0);
  perigee = await start();
  expect(await cacheStatus('/small')).not.toContain('hit');
  expect(await cacheStatus('/large')).toContain('hit');
  const { out } = await perigee.cli('cache', 'stats');
  expect(out).toMatch(/^edge:local\/0 +shared memory .*\nedge:local\/0 +disk +[1-9]/m);
  expect(await perigee.stop()).toBe(0);
  const verified = await runPerigee(['cache', 'verify', join(data, 'disk')]);
  expect(verified.exitCode).toBe(0);
  expect(verified.out).toMatch(/^\d+ records of [\d.]+ MB in \d+ segments: 0 damaged\.\n$/);
  expect((await runPerigee(['cache', 'verify', data])).err).toContain('holds nothing stored by Perigee');
});
