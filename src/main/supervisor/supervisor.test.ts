import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSilentLogger } from '#platform/log.ts';
import { until } from '../../../test/support/until.ts';
import { SUPERVISOR_LIMITS } from './limits.ts';
import type { PartPlan, Replacement } from './part-plan.ts';
import { Supervisor } from './supervisor.ts';

const directory = mkdtempSync(join(tmpdir(), 'perigee-supervisor-'));
const supervisors: { supervisor: Supervisor; names: string[] }[] = [];

afterEach(async () => {
  for (const { supervisor, names } of supervisors.splice(0)) await supervisor.stop([names]);
});
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

/** Puts a part's code on disk. */
function write(name: string, script: string): void {
  writeFileSync(join(directory, `${name}.js`), script);
}

/** A part made of a few lines of script. */
function part(name: string, script: string, replacement: Replacement = 'overlapping'): PartPlan {
  write(name, script);
  return { name, command: [join(directory, `${name}.js`)], options: { name }, descriptors: [], replacement };
}

function supervise(...names: string[]): Supervisor {
  const supervisor = new Supervisor(createSilentLogger());
  supervisors.push({ supervisor, names });
  return supervisor;
}

/** Says that it is ready, and ends when told to. */
const READY = `process.send({ kind: 'ready', facts: { pid: String(process.pid) } });
  process.on('message', (m) => { if (m.kind === 'end' || m.kind === 'hand-over') process.exit(0); });`;
/** The same, but holds on to what it has under way until a file appears. */
const LINGERING = `process.send({ kind: 'ready', facts: {} });
  process.on('message', (m) => {
    if (m.kind === 'end') process.exit(0);
    if (m.kind === 'hand-over') setInterval(() => { if (require('fs').existsSync(__filename + '.done')) process.exit(0); }, 5);
  });`;
const DRAIN_MS = 60_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function processIdOf(supervisor: Supervisor, name: string): number {
  const pid = supervisor.processId(name);
  if (pid === null) throw new Error(`${name} does not run`);
  return pid;
}

function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'did not fail',
    (error: Error) => error.message,
  );
}

describe('the supervisor', () => {
  test('starts a part, hands on its facts, and ends it', async () => {
    const supervisor = supervise('well');
    const facts = await supervisor.start(part('well', READY));
    expect(Number(facts.pid)).toBe(supervisor.processId('well') ?? 0);
    await supervisor.stop([['well']]);
    expect(supervisor.processId('well')).toBeNull();
    expect(isAlive(Number(facts.pid))).toBe(false);
  });

  test('starts a part that was killed again', async () => {
    const supervisor = supervise('killed');
    const { pid } = await supervisor.start(part('killed', READY));
    process.kill(Number(pid), 'SIGKILL');
    await until('it runs again', () => {
      const now = supervisor.processId('killed');
      return now !== null && now !== Number(pid);
    });
    expect(isAlive(processIdOf(supervisor, 'killed'))).toBe(true);
  });

  test('a part that cannot start is reported in its own words and not tried again', async () => {
    const supervisor = supervise('failing');
    const script = `process.send({ kind: 'failed', code: 'conflict', message: 'the port is in use' });
      setTimeout(() => process.exit(1), 50);`;
    await expect(supervisor.start(part('failing', script))).rejects.toThrow('the port is in use');
  });

  test('a part that ends at its start without a word is an error, not a hang', async () => {
    const supervisor = supervise('mute');
    await expect(supervisor.start(part('mute', 'process.exit(3)'))).rejects.toThrow(
      'mute ended at its start (3)',
    );
  });

  test('carries a publication from one part to another', async () => {
    const supervisor = supervise('speaker', 'listener');
    const listener = `process.on('message', (m) => {
        if (m.kind === 'deliver') process.send({ kind: 'ready', facts: { heard: m.message, from: m.from } });
        if (m.kind === 'end') process.exit(0);
      });
      process.send({ kind: 'subscribe', topic: 'snapshot' });`;
    const heard = supervisor.start(part('listener', listener));
    await supervisor.start(
      part('speaker', `process.send({ kind: 'publish', topic: 'snapshot', message: 'hello' });${READY}`),
    );
    expect(await heard).toEqual({ heard: 'hello', from: 'speaker' });
  });

  test('a part that lives on without its channel harms nobody, and ends at the end', async () => {
    const supervisor = supervise('deaf', 'speaker');
    const gone = join(directory, 'deaf.gone');
    const deaf = `process.send({ kind: 'subscribe', topic: 'heartbeat' });
      process.send({ kind: 'ready', facts: {} });
      process.on('disconnect', () => require('fs').writeFileSync(${JSON.stringify(gone)}, ''));
      setTimeout(() => process.disconnect(), 10); setInterval(() => {}, 1000);`;
    await supervisor.start(part('deaf', deaf));
    await until('it is deaf', () => Bun.file(gone).exists());
    const speaker = `process.send({ kind: 'publish', topic: 'heartbeat', message: 'hello' });${READY}`;
    await supervisor.start(part('speaker', speaker));
    await supervisor.stop([['deaf', 'speaker']]);
    expect(supervisor.processId('deaf')).toBeNull();
  });

  test('starts nothing again while it ends, whoever ends the parts', async () => {
    const supervisor = supervise('first', 'last');
    const slow = `process.send({ kind: 'ready', facts: {} });
      process.on('message', (m) => { if (m.kind === 'end') setInterval(() => { if (require('fs').existsSync(__filename + '.go')) process.exit(0); }, 5); });`;
    await supervisor.start(part('first', slow));
    const { pid } = await supervisor.start(part('last', READY));
    const stopped = supervisor.stop([['first'], ['last']]);
    const again = join(directory, 'last-again');
    write('last', `require('fs').writeFileSync(${JSON.stringify(again)}, '');${READY}`);
    process.kill(Number(pid), 'SIGKILL');
    await until('it is gone', () => supervisor.processId('last') === null);
    // A part of somebody else that dies later is running again: so would this one be.
    const other = supervise('elsewhere');
    const { pid: elsewhere } = await other.start(part('elsewhere', READY));
    process.kill(Number(elsewhere), 'SIGKILL');
    await until('it runs again', () => ![null, Number(elsewhere)].includes(other.processId('elsewhere')));
    writeFileSync(join(directory, 'first.js.go'), '');
    await stopped;
    expect(await Bun.file(again).exists()).toBe(false);
  });

  test('has received all that a part said before it lets the part go', async () => {
    const supervisor = supervise('speaker', 'counter');
    const seen = join(directory, 'counted');
    const counter = `let n = 0;
      process.on('message', (m) => {
        if (m.kind === 'deliver') n += 1;
        if (m.kind === 'end') { require('fs').writeFileSync(${JSON.stringify(seen)}, String(n)); process.exit(0); }
      });
      process.send({ kind: 'subscribe', topic: 'rollups' });
      process.send({ kind: 'ready', facts: {} });`;
    await supervisor.start(part('counter', counter));
    const speaker = `process.send({ kind: 'ready', facts: {} });
      process.on('message', (m) => {
        if (m.kind === 'end') {
          for (let i = 0; i < 500; i++) process.send({ kind: 'publish', topic: 'rollups', message: ['x'.repeat(5000)] });
          process.send({ kind: 'ended' });
        }
        if (m.kind === 'goodbye') process.exit(0);
      });`;
    await supervisor.start(part('speaker', speaker));
    await supervisor.stop([['speaker'], ['counter']]);
    expect(await Bun.file(seen).text()).toBe('500');
  });
});

