import { describe, expect, test } from 'bun:test';
import type { BodySink, BodySource } from './exchange.ts';
import { relay } from './relay.ts';

const KIB = 1024;

function sourceOf(parts: Uint8Array[], isSole: boolean): BodySource {
  const left = [...parts];
  return { length: null, isSole, read: async () => left.shift() ?? null, trailers: () => null, cancel() {} };
}

describe('the memory of parts', () => {
  const relayed = async (isSole: boolean, hasLeft: boolean | undefined) => {
    const parts = [new Uint8Array(64 * KIB), new Uint8Array(32 * KIB)];
    const lengths: number[] = [];
    const sink: BodySink = {
      write: async (part) => {
        lengths.push(part.length);
      },
      end: async () => {},
      abort() {},
      ...(hasLeft === undefined ? {} : { hasLeft }),
    };
    const { bytes, error } = await relay(sourceOf(parts, isSole), sink);
    expect([bytes, error, lengths]).toEqual([96 * KIB, null, [64 * KIB, 32 * KIB]]);
    return parts.map(({ length }) => length);
  };

  test('is freed when they were for this client alone, and have left', async () => {
    expect(await relayed(true, true)).toEqual([0, 0]);
  });

  test.each([
    ['others may be given them', false, true],
    ['they have not left', true, false],
    ['nobody knows whether they have', true, undefined],
  ])('is kept when %s', async (_, isSole, hasLeft) => {
    expect(await relayed(isSole, hasLeft)).toEqual([64 * KIB, 32 * KIB]);
  });
});
