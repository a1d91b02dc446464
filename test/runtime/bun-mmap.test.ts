/** What Bun does with mapped files and what a storage that processes share counts on, or works around. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileOnBun } from '../support/runtime.ts';

fileOnBun('only Bun maps files');

const folder = mkdtempSync(join(tmpdir(), 'perigee-runtime-'));
const file = join(folder, 'mapped');
writeFileSync(file, new Uint8Array(8_192));
afterAll(() => rmSync(folder, { recursive: true }));

describe('mapped files', () => {
  // Locks are waited for by spinning and pausing (`shard-lock.ts`).
  test('atomic operations work on them, waiting does not', () => {
    const words = new Int32Array(Bun.mmap(file, { shared: true }).buffer);
    expect(words.buffer).toBeInstanceOf(ArrayBuffer);
    expect(Atomics.compareExchange(words, 1, 0, 5)).toBe(0);
    expect(new Int32Array(Bun.mmap(file, { shared: true }).buffer)[1]).toBe(5);
    expect(() => Atomics.wait(words, 0, 0, 1)).toThrow(TypeError);
    expect(Atomics.notify(words, 0)).toBe(0);
  });

  // `mapFile` says that it wants them shared.
  test('are copies of one’s own when they are not shared', () => {
    const shared = Bun.mmap(file, { shared: true });
    const own = Bun.mmap(file, { shared: false });
    own[100] = 7;
    expect(shared[100]).toBe(0);
    // The page is a copy from its first change on.
    shared[101] = 8;
    expect(own[101]).toBe(0);
  });

  // A file must have its octets before it is mapped: touching what lies behind its end ends the process.
  test('are refused behind the end of the file, and when it is empty', () => {
    expect(() => Bun.mmap(file, { shared: true, offset: 8_192, size: 4_096 })).toThrow('EINVAL');
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    expect(() => Bun.mmap(empty, { shared: true })).toThrow('EINVAL');
  });

  // `releaseBytes` gives memory back by a transfer: bytes of mapped files must never come there.
  test('are let go of by a transfer like any memory', () => {
    const bytes = Bun.mmap(file, { shared: true });
    (bytes.buffer as ArrayBuffer).transfer(0);
    expect(bytes.byteLength).toBe(0);
  });
});
