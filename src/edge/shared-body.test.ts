import { describe, expect, test } from 'bun:test';
import { systemClock } from '#platform/clock.ts';
import type { BodySource } from './exchange.ts';
import { SharedBody } from './shared-body.ts';
import { MemoryStorage } from './storage/memory/memory-storage.ts';
import { makeStoredHead, readAll } from './storage/storage.cases.ts';

/** A body played by hand. */
class PlayedSource implements BodySource {
  readonly length: number | null;
  readonly isSole = true;
  reads = 0;
  cancelled: string | null = null;
  readonly #ready: (Uint8Array | null | Error)[] = [];
  #pending: { resolve(bytes: Uint8Array | null): void; reject(error: unknown): void } | null = null;

  constructor(length: number | null = null) {
    this.length = length;
  }

  /** Hands over the next parts; null ends, an Error breaks. */
  play(...parts: (Uint8Array | null | Error)[]): void {
    this.#ready.push(...parts);
    this.#answer();
  }

  read(): Promise<Uint8Array | null> {
    this.reads++;
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#answer();
    });
  }

  trailers(): null {
    return null;
  }

  cancel(reason: string): void {
    this.cancelled ??= reason;
    this.#pending?.reject(new Error('cancelled'));
    this.#pending = null;
  }

  #answer(): void {
    if (this.#pending === null || this.#ready.length === 0) return;
    const next = this.#ready.shift() ?? null;
    const pending = this.#pending;
    this.#pending = null;
    if (next instanceof Error) pending.reject(next);
    else pending.resolve(next);
  }
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const bytes = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);
const opened = (body: SharedBody): BodySource => {
  const reader = body.open();
  if (reader === null) throw new Error('the body could not be opened');
  return reader;
};

function makeStored(objectBytesMax = 100_000) {
  const storage = new MemoryStorage({ budgetBytes: 4 * 1024 * 1024, objectBytesMax });
  const source = new PlayedSource();
  const writer = storage.admit('k', makeStoredHead(), null);
  const body = new SharedBody({
    source,
    writer,
    mayPublish: () => true,
    clock: systemClock,
    lagBytesMax: 1000,
    heldUpMsMax: 50,
  });
  return { storage, source, body };
}

function makeUnstored(heldUpMsMax = 50) {
  const source = new PlayedSource();
  const body = new SharedBody({
    source,
    writer: null,
    mayPublish: () => true,
    clock: systemClock,
    lagBytesMax: 1000,
    heldUpMsMax,
  });
  return { source, body };
}

describe('what a reader was given last is of no use to others', () => {
  test('once it is the only one, and nothing is stored', async () => {
    const { source, body } = makeUnstored();
    const [one, other] = [opened(body), opened(body)];
    void body.run();
    source.play(bytes(10, 1));
    expect([(await one.read())?.length, one.isSole]).toEqual([10, false]);
    other.cancel('enough');
    source.play(bytes(10, 2));
    expect([(await one.read())?.length, one.isSole]).toEqual([10, true]);
  });

  test('not while it is stored, nor what the storage held when it gave up', async () => {
    const { source, body } = makeStored(100);
    const reader = opened(body);
    void body.run();
    source.play(bytes(60, 1));
    expect([(await reader.read())?.length, reader.isSole]).toEqual([60, false]);
    source.play(bytes(30, 2));
    await settle();
    source.play(bytes(60, 3));
    await settle();
    expect([(await reader.read())?.length, reader.isSole]).toEqual([30, false]);
    expect([(await reader.read())?.length, reader.isSole]).toEqual([60, true]);
  });
});

