import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { FRAME_HEADER_BYTES, GOAWAY } from '#edge/http2/frame.ts';
import { judgeOutput } from '../support/frame-judge.ts';
import { frameBytes } from '../support/http2-client.ts';
import { openWire } from '../support/http2-wire.ts';
import { answerAtOnce, CONVERSATIONS } from './http2-conversations.ts';

/**
 * All that comes back when `bytes` come cut at `cuts` and the client then goes away: per stream and for the
 * connection. How content is cut into frames, and whose frames come first, may depend on what came together.
 */
async function outcomeOf(bytes: Buffer, cuts: readonly number[]): Promise<string> {
  const wire = openWire(answerAtOnce);
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > at) wire.bring(bytes.subarray(at, cut));
    at = Math.max(at, cut);
  }
  // Whatever has not ended by then: every conversation has a last word.
  wire.bring(frameBytes(GOAWAY, 0, 0, Buffer.alloc(FRAME_HEADER_BYTES - 1)));
  wire.socket.push(null);
  await settled();
  wire.socket.destroy();
  await wire.closed;
  const { control, streams } = judgeOutput(wire.output(), 100_000);
  return JSON.stringify({ control, streams: [...streams].sort(([a], [b]) => a - b) }, null, 1);
}

/** Once all that was brought has been read and answered. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('cut in two at every byte, each conversation has the same outcome as whole', async () => {
  for (const { name, bytes } of CONVERSATIONS) {
    const whole = await outcomeOf(bytes, []);
    const outcomes = Array.from({ length: bytes.length - 1 }, (_, i) => outcomeOf(bytes, [i + 1]));
    for (const [i, outcome] of (await Promise.all(outcomes)).entries()) {
      if (outcome !== whole) expect(`${name}, cut at ${i + 1}: ${outcome}`).toBe(`${name}: ${whole}`);
    }
  }
});

test('byte by byte, each conversation has the same outcome as whole', async () => {
  for (const { name, bytes } of CONVERSATIONS) {
    const everywhere = Array.from({ length: bytes.length }, (_, i) => i);
    expect(`${name}: ${await outcomeOf(bytes, everywhere)}`).toBe(`${name}: ${await outcomeOf(bytes, [])}`);
  }
});

test('cut anywhere, any conversation has the same outcome as whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CONVERSATIONS),
      fc.array(fc.nat(30_000), { maxLength: 12 }),
      async ({ bytes }, cuts) => {
        const inside = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
        expect(await outcomeOf(bytes, inside)).toBe(await outcomeOf(bytes, []));
      },
    ),
    { numRuns: 500 },
  );
});
