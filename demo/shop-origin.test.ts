import { expect, test } from 'bun:test';
import { fileURLToPath } from 'node:url';
import type { PartMessage } from '#platform/process-channel.ts';

const FILE = fileURLToPath(new URL('./shop-origin.ts', import.meta.url));
/** Drawing the pictures takes a second or two on a busy machine, in every process. */
const TIMEOUT_MS = 60_000;

/** The origin as the supervisor starts it: what it said first, and its process. */
async function start(listen: string) {
  const { promise: said, resolve } = Promise.withResolvers<PartMessage>();
  const child = Bun.spawn([process.execPath, FILE, '--listen', listen], {
    stdio: ['ignore', 'ignore', 'ignore'],
    serialization: 'json',
    ipc: resolve,
  });
  return { child, said: await said };
}

test(
  'says where it is, serves, and ends with 0 on SIGTERM',
  async () => {
    const { child, said } = await start('127.0.0.1:0');
    if (said.kind !== 'ready') throw new Error(JSON.stringify(said));
    expect((await fetch(`http://${said.facts.origin}/api/products`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await child.exited).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  'ends with its parent',
  async () => {
    const { child, said } = await start('127.0.0.1:0');
    expect(said.kind).toBe('ready');
    child.disconnect();
    expect(await child.exited).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  'a port in use is said in one line',
  async () => {
    const taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
    const { child, said } = await start(`127.0.0.1:${taken.port}`);
    expect(said).toMatchObject({ kind: 'failed', code: 'unavailable' });
    expect(JSON.stringify(said)).toContain(`cannot listen on 127.0.0.1:${taken.port}`);
    expect(await child.exited).toBe(1);
    taken.stop(true);
  },
  TIMEOUT_MS,
);
