import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { FrameReader } from './tcp-frames.ts';

const message = fc.uint8Array({ maxLength: 40 });

function framed(messages: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((each) => [each.length >> 8, each.length & 255, ...each]));
}

function readAll(reader: FrameReader): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let next = reader.next(); next !== null && next !== 'too-long'; next = reader.next()) {
    messages.push(next.slice());
  }
  return messages;
}

describe('messages in a stream', () => {
  test('come out whole, wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(260)), (messages, cuts) => {
        const stream = framed(messages);
        const reader = new FrameReader();
        const read: Uint8Array[] = [];
        let from = 0;
        for (const to of [...cuts.toSorted((a, b) => a - b), stream.length]) {
          if (to < from || to > stream.length) continue;
          reader.append(stream.slice(from, to));
          from = to;
          read.push(...readAll(reader));
        }
        expect(read).toEqual(messages);
      }),
    );
  });

  test('a length over the limit is refused before its message has come', () => {
    const reader = new FrameReader();
    reader.append(Uint8Array.of(0x20, 0x01));
    expect(reader.next()).toBe('too-long');
    const within = new FrameReader();
    within.append(Uint8Array.of(0x20, 0x00));
    expect(within.next()).toBeNull();
  });
});
