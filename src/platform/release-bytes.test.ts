import { expect, test } from 'bun:test';
import { releaseBytes } from './release-bytes.ts';

const KIB = 1024;

test('bytes that fill their buffer are empty afterwards', () => {
  const bytes = new Uint8Array(64 * KIB);
  const { buffer } = bytes;
  releaseBytes(bytes);
  expect(bytes.length).toBe(0);
  expect(buffer.detached).toBe(true);
});

test('a part behind which something lies is left alone; the last takes all before it along', () => {
  const all = Buffer.alloc(64 * KIB, 'x');
  releaseBytes(all.subarray(0, all.length - 1));
  expect(all.length).toBe(64 * KIB);
  expect(all[0]).toBe('x'.charCodeAt(0));
  releaseBytes(all.subarray(KIB));
  expect(all.length).toBe(0);
});

test('few bytes, shared memory and what was released already are left alone', () => {
  const few = new Uint8Array(16 * KIB - 1);
  const shared = new Uint8Array(new SharedArrayBuffer(64 * KIB));
  const released = new Uint8Array(64 * KIB);
  for (const bytes of [few, shared, released, released]) releaseBytes(bytes);
  expect([few.length, shared.length, released.length]).toEqual([16 * KIB - 1, 64 * KIB, 0]);
});
