import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCold } from '../../test/support/cold-file.ts';
import { fileOnBun } from '../../test/support/runtime.ts';
import { cachedReader, NOT_AT_HAND, UNKNOWN } from './cached-read.ts';

fileOnBun('only Bun calls the C library');
const folder = mkdtempSync(join(tmpdir(), 'perigee-cached-'));
afterAll(() => rmSync(folder, { recursive: true }));

const OCTETS = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255);

test('what the system has in memory is read, and what is not there is left to an ordinary read', () => {
  const file = join(folder, 'warm');
  writeFileSync(file, OCTETS);
  const descriptor = openSync(file, 'r');
  const bytes = new Uint8Array(400_000);
  const read = cachedReader(bytes);
  if (read(descriptor, 1, 0) === UNKNOWN) {
    process.stdout.write('skipped: this file system does not tell what is in memory\n');
    return;
  }
  for (const [at, length] of [
    [0, 1],
    [12_345, 262_144],
    [299_999, 1],
  ] as const) {
    bytes.fill(0);
    expect(read(descriptor, length, at)).toBe(length);
    expect(Buffer.compare(bytes.subarray(0, length), OCTETS.subarray(at, at + length))).toBe(0);
    expect(bytes[length]).toBe(0);
  }
  // Past its end, and no file at all.
  expect(read(descriptor, 100, 299_950)).toBe(NOT_AT_HAND);
  expect(read(descriptor, 1, 300_000)).toBe(NOT_AT_HAND);
  expect(read(1_000_000, 1, 0)).toBe(NOT_AT_HAND);
});

test('what a disk would have to be waited for is not, and is there after it was', () => {
  const file = join(folder, 'cold');
  writeFileSync(file, OCTETS);
  if (!makeCold(file)) {
    process.stdout.write('skipped: no file can be put out of memory here\n');
    return;
  }
  const descriptor = openSync(file, 'r');
  const bytes = new Uint8Array(300_000);
  const read = cachedReader(bytes);
  expect(read(descriptor, 300_000, 0)).toBe(NOT_AT_HAND);
  readSync(descriptor, new Uint8Array(300_000), 0, 300_000, 0);
  expect(read(descriptor, 300_000, 0)).toBe(300_000);
  expect(Buffer.compare(bytes, OCTETS)).toBe(0);
});

test('a file system in memory cannot tell, and says so', () => {
  if (process.platform !== 'linux') return;
  const file = `/dev/shm/perigee-cached-${process.pid}`;
  writeFileSync(file, OCTETS);
  const answer = cachedReader(new Uint8Array(10))(openSync(file, 'r'), 10, 0);
  rmSync(file);
  // Newer kernels may have learnt it.
  expect([UNKNOWN, 10]).toContain(answer);
});
