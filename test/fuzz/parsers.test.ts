/** Every parser on the way of a request, on inputs that a fixed seed makes; `npm run fuzz` tries others. */
import { expect, test } from 'bun:test';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

const SEED = 20_261;

for (const target of TARGETS) {
  test(`${target.name}: whatever comes, and however it is cut`, async () => {
    const runs = target.corpus.length + target.runs;
    expect(await fuzz(target, { seed: SEED, from: 0, runs })).toBe(runs);
  }, 120_000);
}

test('a fault is found, made small, and can be had again', async () => {
  const faulty = {
    name: 'faulty',
    corpus: [Buffer.from('hello, world')],
    tokens: [Buffer.from('needle')],
    runs: 10_000,
    check(input: Buffer) {
      if (input.includes('need')) throw new Error('it cannot stand the word');
    },
  };
  const run = fuzz(faulty, { seed: 1, from: 0, runs: faulty.runs });
  const message = await run.then(
    () => '',
    (error: Error) => error.message,
  );
  expect(message).toContain('faulty: it cannot stand the word');
  expect(message).toContain('input (latin1, 4 bytes): "need"');
  const from = Number(/--seed 1 --from (\d+) --runs 1/.exec(message)?.[1]);
  await expect(fuzz(faulty, { seed: 1, from, runs: 1 })).rejects.toThrow('it cannot stand the word');
  expect(await fuzz(faulty, { seed: 1, from: 0, runs: from })).toBe(from);
});