describe('a shared body that is being stored', () => {
  test('readers get parts before the source has ended, and all get everything', async () => {
    const { storage, source, body } = makeStored();
    const [early, late] = [opened(body), opened(body)];
    const run = body.run();
    source.play(bytes(10, 1));
    expect(await early.read()).toEqual(bytes(10, 1));
    source.play(bytes(10, 2), null);
    expect(await early.read()).toEqual(bytes(10, 2));
    expect(await early.read()).toBeNull();
    expect((await run)?.bodyLength).toBe(20);
    expect((await readAll(late)).byteLength).toBe(20);
    expect((await readAll(opened(body))).byteLength).toBe(20);
    expect(storage.lookup('k').length).toBe(1);
  });

  test('a reader that does not read holds up nobody', async () => {
    const { source, body } = makeStored();
    opened(body);
    const fast = opened(body);
    const run = body.run();
    for (let i = 0; i < 50; i++) source.play(bytes(1000, i));
    source.play(null);
    expect((await readAll(fast)).byteLength).toBe(50_000);
    expect(await run).not.toBeNull();
  });

  test('the fill goes on to its end when every reader has left', async () => {
    const { storage, source, body } = makeStored();
    const reader = opened(body);
    const run = body.run();
    source.play(bytes(10, 1));
    await reader.read();
    reader.cancel('client gone');
    source.play(bytes(10, 2), null);
    expect((await run)?.bodyLength).toBe(20);
    expect(source.cancelled).toBeNull();
    expect(storage.lookup('k').length).toBe(1);
  });

  test('a broken source breaks every reader after what had arrived, and nothing is stored', async () => {
    const { storage, source, body } = makeStored();
    const reader = opened(body);
    const run = body.run();
    source.play(bytes(10, 1), new Error('origin vanished'));
    expect(await run).toBeNull();
    expect(await reader.read()).toEqual(bytes(10, 1));
    await expect(reader.read()).rejects.toThrow('origin vanished');
    expect(body.open()).toBeNull();
    expect(storage.statistics()).toMatchObject({ storedResponses: 0, chargedBytes: 0 });
  });

  test('one purged meanwhile is served and not stored', async () => {
    const storage = new MemoryStorage({ budgetBytes: 4 * 1024 * 1024 });
    const source = new PlayedSource();
    const writer = storage.admit('k', makeStoredHead(), null);
    const body = new SharedBody({ source, writer, mayPublish: () => false, clock: systemClock });
    const reader = opened(body);
    source.play(bytes(10, 1), null);
    expect(await body.run()).toBeNull();
    expect((await readAll(reader)).byteLength).toBe(10);
    expect(storage.statistics()).toMatchObject({ storedResponses: 0, chargedBytes: 0 });
  });

  test('when the store gives up mid-way, fast and slow readers still get every byte in order', async () => {
    const { storage, source, body } = makeStored(5000);
    const [fast, slow] = [opened(body), opened(body)];
    const run = body.run();
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 8; i++) {
      const part = bytes(900, i);
      sent.push(part);
      source.play(part);
      if (i < 5) expect(await fast.read()).toEqual(part);
    }
    source.play(null);
    const all = Promise.all([readAll(fast), readAll(slow)]);
    expect(await run).toBeNull();
    const [fromFast, fromSlow] = await all;
    expect(Buffer.concat(sent.slice(5)).equals(fromFast)).toBe(true);
    expect(Buffer.concat(sent).equals(fromSlow)).toBe(true);
    expect(storage.statistics()).toMatchObject({ storedResponses: 0, chargedBytes: 0 });
  });
});

describe('a shared body that is not stored', () => {
  test('the source is read no further than the lag bound ahead of a lone reader, however long it pauses', async () => {
    const { source, body } = makeUnstored(0);
    const reader = opened(body);
    const run = body.run();
    for (let i = 0; i < 20; i++) source.play(bytes(500, i));
    source.play(null);
    await settle();
    expect(body.arrived).toBeLessThanOrEqual(1500);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await readAll(reader)).byteLength).toBe(10_000);
    await run;
  });

  test('a reader that holds up the others is cut off, and they get everything', async () => {
    const { source, body } = makeUnstored();
    const [fast, stuck] = [opened(body), opened(body)];
    const run = body.run();
    for (let i = 0; i < 20; i++) source.play(bytes(500, i));
    source.play(null);
    expect((await readAll(fast)).byteLength).toBe(10_000);
    await run;
    await expect(stuck.read()).rejects.toThrow('held up the others');
  });

  test('when the last reader leaves the source is cancelled', async () => {
    const { source, body } = makeUnstored();
    const reader = opened(body);
    const run = body.run();
    source.play(bytes(10, 1));
    await reader.read();
    reader.cancel('client gone');
    expect(await run).toBeNull();
    expect(source.cancelled).not.toBeNull();
  });

  test('when the only slow reader leaves, the others go on', async () => {
    const { source, body } = makeUnstored(60_000);
    const [fast, slow] = [opened(body), opened(body)];
    const run = body.run();
    for (let i = 0; i < 6; i++) source.play(bytes(500, i));
    source.play(null);
    const all = readAll(fast);
    await settle();
    slow.cancel('client gone');
    expect((await all).byteLength).toBe(3000);
    await run;
  });

  test('it cannot be opened once its beginning has passed', async () => {
    const { source, body } = makeUnstored();
    const reader = opened(body);
    const run = body.run();
    source.play(bytes(10, 1));
    await reader.read();
    expect(body.open()).toBeNull();
    source.play(null);
    expect(await reader.read()).toBeNull();
    await run;
  });
});
