/**
 * What Bun does with files as bodies, and why Perigee sends none of them that way: an upgrade that changes one of these is
 * noticed here, and what was avoided can be thought about again.
 */
import { afterAll, describe, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileOnBun } from '../support/runtime.ts';

fileOnBun('it is about Bun');

const folder = mkdtempSync(join(tmpdir(), 'perigee-runtime-'));
const file = join(folder, 'file');
const OCTETS = Buffer.from(Array.from({ length: 2_000_000 }, (_, i) => (i * 31) & 255));
writeFileSync(file, OCTETS);
const descriptor = openSync(file, 'r');
const bodies: Record<string, () => Blob> = {
  '/descriptor': () => Bun.file(descriptor).slice(10, 1_500_000),
  '/proc': () => Bun.file(`/proc/self/fd/${descriptor}`).slice(10, 1_500_000),
  '/two': () => new Blob([Bun.file(file).slice(0, 10), Bun.file(file).slice(20, 30)]),
  '/whole': () => Bun.file(file),
  '/missing': () => Bun.file(join(folder, 'nothing')),
  '/beyond': () => Bun.file(file).slice(1_999_000, 3_000_000),
};
let errors = 0;
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  development: false,
  fetch: ({ url }) => new Response((bodies[new URL(url).pathname] as () => Blob)()),
  error() {
    errors++;
    return new Response('', { status: 500 });
  },
});
afterAll(async () => {
  await server.stop(true);
  closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(path, server.url), init);

describe('files as bodies', () => {
  // A descriptor that is open already is the only one that outlives the removal of its segment.
  test('a slice of an open descriptor promises a body that does not come, while others do', async () => {
    const given = new AbortController();
    let isAnswered = false;
    const read = async (): Promise<void> => {
      await (await ask('/descriptor', { signal: given.signal })).arrayBuffer();
      isAnswered = true;
    };
    const asked = read().catch(() => {});
    for (let i = 0; i < 5; i++) {
      const octets = Buffer.from(await (await ask('/proc')).arrayBuffer());
      expect(octets.equals(OCTETS.subarray(10, 1_500_000))).toBe(true);
    }
    expect(isAnswered).toBe(false);
    given.abort();
    await asked;
  });

  // What lies in two segments would have to be two bodies.
  test('two slices put together are nothing, with a good status', async () => {
    expect(bodies['/two']?.().size).toBe(0);
    const response = await ask('/two');
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 0]);
  });

  // Ranges are judged by us, with conditions and validators that Bun knows nothing of.
  test('a whole file answers ranges by itself, and a slice is a 206 that nobody asked for', async () => {
    const part = await ask('/whole', { headers: { Range: 'bytes=1-2' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 1-2/2000000']);
    const slice = await ask('/proc');
    expect([slice.status, slice.headers.get('content-range')]).toEqual([206, 'bytes 10-1499999/*']);
  });

  // By then it would be too late to ask an origin.
  test('a file that is not there is found out when the handler has returned', async () => {
    const before = errors;
    expect((await ask('/missing')).status).toBe(500);
    expect(errors).toBe(before + 1);
  });

  // A segment that was cut would be sent as a complete, shorter response.
  test('a slice past the end promises more than there is, and is shortened without a word', async () => {
    expect(bodies['/beyond']?.().size).toBe(1_001_000);
    const response = await ask('/beyond');
    expect(response.headers.get('content-length')).toBe('1000');
    expect((await response.arrayBuffer()).byteLength).toBe(1_000);
  });
});