describe('a part that is replaced', () => {
  test('runs the code that is on disk now; the former process ends', async () => {
    const supervisor = supervise('old');
    const { pid } = await supervisor.start(part('old', READY));
    const proof = join(directory, 'new-code-ran');
    write('old', `require('fs').writeFileSync(${JSON.stringify(proof)}, '');${READY}`);
    await supervisor.replace('old', DRAIN_MS);
    expect(processIdOf(supervisor, 'old')).not.toBe(Number(pid));
    expect(await Bun.file(proof).exists()).toBe(true);
    await until('the former has ended', () => supervisor.formers === 0);
    expect(isAlive(Number(pid))).toBe(false);
  });

  test('serves on when the new one is broken, whatever way', async () => {
    const supervisor = supervise('firm');
    const { pid } = await supervisor.start(part('firm', READY));
    for (const [script, cause] of [
      ['this is no script', 'firm ended at its start (1)'],
      [`process.send({ kind: 'failed', code: 'conflict', message: 'no room' })`, 'no room'],
      [`process.kill(process.pid, 'SIGKILL')`, 'firm ended at its start (SIGKILL)'],
    ] as const) {
      write('firm', script);
      expect(await failureOf(supervisor.replace('firm', DRAIN_MS))).toBe(
        `the new firm does not start: ${cause}`,
      );
    }
    expect(processIdOf(supervisor, 'firm')).toBe(Number(pid));
    expect(isAlive(Number(pid))).toBe(true);
    expect(supervisor.formers).toBe(0);
  });

  test('is replaced once more while former ones still finish, up to a bound, then waits for one of them', async () => {
    const supervisor = supervise('slow');
    await supervisor.start(part('slow', LINGERING));
    for (let n = 1; n <= SUPERVISOR_LIMITS.formersMax; n += 1) {
      await supervisor.replace('slow', DRAIN_MS);
      expect(supervisor.formers).toBe(n);
    }
    let isReplaced = false;
    const before = processIdOf(supervisor, 'slow');
    const waiting = supervisor.replace('slow', DRAIN_MS).then(() => {
      isReplaced = true;
    });
    // Long enough for a process to start, were it not for the bound.
    const other = supervise('other');
    await other.start(part('other', READY));
    expect([isReplaced, processIdOf(supervisor, 'slow')]).toEqual([false, before]);
    writeFileSync(join(directory, 'slow.js.done'), '');
    await waiting;
    expect(processIdOf(supervisor, 'slow')).not.toBe(before);
  });

  test('and whose former process does not end in time has it killed', async () => {
    const supervisor = supervise('stubborn');
    await supervisor.start(part('stubborn', LINGERING));
    const former = processIdOf(supervisor, 'stubborn');
    await supervisor.replace('stubborn', 1 - SUPERVISOR_LIMITS.handOverMarginMs);
    await until('the former has ended', () => supervisor.formers === 0);
    expect(isAlive(former)).toBe(false);
  });

  test('while it waits to be started again is started at once', async () => {
    const supervisor = supervise('fallen');
    const { pid } = await supervisor.start(part('fallen', READY));
    write('fallen', 'process.exit(1)');
    process.kill(Number(pid), 'SIGKILL');
    await until('it is down', () => supervisor.processId('fallen') === null);
    expect(await failureOf(supervisor.replace('fallen', DRAIN_MS))).toContain('does not start');
    write('fallen', READY);
    await supervisor.replace('fallen', DRAIN_MS);
    expect(isAlive(processIdOf(supervisor, 'fallen'))).toBe(true);
    expect(supervisor.formers).toBe(0);
  });

  test('and dies meanwhile is down no longer than its successor takes, and is started once', async () => {
    const supervisor = supervise('dying');
    const go = join(directory, 'dying.go');
    await supervisor.start(part('dying', READY));
    write(
      'dying',
      `setInterval(() => { if (require('fs').existsSync(${JSON.stringify(go)})) begin(); }, 5);
      let begun = false;
      function begin() { if (begun) return; begun = true; ${READY} }`,
    );
    const replaced = supervisor.replace('dying', DRAIN_MS);
    process.kill(processIdOf(supervisor, 'dying'), 'SIGKILL');
    await until('it is down', () => supervisor.processId('dying') === null);
    writeFileSync(go, '');
    await replaced;
    const successor = processIdOf(supervisor, 'dying');
    expect(isAlive(successor)).toBe(true);
    expect(supervisor.formers).toBe(0);
  });

  test('while Perigee ends is not: everything ends, the successor too', async () => {
    const supervisor = supervise('ending');
    await supervisor.start(part('ending', LINGERING));
    await supervisor.replace('ending', DRAIN_MS);
    const seen = join(directory, 'ending.successor');
    write(
      'ending',
      `require('fs').writeFileSync(${JSON.stringify(seen)}, String(process.pid));
      process.on('message', (m) => { if (m.kind === 'end') process.exit(0); });`,
    );
    const replaced = failureOf(supervisor.replace('ending', DRAIN_MS));
    const successor = await until('the successor is starting', async () =>
      (await Bun.file(seen).exists()) ? Number(await Bun.file(seen).text()) : null,
    );
    await supervisor.stop([['ending']]);
    expect(await replaced).toBe('Perigee is ending');
    expect([supervisor.processId('ending'), supervisor.formers]).toEqual([null, 0]);
    expect(isAlive(successor)).toBe(false);
  });
});

