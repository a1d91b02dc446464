import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { createSilentLogger } from '#platform/log.ts';
import type { PartPlan } from '../supervisor/part-plan.ts';
import { askReload, serveCommands } from './command-socket.ts';
import { reloadText } from './reload-text.ts';
import { type ReloadReport, Reloads } from './reloads.ts';

function plan(name: string, replacement: PartPlan['replacement'] = 'overlapping'): PartPlan {
  return { name, command: [], options: {}, descriptors: [], replacement };
}

const ORDER = [plan('edge'), plan('shop', 'never'), plan('nameserver'), plan('control', 'in-turn')];

/** Reloads of parts whose replacement ends when the test says so. */
function reloadsOf(replace: (name: string) => Promise<void>, allHealthy = async () => {}) {
  return new Reloads({
    supervisor: { replace, formers: 2, generation: 5 },
    order: ORDER,
    drainMs: 300_000,
    allHealthy,
    log: createSilentLogger(),
  });
}

const DONE: ReloadReport = {
  reload: 1,
  replaced: ['edge', 'nameserver', 'control'],
  kept: [],
  failure: null,
  generation: 5,
  formers: 2,
  drainSeconds: 300,
};

describe('a reload', () => {
  test('replaces one part after the other, but those that are left alone', async () => {
    const log: string[] = [];
    const reloads = reloadsOf(async (name) => {
      log.push(`begin ${name}`);
      await Bun.sleep(1);
      log.push(`end ${name}`);
    });
    expect(await reloads.request()).toEqual(DONE);
    expect(log).toEqual(
      ['edge', 'nameserver', 'control'].flatMap((name) => [`begin ${name}`, `end ${name}`]),
    );
  });

  test('ends at the first part that does not start', async () => {
    const reloads = reloadsOf(async (name) => {
      if (name === 'nameserver') throw new AppError('conflict', 'the port is in use');
    });
    expect(await reloads.request()).toEqual({
      ...DONE,
      replaced: ['edge'],
      kept: ['nameserver', 'control'],
      failure: { code: 'conflict', message: 'the port is in use' },
    });
  });

  test('fails when not all parts answer in the end', async () => {
    const reloads = reloadsOf(
      async () => {},
      async () => {
        throw new AppError('unavailable', 'not every part answered');
      },
    );
    expect((await reloads.request()).failure?.message).toBe('not every part answered');
  });

  test('that is asked for while one is under way comes after it, once for all', async () => {
    let running = 0;
    let most = 0;
    const reloads = reloadsOf(async () => {
      running += 1;
      most = Math.max(most, running);
      await Bun.sleep(1);
      running -= 1;
    });
    const reports = await Promise.all([reloads.request(), reloads.request(), reloads.request()]);
    expect(reports.map(({ reload }) => reload)).toEqual([1, 2, 2]);
    expect(most).toBe(1);
    expect((await reloads.request()).reload).toBe(3);
  });
});

describe('the command socket', () => {
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'did not fail',
      (error: Error) => error.message,
    );

  test('is for its owner alone, takes over what a dead one left, and tells how the reload went', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'perigee-commands-'));
    const path = join(directory, 'perigee.sock');
    writeFileSync(path, '');
    const socket = await serveCommands(directory, { request: async () => DONE });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await askReload(directory)).toEqual(DONE);
    socket.close();
    expect(await failure(askReload(directory))).toBe(`--data ${directory}: no Perigee runs there`);
    rmSync(directory, { recursive: true });
  });

  test('in a directory however deep', async () => {
    const directory = mkdtempSync(join(tmpdir(), `perigee-${'deep'.repeat(40)}-`));
    const socket = await serveCommands(directory, { request: async () => DONE });
    expect(await askReload(directory)).toEqual(DONE);
    socket.close();
    rmSync(directory, { recursive: true });
  });

  test('says so when it closes during the reload', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'perigee-commands-'));
    const asked = Promise.withResolvers<void>();
    const socket = await serveCommands(directory, {
      request: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const report = failure(askReload(directory));
    await asked.promise;
    socket.close();
    expect(await report).toBe(`--data ${directory}: Perigee ended before the reload did`);
    rmSync(directory, { recursive: true });
  });

  test.each(['nonsense\n', 'reload', `${'x'.repeat(1000)}\n`])('answers nothing to %j', async (said) => {
    const directory = mkdtempSync(join(tmpdir(), 'perigee-commands-'));
    let requests = 0;
    const socket = await serveCommands(directory, {
      request: async () => {
        requests += 1;
        return DONE;
      },
    });
    const received = await new Promise<string>((resolve) => {
      let text = '';
      const client = createConnection(join(directory, 'perigee.sock'), () => client.end(said));
      client.on('data', (bytes) => {
        text += bytes.toString();
      });
      client.on('error', () => {});
      client.on('close', () => resolve(text));
    });
    expect([received, requests]).toEqual(['', 0]);
    socket.close();
    rmSync(directory, { recursive: true });
  });
});

describe('what is said of it', () => {
  test('when it went well', () => {
    expect(reloadText(DONE)).toBe(
      'Replaced: edge, nameserver, control. Generation 5.\n2 former processes finish what is under way, within 300 s.\n',
    );
    expect(reloadText({ ...DONE, formers: 0 })).toBe('Replaced: edge, nameserver, control. Generation 5.\n');
  });

  test('when it failed', () => {
    const report = { ...DONE, replaced: ['edge'], kept: ['control'] };
    expect(() => reloadText({ ...report, failure: { code: 'conflict', message: 'no room' } })).toThrow(
      'reload failed: no room (replaced before: edge; as it was: control)',
    );
  });
});
