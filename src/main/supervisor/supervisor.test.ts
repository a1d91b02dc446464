import { afterEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSilentLogger } from '#platform/log.ts';
import { Supervisor } from './supervisor.ts';

const directory = mkdtempSync(join(tmpdir(), 'perigee-supervisor-'));
const supervisors: { supervisor: Supervisor; names: string[] }[] = [];

afterEach(async () => {
  for (const { supervisor, names } of supervisors.splice(0)) await supervisor.stop([names]);
});
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

/** A part made of a few lines of script. */
function part(name: string, script: string) {
  const file = join(directory, `${name}.js`);
  writeFileSync(file, script);
  return { name, command: [file], descriptors: [] };
}

function supervise(...names: string[]): Supervisor {
  const supervisor = new Supervisor(createSilentLogger());
  supervisors.push({ supervisor, names });
  return supervisor;
}

const READY = `process.send({ kind: 'ready', facts: { pid: String(process.pid) } });
  process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`;

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('condition did not come true');
    await Bun.sleep(5);
  }
}

describe('the supervisor', () => {
  test('starts a part, hands on its facts, and ends it', async () => {
    const supervisor = supervise('well');
    const facts = await supervisor.start(part('well', READY));
    expect(Number(facts.pid)).toBe(supervisor.processId('well') ?? 0);
    await supervisor.stop([['well']]);
    expect(supervisor.processId('well')).toBeNull();
    expect(() => process.kill(Number(facts.pid), 0)).toThrow();
  });

  test('starts a part that was killed again', async () => {
    const supervisor = supervise('killed');
    const { pid } = await supervisor.start(part('killed', READY));
    process.kill(Number(pid), 'SIGKILL');
    await until(() => {
      const now = supervisor.processId('killed');
      return now !== null && now !== Number(pid);
    });
    process.kill(supervisor.processId('killed') ?? 0, 0);
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
      });
      process.send({ kind: 'subscribe', topic: 'snapshot' });
      process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000);`;
    const heard = supervisor.start(part('listener', listener));
    await supervisor.start(
      part('speaker', `process.send({ kind: 'publish', topic: 'snapshot', message: 'hello' });${READY}`),
    );
    expect(await heard).toEqual({ heard: 'hello', from: 'speaker' });
  });
});