describe('a part that must be alone', () => {
  /** Holds a lock while it runs; finds fault with a second one. */
  const alone = (lock: string) => `const fs = require('fs');
    function begin() {
      try { fs.writeFileSync(${JSON.stringify(lock)}, '', { flag: 'wx' }); }
      catch { process.send({ kind: 'failed', code: 'conflict', message: 'not alone' }); return; }
      process.send({ kind: 'ready', facts: {} });
    }
    process.on('message', (m) => {
      if (m.kind === 'begin') begin();
      if (m.kind === 'end') { fs.rmSync(${JSON.stringify(lock)}, { force: true }); process.exit(0); }
    });
    if (JSON.parse(process.argv.at(-1)).isHeldBack) process.send({ kind: 'loaded' });
    else begin();`;

  test('ends before its successor starts, which has loaded its code by then', async () => {
    const supervisor = supervise('sole');
    await supervisor.start(part('sole', alone(join(directory, 'sole.lock')), 'in-turn'));
    const before = processIdOf(supervisor, 'sole');
    await supervisor.replace('sole', DRAIN_MS);
    expect(processIdOf(supervisor, 'sole')).not.toBe(before);
    expect(isAlive(before)).toBe(false);
  });

  test('serves on when the code of the new one cannot be loaded', async () => {
    const supervisor = supervise('sole2');
    await supervisor.start(part('sole2', alone(join(directory, 'sole2.lock')), 'in-turn'));
    const before = processIdOf(supervisor, 'sole2');
    write('sole2', 'this is no script');
    expect(await failureOf(supervisor.replace('sole2', DRAIN_MS))).toContain('ended at its start');
    expect([processIdOf(supervisor, 'sole2'), isAlive(before)]).toEqual([before, true]);
  });

  test('is tried again when the new one loads but does not start', async () => {
    const supervisor = supervise('sole3');
    const lock = join(directory, 'sole3.lock');
    await supervisor.start(part('sole3', alone(lock), 'in-turn'));
    write('sole3', alone(lock).replace(`{ flag: 'wx' }`, `{ flag: 'no such flag' }`));
    expect(await failureOf(supervisor.replace('sole3', DRAIN_MS))).toContain('not alone');
    expect(supervisor.processId('sole3')).toBeNull();
    write('sole3', alone(lock));
    await until('it runs again', () => supervisor.processId('sole3') !== null);
  });
});
