import { expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { until } from '../../../test/support/until.ts';
import { OutputScratch, SCRATCH_BYTES } from '../connection/output-scratch.ts';
import { WriteTurns } from '../connection/write-turns.ts';
import { Output } from './output.ts';

/** A socket that takes what it is given late, when `isSlow`, so that the bytes must have stayed as they were. */
class TestSocket extends Writable {
  received: Buffer[] = [];
  readonly #isSlow: boolean;

  constructor(isSlow: boolean) {
    super({ highWaterMark: 30_000 });
    this.#isSlow = isSlow;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.received.push(Buffer.from(chunk));
      done();
    };
    if (this.#isSlow) setImmediate(take);
    else take();
  }
}

function outputOn(socket: TestSocket, scratch = new OutputScratch()): Output {
  const turns = new WriteTurns(20_000);
  const output: Output = new Output(socket as unknown as Socket, scratch, turns, 5000, () => {
    output.drained();
  });
  socket.on('drain', () => output.drained());
  return output;
}

test('whatever sizes text, body and tail have, they arrive in order and unchanged', async () => {
  const size = fc.oneof(
    fc.nat(100),
    fc.integer({ min: SCRATCH_BYTES - 3, max: SCRATCH_BYTES + 3 }),
    fc.nat(60_000),
  );
  const message = fc.record({ text: size, body: fc.option(size), tail: fc.nat(3) });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 8 }), fc.boolean(), async (messages, isSlow) => {
      const socket = new TestSocket(isSlow);
      const output = outputOn(socket);
      let due = '';
      for (const [i, { text, body, tail }] of messages.entries()) {
        const letter = String.fromCharCode(97 + i);
        const bytes = body === null ? null : Buffer.alloc(body, letter.toUpperCase());
        output.write(letter.repeat(text), bytes, '-'.repeat(tail));
        due += letter.repeat(text) + letter.toUpperCase().repeat(body ?? 0) + '-'.repeat(tail);
      }
      await until('all has been taken', () => socket.writableLength === 0);
      expect(Buffer.concat(socket.received).toString() === due).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('a head and a body that fit leave in one write', () => {
  const socket = new TestSocket(false);
  outputOn(socket).write('head', new Uint8Array(16_384), '');
  expect(socket.received.map((part) => part.length)).toEqual([16_388]);
});

test('a large whole body leaves in parts, as the socket drains', async () => {
  const socket = new TestSocket(true);
  const output = outputOn(socket);
  const body = Buffer.alloc(300_000);
  for (let i = 0; i < body.length; i += 1) body[i] = i % 251;
  expect(output.writeWhole('head', body)).toBe(false);
  expect(socket.writableLength).toBeLessThan(60_000);
  await until('all has been taken', () => socket.writableLength === 0 && !output.hasPending);
  expect(Buffer.concat(socket.received).equals(Buffer.concat([Buffer.from('head'), body]))).toBe(true);
});

test('waits while the socket is full, and is told when the client goes', async () => {
  const socket = new TestSocket(true);
  const output = outputOn(socket);
  output.write('', new Uint8Array(40_000), '');
  expect(output.isBlocked).toBe(true);
  await output.writable();
  expect(output.isBlocked).toBe(false);
  output.write('', new Uint8Array(40_000), '');
  const waiting = output.writable();
  output.gone('reset');
  await expect(waiting).rejects.toThrow('the client is gone: reset');
  await expect(output.writable()).rejects.toThrow('reset');
  output.write('late', null, '');
  await until('all has been taken', () => socket.writableLength === 0);
  expect(Buffer.concat(socket.received).includes('late')).toBe(false);
});

test('is stalled when nothing is taken for as many ticks, and not while something is', async () => {
  const socket = new TestSocket(true);
  const output = outputOn(socket);
  expect(output.isStalled(1, 3)).toBe(false);
  output.write('x', null, '');
  expect([2, 3, 4].map((tick) => output.isStalled(tick, 3))).toEqual([false, false, true]);
  await until('it has been taken', () => socket.writableLength === 0);
  expect(output.isStalled(9, 3)).toBe(false);
});

test('connections that share the scratch buffer do not mix, also when one is slow', async () => {
  const scratch = new OutputScratch();
  const slow = new TestSocket(true);
  const fast = new TestSocket(false);
  const [slowOutput, fastOutput] = [outputOn(slow, scratch), outputOn(fast, scratch)];
  for (let i = 0; i < 50; i += 1) {
    slowOutput.write(`slow ${i};`, null, '');
    fastOutput.write(`fast ${i};`, null, '');
  }
  await until('all has been taken', () => slow.writableLength === 0);
  const due = (name: string) => Array.from({ length: 50 }, (_, i) => `${name} ${i};`).join('');
  expect(Buffer.concat(slow.received).toString()).toBe(due('slow'));
  expect(Buffer.concat(fast.received).toString()).toBe(due('fast'));
});

/** Many outputs on sockets that take everything at once, as kernels do for readers that are fast. */
function manyOutputs(count: number, turnBytes: number, partBytes: number) {
  const turns = new WriteTurns(turnBytes);
  const scratch = new OutputScratch();
  return Array.from({ length: count }, () => {
    const socket = new TestSocket(false);
    const output: Output = new Output(socket as unknown as Socket, scratch, turns, partBytes, () => {
      output.drained();
    });
    const written = () => socket.received.reduce((sum, { length }) => sum + length, 0);
    return { output, written };
  });
}

/** What all have written after each turn, until all have written everything. */
async function followTurns(outputs: ReturnType<typeof manyOutputs>, bytes: number) {
  const perTurn: number[] = [];
  let spread = 0;
  let before = 0;
  for (let sum = 0; sum < bytes * outputs.length; ) {
    const each = outputs.map(({ written }) => written());
    sum = each.reduce((total, written) => total + written, 0);
    if (sum > before) perTurn.push(sum - before);
    before = sum;
    spread = Math.max(spread, Math.max(...each) - Math.min(...each));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { first: perTurn[0] as number, later: Math.max(...perTurn.slice(1)), spread };
}

test('whole bodies go out in turns: a bounded amount between two looks at the network, and all at one pace', async () => {
  const [count, bytes, turnBytes, partBytes] = [40, 500_000, 100_000, 25_000];
  const outputs = manyOutputs(count, turnBytes, partBytes);
  const body = new Uint8Array(bytes);
  for (const { output } of outputs) output.writeWhole('', body);
  const { first, later, spread } = await followTurns(outputs, bytes);
  // At first each sends what it puts together with its head; then parts, the last of which may go over.
  expect(first).toBeLessThanOrEqual(count * SCRATCH_BYTES + turnBytes + partBytes);
  expect(later).toBeLessThanOrEqual(turnBytes + partBytes);
  expect(spread).toBeLessThanOrEqual(turnBytes + partBytes);
});

test('streams whose bytes are there already go out in turns as well', async () => {
  const [count, bytes, turnBytes, partBytes] = [40, 640_000, 200_000, 64_000];
  const outputs = manyOutputs(count, turnBytes, partBytes);
  const part = new Uint8Array(partBytes);
  const produce = async (output: Output) => {
    for (let sent = 0; sent < bytes; sent += partBytes) {
      output.write('', part, '');
      await output.writable();
    }
  };
  for (const { output } of outputs) void produce(output);
  const { first, later, spread } = await followTurns(outputs, bytes);
  expect(first).toBeLessThanOrEqual(count * partBytes + turnBytes);
  // Who is let go on is counted beforehand with a part.
  expect(later).toBeLessThanOrEqual(2 * turnBytes + partBytes);
  expect(spread).toBeLessThanOrEqual(2 * turnBytes + partBytes);
});
