import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { CONVERSATIONS } from './http2-conversations.ts';
import { outcomeOf } from './http2-outcome.ts';

const shownOutcome = async (bytes: Buffer, cuts: readonly number[]): Promise<string> =>
  JSON.stringify(await outcomeOf(bytes, cuts), null, 1);

test('cut in two at every byte, each conversation has the same outcome as whole', async () => {
  for (const { name, bytes } of CONVERSATIONS) {
    const whole = await shownOutcome(bytes, []);
    const outcomes = Array.from({ length: bytes.length - 1 }, (_, i) => shownOutcome(bytes, [i + 1]));
    for (const [i, outcome] of (await Promise.all(outcomes)).entries()) {
      if (outcome !== whole) expect(`${name}, cut at ${i + 1}: ${outcome}`).toBe(`${name}: ${whole}`);
    }
  }
});

test('byte by byte, each conversation has the same outcome as whole', async () => {
  for (const { name, bytes } of CONVERSATIONS) {
    const everywhere = Array.from({ length: bytes.length }, (_, i) => i);
    expect(`${name}: ${await shownOutcome(bytes, everywhere)}`).toBe(
      `${name}: ${await shownOutcome(bytes, [])}`,
    );
  }
});

test('cut anywhere, any conversation has the same outcome as whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CONVERSATIONS),
      fc.array(fc.nat(30_000), { maxLength: 12 }),
      async ({ bytes }, cuts) => {
        const inside = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
        expect(await shownOutcome(bytes, inside)).toBe(await shownOutcome(bytes, []));
      },
    ),
    { numRuns: 500 },
  );
});
