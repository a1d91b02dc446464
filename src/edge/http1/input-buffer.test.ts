import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { InputBuffer } from './input-buffer.ts';

test('a chunk on its own is taken as it is', () => {
  const input = new InputBuffer();
  const chunk = Buffer.from('..hello');
  input.append(chunk, 2);
  expect(input.bytes).toBe(chunk);
  expect([input.from, input.to, input.length]).toEqual([2, 7, 5]);
});

test('what goes in comes out in order, and views handed out never change', () => {
  const step = fc.record({ add: fc.integer({ min: 1, max: 3000 }), take: fc.integer({ min: 0, max: 4000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const input = new InputBuffer();
      const views: [Buffer, Buffer][] = [];
      let next = 0;
      let expected = 0;
      for (const { add, take } of steps) {
        const chunk = Buffer.alloc(add);
        for (let i = 0; i < add; i += 1) chunk[i] = next++ % 251;
        input.append(chunk, 0);
        const count = Math.min(take, input.length);
        const view = input.bytes.subarray(input.from, input.from + count);
        expect(view.every((byte) => byte === expected++ % 251)).toBe(true);
        views.push([view, Buffer.from(view)]);
        input.from += count;
      }
      for (const [view, copy] of views) expect(view.equals(copy)).toBe(true);
    }),
    { numRuns: 100 },
  );
});
