import { expect, test } from 'bun:test';
import { type TurnTaker, WriteTurns } from './write-turns.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A taker that writes `bytes` in parts, and says so in `log`. */
function writerOf(
  name: string,
  parts: number,
  partBytes: number,
  turns: WriteTurns,
  log: string[],
): TurnTaker {
  let left = parts;
  const taker = {
    onTurn() {
      log.push(name);
      turns.spend(partBytes);
      left -= 1;
      if (left > 0) turns.wait(taker);
    },
  };
  return taker;
}

test('all who have much to write get one part after the other, and no turn goes far over its bound', async () => {
  const turns = new WriteTurns(1_000);
  const log: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) turns.wait(writerOf(name, 3, 300, turns, log));
  const perTurn: string[] = [];
  let seen = 0;
  while (log.length < 15) {
    await nextTurn();
    perTurn.push(log.slice(seen).join(''));
    seen = log.length;
  }
  // Four parts are the first to reach the bound.
  expect(perTurn.filter((turn) => turn !== '')).toEqual(['abcd', 'eabc', 'deab', 'cde']);
});

test('who has written enough is told to wait, and may go on in the next turn', async () => {
  const turns = new WriteTurns(1_000);
  expect(turns.isOver).toBe(false);
  turns.spend(999);
  expect(turns.isOver).toBe(false);
  turns.spend(5_000);
  expect(turns.isOver).toBe(true);
  await nextTurn();
  expect(turns.isOver).toBe(false);
});

test('who asks again within a turn waits for the next, also alone', async () => {
  const turns = new WriteTurns(1_000_000);
  const log: string[] = [];
  turns.wait(writerOf('a', 3, 1, turns, log));
  for (let turn = 1; turn <= 3; turn += 1) {
    await nextTurn();
    expect(log.length).toBe(turn);
  }
});

test('thousands in line are served in order', async () => {
  const turns = new WriteTurns(100);
  const log: string[] = [];
  const names = Array.from({ length: 5_000 }, (_, i) => String(i));
  for (const name of names) turns.wait(writerOf(name, 1, 10, turns, log));
  while (log.length < names.length) await nextTurn();
  expect(log).toEqual(names);
});
